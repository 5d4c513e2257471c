/**
 * The schedules that expose the mutants: the right rules survive each of them. Reigns last four
 * views: replica 0 leads views 1 to 3, replica 1 leads 4 to 7, and so on. Heights start at 1.
 */
import { type Exhibit, seal } from '@quorumlab/core';
import { genesisHash } from './blocks.ts';
import { loneLock, undecided } from './exhibits-basic.ts';
import { formerVotes, uncommitted } from './exhibits-sets.ts';
import type { Options } from './group.ts';
import { type Block, type Message, Phase, type QuorumCertificate, type Vote } from './messages.ts';
import type { RulesName } from './rules.ts';
import {
  among,
  build,
  certified,
  giveUp,
  hashOf,
  isA,
  leaves,
  type Staged,
  sealsOf,
  skipTo,
  taken,
} from './staging.ts';
import type { HotStuff } from './state.ts';

const viewOf = (message: Message): number =>
  message.kind === 'proposal' ? message.block.view : message.kind === 'vote' ? message.view : -1;

/** Replica 0 orders Ann in views 1 to `last`, heard by replicas 0, 2 and 3; replica 1 lies. */
function lead(group: Staged, last: number): void {
  group.betray(1);
  group.propose([0, 2, 3], 'Ann');
  for (let view = 1; view <= last; view++)
    group.deliver((flight) => among(0, 2, 3)(flight) && viewOf(flight.message) === view);
}

/** The liar starts again from the genesis block, with Bob. */
function startAgain(group: Staged): void {
  group.propose([2, 3], 'Bob');
  const timeouts = giveUp(group, [2, 3], 1);
  build(group, 1, [2, 3], { view: 4, height: 1, justify: null, timeouts, blocks: 4 });
}

/** Replica 0 alone learns that its third block is certified, and commits the first. */
function keptBack(group: Staged): void {
  lead(group, 3);
  const vote = group.flights
    .filter(({ to, message }) => to === 1 && message.kind === 'vote')
    .at(-1);
  if (vote?.message.kind !== 'vote') return;
  const { view, block, justifyView } = vote.message;
  const justify = certified(group, 1, { kind: 'vote', set: 1, view, block, justifyView });
  if (justify !== undefined) group.say(1, [0], { kind: 'new-view', justify, timeouts: null });
  group.settle(({ from, to }) => from === 1 && to === 0);
  startAgain(group);
}

/** The last proposal reaches its leader only: it carries the certificate that commits Ann. */
function overtaken(group: Staged): void {
  lead(group, 2);
  group.settle((flight) => flight.from === 0 && flight.to === 0);
  startAgain(group);
}

/** Replica 1, a liar, takes turns with a silent network: certificates with views between them. */
function gaps(group: Staged): void {
  lead(group, 2);
  const justify = taken(group, 1, 'proposal').at(-1)?.justify ?? null;
  group.lose();
  group.propose([2, 3], 'Bob');
  const first = giveUp(group, [2, 3], 1);
  const other = build(group, 1, [2, 3], {
    ...{ view: 4, height: 1, justify: null, timeouts: first, blocks: 2 },
  });
  const second = skipTo(group, 20, [2, 3], 1);
  build(group, 1, [0, 2, 3], {
    ...{ view: 20, height: 3, justify, timeouts: second, blocks: 2, last: [0] },
  });
  group.lose();
  const third = skipTo(group, 36, [2, 3], 1);
  build(group, 1, [2, 3], {
    ...{ view: 36, height: 3, justify: other, timeouts: third, blocks: 4 },
  });
}

/** Replica 2 votes for both chains of the liar, with a crash between any two votes of a view. */
function forgotten(group: Staged): void {
  group.betray(0);
  const restart = (): void => {
    group.restart(2);
    // It gets back what another block of the same view has overwritten.
    group.settle(({ from, to, message }) => from > 0 && to > 0 && message.kind.endsWith('blocks'));
  };
  const one = { view: 1, height: 1, justify: null, timeouts: null, blocks: 1 };
  const left = build(group, 0, [1, 2], { ...one, text: 'Ann' });
  restart();
  const right = build(group, 0, [2, 3], one);
  if (left === null || right === null) return;
  const two = { view: 2, height: 2, timeouts: null, blocks: 2 };
  build(group, 0, [1, 2], { ...two, justify: left, last: [1] });
  restart();
  build(group, 0, [2, 3], { ...two, justify: right, last: [3] });
}

/** The liar signs each certificate three times, for two replicas, each with a chain of its own. */
function signedThrice(group: Staged): void {
  group.betray(0);
  for (const [self, text] of [
    [1, 'Ann'],
    [2, 'Bob'],
  ] as const) {
    let justify: QuorumCertificate | null = null;
    for (const view of [1, 2, 3]) {
      const parent: string = justify?.body.block ?? genesisHash;
      const batch = view === 1 ? [group.request(text)] : [];
      const block: Block = { set: 1, view, height: view, parent, batch };
      const body: Message = { kind: 'proposal', block, justify, timeouts: null };
      // No encoding has room for a signer twice, so this goes past the wire.
      group.hand(self, seal(body, 0, group.sign({ ...body, justify: null }, 0).signature));
      const vote: Vote = {
        kind: 'vote',
        set: 1,
        view,
        block: hashOf(group, block),
        justifyView: view - 1,
      };
      const { signature } = group.sign(vote, 0);
      justify = { body: vote, seals: [0, 0, 0].map((from) => ({ from, signature })) };
    }
  }
}

/** Replica 3 hears of nothing, until it has to catch up with three blocks at once. */
function lateComer(group: Staged): void {
  for (const text of ['Ann', 'Bob']) {
    group.propose([0], text);
    group.settle(among(0, 1, 2));
  }
  group.propose([0], 'Cleo');
  group.run(60_000_000);
}

/** The first leader shows its certificate to replica 3 alone, which locks on it. */
const shownToOne = (phase?: number) => (group: Staged) => {
  for (const self of [0, 6]) group.betray(self);
  const honest = [1, 2, 3, 4, 5];
  group.propose(honest, 'Ann');
  const batch = [group.request('Bob')];
  const block: Block = { set: 1, view: 1, height: 1, parent: genesisHash, batch };
  group.say(0, honest, { kind: 'proposal', block, justify: null, timeouts: null });
  group.deliver(isA('proposal'));
  const ofPhase = phase === undefined ? {} : { phase };
  const name = hashOf(group, block);
  const vote: Vote = { kind: 'vote', ...ofPhase, set: 1, view: 1, block: name, justifyView: 0 };
  const heard = taken(group, 0, 'vote').filter(({ from }) => from <= 3);
  const votes = [...heard, group.sign(vote, 0), group.sign(vote, 6)];
  const justify = { body: vote, seals: sealsOf(votes) };
  group.say(0, [3], { kind: 'new-view', justify, timeouts: null });
  group.deliver(isA('new-view'));
  group.lose();
  // A quorum leaves; what replica 3 says comes last, though soon enough.
  for (const self of honest) leaves(group, self);
  group.say(6, [1], { kind: 'timeout', set: 1, view: 3, highView: 0 });
  group.deliver(({ from, to }) => from !== 3 && to === 1);
  group.deliver();
  if (group.due(1, 'propose') !== undefined) group.timeout(1, 'propose');
  group.deliver();
  group.expectAnswers('after the reign of a leader that did not wait for a certificate it lacked');
};

/** Time enough for many timeouts, which double where nothing is committed. */
const long = 3e8;

/** The digest function is the host's. */
type Told = Omit<Options, 'digest'>;

/** Reigns of four views, as the schedules count on; a mutant names rules of its own, the same. */
const told = (rules: RulesName): Told => ({ n: 4, f: 1, reign: 4, rules });

/** By the names of the mutants. */
export const exhibits: Readonly<Record<string, Exhibit<HotStuff, Told>>> = {
  'no-lock': {
    options: told('chained'),
    shows: 'forked',
    story:
      'n0 commits Ann; n1 leads and starts again from the beginning, past the locks of n2 and n3.',
    play: keptBack,
  },
  'two-phase-livelock': {
    options: { ...told('hotstuff-2'), n: 7, f: 2 },
    shows: 'stalled',
    story:
      'n0 shows a certificate to n3 alone; n1 leads next, does not wait for n3 and gets no vote.',
    play: shownToOne(),
  },
  'two-chain-old-lock': {
    options: told('hotstuff-2'),
    shows: 'forked',
    story:
      'n0 commits Ann, on whom n2 and n3 are not locked yet; n1 starts again from the beginning.',
    play: overtaken,
  },
  'non-consecutive-commit': {
    options: told('chained'),
    shows: 'forked',
    story:
      'n1 lets views pass between its blocks, and builds on Ann for n0 and on Bob for the others.',
    play: gaps,
  },
  'no-dummy-blocks': {
    options: told('chained'),
    shows: 'forked',
    story:
      'n1 lets views pass between its blocks, and builds on Ann for n0 and on Bob for the others.',
    play: gaps,
  },
  'rotation-n4': {
    options: told('chained'),
    shows: 'stalled',
    story: 'n1 has crashed, and so one view of four has no leader.',
    play(group) {
      group.crash(1);
      group.propose([0, 2, 3], 'Ann');
      group.run(long, () => group.answered > 0);
      group.expectAnswers('300 s after one of four replicas crashed');
    },
  },
  'tc-without-highqc-check': {
    options: told('jolteon'),
    shows: 'forked',
    story:
      'n0 commits Ann; n1 leads and starts again from the beginning, behind a timeout certificate.',
    play: overtaken,
  },
  'vote-amnesia': {
    options: told('jolteon'),
    shows: 'forked',
    story: 'n0 proposes Ann and Bob in one view; n2 votes for both, and crashes in between.',
    play: forgotten,
  },
  'duplicate-signers': {
    options: told('jolteon'),
    shows: 'forked',
    story: 'n0 signs its own certificates three times, for Ann and for Bob.',
    play: signedThrice,
  },
  'view-inflation': {
    options: told('hotstuff-2'),
    shows: 'stalled',
    story: 'n3 tells n0 and n1 that view 1004 has begun, which n3 leads.',
    play(group) {
      group.betray(3);
      const block: Block = { set: 1, view: 1004, height: 1, parent: genesisHash, batch: [] };
      group.say(3, [0, 1], { kind: 'proposal', block, justify: null, timeouts: null });
      group.deliver();
      group.propose([0, 1, 2], 'Ann');
      group.run(long, () => group.answered > 0);
      group.expectAnswers('300 s after one replica named a view far ahead');
    },
  },
  'forgets-proposed': {
    options: told('jolteon'),
    shows: 'stalled',
    story: 'n0 proposes Ann and crashes before anybody has voted; n1, n2 and n3 have heard of her.',
    play(group) {
      group.propose([0], 'Ann');
      group.deliver(isA('proposal'));
      group.lose();
      group.crash(0);
      group.propose([1, 2, 3], 'Ann');
      group.run(long, () => group.answered > 0);
      group.expectAnswers('300 s after the crash of the leader that had proposed it');
    },
  },
  'former-votes': {
    options: { ...told('jolteon'), n: 5, reign: 64 },
    shows: 'forked',
    story: 'n3 was let go and votes on, for Ann with n0 and n1; n2 and n4 commit Bob with n0.',
    play: formerVotes,
  },
  'uncommitted-set': {
    options: { ...told('jolteon'), n: 5 },
    shows: 'forked',
    story:
      'n0 alone sees that n3 is to be let go, and crashes; the others commit Ann in its place.',
    play: uncommitted,
  },
  'flush-order': {
    options: { ...told('jolteon'), reign: 64 },
    shows: 'forked',
    story:
      'n3 hears of nothing until Ann, Bob and Cleo are committed, and catches up with all of them.',
    play: lateComer,
  },
  'skipped-commit-phase': {
    options: told('basic'),
    shows: 'forked',
    story: 'n0 commits Ann, on whom nobody else is locked; n1 starts again from the beginning.',
    play: undecided,
  },
  'lock-on-prepare': {
    options: { ...told('basic'), n: 7, f: 2 },
    shows: 'stalled',
    story: 'n0 shows a prepareQC to n3 alone, which locks on it, and n1 gets no vote of n3.',
    play: shownToOne(Phase.prepare),
  },
  'never-unlocks': {
    options: told('basic'),
    shows: 'stalled',
    story: 'n0 shows a precommitQC to n3 alone, and starts another chain when it leads again.',
    play: loneLock,
  },
};
