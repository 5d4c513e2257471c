/**
 * The schedules that expose the mutants: the right protocol survives each of them. Replica 0 is the
 * primary of view 0; numbers start at 1, slots at 0.
 */
import { certify, type Exhibit, type ReplicaId, type Signed } from '@quorumlab/core';
import { nullBatch } from './batches.ts';
import type { Options } from './group.ts';
import { macExhibits } from './mac-exhibits.ts';
import type { NewView, ViewChange } from './messages.ts';
import {
  all,
  among,
  batchOf,
  changeAtOnce,
  digestOf,
  formerVotes,
  giveUp,
  leaveWithBob,
  meet,
  of,
  order,
  prePrepare,
  preparedAt,
  type Staged,
  to,
  votes,
} from './schedules.ts';
import type { Pbft } from './state.ts';

function claimWithoutProof(group: Staged): void {
  const { batch, digest } = leaveWithBob(group);
  const prepared = [{ view: 7, sequence: 1, digest }];
  group.say(3, [1], { kind: 'view-change', epoch: 0, view: 1, checkpoint: null, prepared });
  for (let i = 0; i < 2; i++) {
    group.say(3, [1], { kind: 'batch', sequence: 1, batch });
    if (i === 1) votes(group, 3, [1, 2], 1, digest);
    group.deliver(to(1, 2));
  }
}

/** Replica 1, a liar, begins view 1 with valid view-changes and an empty batch for number 1. */
function emptyOrders(group: Staged): void {
  order(group, [0, 1, 2], to(0));
  group.crash(0);
  group.betray(1);
  giveUp(group, 2, 3);
  const heard = group
    .hold(all(to(1), of('view-change')))
    .map(({ message }) => message as Signed<ViewChange>);
  const own: ViewChange = {
    kind: 'view-change',
    epoch: 0,
    view: 1,
    checkpoint: null,
    prepared: [],
  };
  const digest = digestOf(group, nullBatch);
  const newView: NewView = {
    kind: 'new-view',
    epoch: 0,
    view: 1,
    checkpoint: null,
    configuration: null,
    viewChanges: [group.sign(own, 1), ...heard],
    orders: [{ sequence: 1, digest }],
  };
  group.say(1, [2, 3], newView);
  votes(group, 1, [2, 3], 1, digest);
  group.deliver(to(2, 3));
}

/** Two halves hear of different batches, and the liar commits both. */
const twoHalves =
  (...halves: readonly (readonly ReplicaId[])[]) =>
  (group: Staged): void => {
    group.betray(0);
    for (const [i, half] of halves.entries()) {
      const batch = batchOf(group, ['Ann', 'Bob'][i] ?? 'Cleo');
      const digest = digestOf(group, batch);
      prePrepare(group, half, batch);
      group.say(0, half, { kind: 'commit', epoch: 0, view: 0, sequence: 1, digest });
    }
  };

/** Ann is prepared at 2 in view 0, Bob is executed by 3 in view 1, and 2 leads view 2. */
function threeViews(group: Staged): void {
  meet(group);
  group.betray(0);
  const empty = { kind: 'view-change', epoch: 0, checkpoint: null, prepared: [] } as const;
  prePrepare(group, [1, 2, 3], batchOf(group, 'Ann'));
  group.deliver(of('pre-prepare'));
  group.deliver(preparedAt(2));
  group.lose();
  // View 1 begins without 2; what it orders is executed by 3 only.
  giveUp(group, 1, 3);
  group.say(0, [1, 3], { ...empty, view: 1 });
  group.deliver(all(to(1, 3), among(0, 1, 3), of('view-change', 'new-view')));
  group.deliver(all(among(1, 3), of('pre-prepare', 'prepare')));
  const second = group.view(3).prePrepares.get(1)?.digest;
  if (second === undefined) return;
  votes(group, 0, [1, 3], 1, second);
  group.deliver(all(to(1), among(0, 1, 3), of('prepare')));
  group.deliver(all(to(3), among(0, 1, 3)));
  group.crash(3);
  // 2 follows into view 1, hears nothing more of it, and takes 1 along into view 2.
  group.deliver(all(to(2), of('view-change')));
  group.lose();
  group.timeout(2, 'new-view');
  group.say(0, [1, 2], { ...empty, view: 2 });
  group.deliver(to(1, 2));
  const chosen = group.view(2).newView?.orders[0]?.digest;
  if (chosen !== undefined) votes(group, 0, [1, 2], 2, chosen);
  group.deliver(to(1, 2));
}

/** The primary orders one of twelve requests just before each timeout, which is a second. */
function slowPrimary(group: Staged): void {
  group.betray(0);
  const names = Array.from({ length: 12 }, (_, i) => `Ann ${i + 1}`);
  for (const name of names) group.propose([1, 2, 3], name);
  for (const [i, name] of names.slice(0, 6).entries()) {
    group.run(900_000);
    prePrepare(group, [1, 2, 3], batchOf(group, name), i + 1);
  }
  group.run(0);
  group.expectAnswers('after 5 s, in which the primary ordered one of twelve every 0.9 s');
}

/** The liar asks for another view again and again, faster than any view can end its work. */
function eagerLiar(group: Staged): void {
  group.betray(3);
  group.propose([0, 1, 2], 'Ann');
  const rounds = 30;
  for (let view = 1; view <= rounds; view++) {
    group.say(3, [0, 1, 2], {
      kind: 'view-change',
      epoch: 0,
      view,
      checkpoint: null,
      prepared: [],
    });
    for (let i = 0; i < 2; i++) group.pass();
  }
  group.expectAnswers(`after ${rounds} views that one replica wanted to leave`);
}

const withoutPrimary =
  (why: string, delay: number, ...asked: readonly ReplicaId[]) =>
  (group: Staged): void => {
    group.crash(0);
    group.propose(asked, 'Ann');
    group.run(90_000_000, () => group.answered === 1, delay);
    group.expectAnswers(why);
  };

/** Everybody prepares a number that no view-change may tell of; then the primary is silent. */
function highNumber(group: Staged): void {
  group.betray(0);
  prePrepare(group, [1, 2, 3], batchOf(group, 'Ann'), 2 ** 40);
  group.deliver();
  group.propose([1, 2, 3], 'Bob');
  group.run(90_000_000, () => group.answered === 1);
  group.expectAnswers('90 s after the primary used number 2^40 and fell silent');
}

const four = { n: 4, f: 1 } as const;

/** Ann is prepared at n0 to n2 and executed by n1, who tells her client, as does the liar n0. */
function answered(group: Staged): void {
  order(group, [0, 1, 2], to(1));
  group.betray(0);
}

/** n0 orders Ann, and only n2 hears enough Prepares. */
function preparedOnlyAt2(group: Staged): void {
  group.propose([0], 'Ann');
  group.deliver(of('pre-prepare'));
  group.deliver(preparedAt(2));
  group.lose();
}

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<Pbft, Options>>> = {
  'hard-coded-2f+1': {
    options: { n: 5, f: 1 },
    shows: 'forked',
    story: 'The primary n0 orders Ann with n1 and n2, and Bob with n3 and n4.',
    play(group) {
      twoHalves([1, 2], [3, 4])(group);
      group.deliver(among(0, 1, 2));
      group.deliver(among(0, 3, 4));
    },
  },
  'no-digest-match': {
    options: four,
    shows: 'forked',
    story: 'The primary n0 orders Ann at n1 and Bob at n2 and n3; their votes are added up.',
    play(group) {
      twoHalves([1], [2, 3])(group);
      group.deliver();
    },
  },
  'skip-commit-phase': {
    options: four,
    shows: 'forked',
    story: 'n2 alone hears that Ann is prepared, executes her and is gone; view 1 orders Bob.',
    play(group) {
      meet(group);
      preparedOnlyAt2(group);
      group.crash(2);
      giveUp(group, 0, 1, 3);
      group.deliver();
    },
  },
  'viewchange-no-proof': {
    options: four,
    shows: 'forked',
    story:
      'n0 executes Ann and is gone; n3 claims, without proof, that Bob was prepared in view 7.',
    play: claimWithoutProof,
  },
  'newview-unchecked': {
    options: four,
    shows: 'forked',
    story: 'n0 executes Ann and is gone; n1 begins view 1 with an empty batch in her place.',
    play: emptyOrders,
  },
  'older-certificate-wins': {
    options: four,
    shows: 'forked',
    story: 'Ann is prepared at n2 in view 0, n3 executes Bob in view 1; view 2 hears of both.',
    play: threeViews,
  },
  'prepared-not-carried': {
    options: four,
    shows: 'forked',
    story: 'n2 executes Ann and is gone; n0 and n1 have prepared her and do not say so.',
    play(group) {
      order(group, [0, 1, 2], to(2));
      group.crash(2);
      giveUp(group, 0, 1, 3);
      group.deliver();
    },
  },
  'fixed-timeouts': {
    options: four,
    shows: 'stalled',
    story: 'The primary has crashed, and each message takes longer than the first timeout.',
    play: withoutPrimary('after 90 s, in which each message took 1.5 s', 1_500_000, 1, 2, 3),
  },
  'join-rule-one': {
    options: four,
    shows: 'stalled',
    story: 'n3 asks for view after view, and nobody else has a reason to leave.',
    play: eagerLiar,
  },
  'join-rule-none': {
    options: four,
    shows: 'stalled',
    story: 'The primary has crashed; n1 and n2 want the next view, and n3 has heard of no request.',
    play: withoutPrimary('90 s after the primary crashed', 0, 1, 2),
  },
  'timer-restarts': {
    options: four,
    shows: 'stalled',
    story: 'The primary n0 orders one request just before each timeout.',
    play: slowPrimary,
  },
  'no-watermarks': {
    options: four,
    shows: 'stalled',
    story: 'The primary n0 orders Ann as number 2^40, and nothing more.',
    play: highNumber,
  },
  'local-copy-executes': {
    options: four,
    shows: 'forked',
    story: 'A client tells n2 and n3 Bob, and the primary Ann, under one sequence.',
    play(group) {
      group.propose([2, 3], 'Bob', { client: 0 });
      group.lose();
      group.propose([0], 'Ann', { client: 0 });
      group.deliver();
    },
  },
  'checkpoint-unproven': {
    options: { ...four, checkpointEvery: 2 },
    shows: 'invalid',
    story:
      'n3 has slept; the liar n0 offers it a state after number 2 that nobody else has signed.',
    play(group) {
      meet(group);
      group.betray(0);
      const digest = '0b'.repeat(32);
      const body = { kind: 'checkpoint', epoch: 0, sequence: 2, digest, group: null } as const;
      const checkpoint = certify(body, [group.sign(body, 0)]);
      group.say(0, [3], { kind: 'stable-checkpoint', checkpoint, configuration: null });
      group.deliver(to(3));
      const state = group.view(3).stableCheckpoint?.body.digest;
      const sentence = 'n3 fetches a state, and will install it, that only the liar n0 has signed';
      group.expect(state !== body.digest, 'state', sentence);
    },
  },
  'reads-at-once': {
    options: { ...four, readOnly: true },
    shows: 'stale-read',
    story: 'n1 has executed Ann; a read asks n2, which has only prepared her, n3, and the liar n0.',
    play(group) {
      answered(group);
      group.read([0, 2, 3]);
    },
  },
  'reads-of-f+1': {
    options: { ...four, readOnly: true },
    shows: 'stale-read',
    story: 'n1 has executed Ann; n3, which has heard of nothing, and the liar n0 answer a read.',
    play(group) {
      answered(group);
      group.read([0, 3]);
    },
  },
  'tentative-without-rollback': {
    options: { ...four, tentative: true },
    shows: 'forked',
    story: 'n2 alone executes Ann tentatively; view 1 orders Bob in her place, and n2 follows.',
    play(group) {
      meet(group);
      preparedOnlyAt2(group);
      giveUp(group, 0, 1, 3);
      group.deliver(among(0, 1, 3));
      group.deliver();
    },
  },
  'tentative-f+1-replies': {
    options: { ...four, tentative: true },
    shows: 'invalid',
    story: 'n2 alone has prepared Ann, and tells her client, as does the liar n3; Bob comes first.',
    play(group) {
      meet(group);
      group.betray(3);
      preparedOnlyAt2(group);
      group.crash(2);
      const empty = { kind: 'view-change', epoch: 0, checkpoint: null, prepared: [] } as const;
      group.say(3, [0, 1], { ...empty, view: 1 });
      giveUp(group, 0, 1);
      group.deliver(all(among(0, 1, 3), of('view-change', 'new-view', 'pre-prepare')));
      const [order] = [...group.view(1).prePrepares.values()];
      if (order !== undefined) votes(group, 3, [0, 1], 1, order.digest);
      group.deliver(among(0, 1, 3));
    },
  },
  'read-tentative-state': {
    options: { ...four, tentative: true, readOnly: true },
    shows: 'stale-read',
    story:
      'n0 to n2 tell the client of Ann tentatively; n2 leaves the view, and answers a read with ' +
      'n3 and n0, which lies by then.',
    play(group) {
      order(group, [0, 1, 2], () => false);
      group.betray(0);
      giveUp(group, 1, 2);
      group.lose();
      group.read([0, 2, 3]);
    },
  },
  ...macExhibits,
  'former-votes': {
    options: { n: 5, f: 1, checkpointEvery: 1, window: 1 },
    shows: 'forked',
    story: 'n3 was let go and votes on, for Ann with n0 and n1; n2 and n4 execute Bob with n0.',
    play: formerVotes,
  },
  'change-at-next-checkpoint': {
    options: { n: 5, f: 1, checkpointEvery: 1, window: 2 },
    shows: 'forked',
    story:
      'n3 is let go in number 1, and number 2 is Ann at n1, which is gone; the others, who did ' +
      'not hear of that, begin anew behind number 1.',
    play: changeAtOnce,
  },
};
