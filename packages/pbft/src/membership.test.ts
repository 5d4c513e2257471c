/** Who votes, and how that changes: by what is executed, behind a checkpoint, by nobody's word. */
import {
  certify,
  encode,
  encodeValidatorStep,
  firstClient,
  integer,
  list,
  record,
} from '@quorumlab/core';
import { changeRequestOf, requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { makeNarrow } from '../test/group.ts';
import { batchOf, checkpoint, digestOf, prePrepare, status, vote } from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import { type Configuration, frozen } from './epochs.ts';
import { groupOf, type Options } from './group.ts';
import { type PbftOptions, pbft } from './index.ts';
import { outcomeAt } from './membership.ts';
import type { Commit } from './messages.ts';
import { rules } from './rules.ts';
import { epochOf } from './state.ts';

const long = 60_000_000;
const without = (server: number) => encodeValidatorStep({ server, becomes: 'none' });
const letIn = (server: number) => encodeValidatorStep({ server, becomes: 'voter' });
const five = (more: Partial<PbftOptions> = {}): Network => makeNarrow({ n: 5, f: 1, ...more });

const up = (network: Network): number[] =>
  network.protocol.members.filter((self) => network.seat(self).up);

/** Asks everybody for it, and waits until its epoch has begun at all that are up. */
function ask(network: Network, sequence: number, configuration: Uint8Array): void {
  const before = Math.max(...up(network).map((self) => epochOf(network.state(self)).number));
  const command = changeRequestOf(1, sequence, configuration);
  for (const self of network.protocol.members) network.input(self, { type: 'propose', command });
  const isBegun = (self: number): boolean => epochOf(network.state(self)).number > before;
  network.run(long, () => up(network).every(isBegun));
}

function write(network: Network, count: number, from = 100): void {
  for (let i = from; i < from + count; i++) {
    for (const self of network.protocol.members)
      network.input(self, { type: 'propose', command: requestOf(0, i) });
    network.run(long, () => network.executed.has(`${firstClient}/${i}`));
    expect(network.executed.has(`${firstClient}/${i}`)).toBe(true);
  }
}

const membersOf = (network: Network, self: number) => epochOf(network.state(self)).members;

describe('a change', () => {
  it('counts behind a checkpoint, up to which nobody needs to ask for anything', () => {
    const network = five({ initialMembers: '0,1,2,3' });
    ask(network, 1, letIn(4));
    for (const self of [0, 1, 2, 3, 4]) {
      const { epochs, lastExecuted, stableCheckpoint, handovers } = network.state(self);
      // Number 1 is in the stretch that ends with 2, and a log of 4 goes one stretch further.
      expect(epochs.map(({ after, members }) => [after, members])).toEqual([
        [0, [0, 1, 2, 3]],
        [4, [0, 1, 2, 3, 4]],
      ]);
      expect([lastExecuted, stableCheckpoint?.body.sequence]).toEqual([4, 4]);
      // Those have signed it who voted up to it.
      expect(handovers.get(1)?.checkpoint.seals.map(({ from }) => from)).not.toContain(4);
      expect(network.seat(self).machine.roster?.()).toMatchObject({
        voters: [0, 1, 2, 3, 4],
        settled: true,
      });
    }
    // Four of the five have to vote now.
    network.stop(0);
    network.stop(1);
    const command = requestOf(0, 1);
    for (const self of [2, 3, 4]) network.input(self, { type: 'propose', command });
    network.run(long);
    expect(network.state(2).lastExecuted).toBe(4);
    network.restart(1);
    network.run(long, () => network.state(2).lastExecuted > 4);
    expect(network.state(2).lastExecuted).toBeGreaterThan(4);
    expect(network.violation).toBeUndefined();
  });

  it('takes the vote of who leaves, who listens on and can come back', () => {
    const network = five();
    ask(network, 1, without(3));
    expect(membersOf(network, 3)).toEqual([0, 1, 2, 4]);
    expect(network.seat(3).machine.roster?.()).toMatchObject({ left: [3], settled: true });
    const heard: string[] = [];
    network.seat(3).treason = ({ to, message }) => {
      heard.push(message.kind);
      return [{ to, message }];
    };
    write(network, 3);
    for (const kind of ['prepare', 'commit', 'checkpoint', 'view-change'])
      expect(heard).not.toContain(kind);
    network.seat(3).treason = undefined;
    expect(network.state(3).lastExecuted).toBe(network.state(0).lastExecuted);
    ask(network, 2, letIn(3));
    expect(membersOf(network, 3)).toEqual([0, 1, 2, 3, 4]);
    write(network, 3, 200);
    expect(network.violation).toBeUndefined();
  });

  it('begins anew in view 0, whatever view the last epoch ended in', () => {
    const network = five();
    network.stop(0);
    write(network, 1);
    expect(network.state(1).view).toBe(1);
    ask(network, 1, without(4));
    for (const self of [1, 2, 3]) {
      const { view, active, viewChange } = network.state(self);
      expect([view, active, viewChange]).toEqual([0, true, null]);
    }
    network.restart(0);
    write(network, 3, 200);
    expect([membersOf(network, 0), network.state(0).view]).toEqual([[0, 1, 2, 3], 0]);
    expect(network.violation).toBeUndefined();
  });

  it('has its end demanded of a primary that would never come to it', () => {
    const network = five({ window: 8 });
    network.seat(0).treason = ({ to, message }) =>
      message.kind === 'pre-prepare' && message.sequence > 1 ? [] : [{ to, message }];
    const command = changeRequestOf(1, 1, without(4));
    for (const self of network.protocol.members) network.input(self, { type: 'propose', command });
    network.run(long, () => [1, 2, 3].every((self) => membersOf(network, self).length === 4));
    expect(membersOf(network, 1)).toEqual([0, 1, 2, 3]);
    expect(network.lines.has('4.4-new-view')).toBe(true);
  });

  it('is alone in its batch, and is known after a restart', () => {
    const network = five();
    const mixed = [requestOf(0, 1), changeRequestOf(1, 1, without(4))];
    network.inject(0, 2, prePrepare(1, mixed));
    expect(network.state(2).prePrepares.size).toBe(0);
    ask(network, 2, without(4));
    for (const self of [0, 1, 2, 3, 4]) {
      network.stop(self);
      network.restart(self);
    }
    for (const self of [0, 1, 2, 3, 4]) expect(membersOf(network, self)).toEqual([0, 1, 2, 3]);
    write(network, 2);
    expect(network.violation).toBeUndefined();
  });

  it('is done once: a liar who orders it again changes nothing', () => {
    const network = five();
    ask(network, 1, without(4));
    ask(network, 2, letIn(4));
    const group = groupOf({ n: 5, f: 1 }, rules);
    const { configuration, lastExecuted } = network.state(0);
    const again = outcomeAt(group, configuration, lastExecuted, changeRequestOf(1, 1, without(4)));
    expect(again).toEqual({
      next: configuration,
      refusal: 'the group stays as it is: this was decided before',
    });
  });
});

describe('a group that cannot be', () => {
  const raw = (...told: readonly (readonly [member: number, weight?: number])[]) =>
    encode(
      list(record({ member: integer(1023), weight: integer() }), 1024),
      told.map(([member, weight = 1]) => ({ member, weight })),
    );
  const equal = (...members: number[]) => raw(...members.map((member) => [member] as const));

  it.each<[string, Partial<Options>, Uint8Array, RegExp]>([
    ['nobody', { n: 5 }, equal(), /needs validators/],
    ['one twice', { n: 5 }, equal(0, 1, 1, 2, 3), /not in ascending order/],
    ['a stranger', { n: 5 }, equal(0, 1, 2, 3, 7), /replica 7 is not one of the 5 known/],
    ['a heavy one', { n: 5 }, raw([0], [1], [2], [3], [4, 2]), /in PBFT each has one vote/],
    ['fewer than f needs', { n: 4 }, equal(0, 1, 2), /3 cannot survive 1 that lie/],
    ['too many that leave', { n: 8 }, equal(0, 1, 2, 3, 4), /3 of 8 of the power would leave/],
    [
      'too many that come',
      { n: 8, initialMembers: '0,1,2,3' },
      equal(0, 1, 2, 3, 4, 5, 6),
      /3 of 7 of the power would be new/,
    ],
    ['what cannot be read', { n: 5 }, Uint8Array.of(0, 1), /cannot be read/],
    ['a group by hand', { n: 5, quorum: 4 }, without(4), /set by hand/],
    ['reads of all', { n: 5, readOnly: true }, without(4), /make it without readOnly/],
    ['no operator', { n: 5, operators: `${firstClient}` }, without(4), /is none of its operators/],
    ['who is none of it', { n: 5, seats: 6 }, letIn(5), /replica 5 is not one of the 5 known/],
  ])('is refused with its reason: %s', (_, options, configuration, why) => {
    const group = groupOf({ n: 5, f: 1, ...options }, rules);
    const { next, refusal } = outcomeAt(
      group,
      group.first,
      7,
      changeRequestOf(1, 1, configuration),
    );
    expect(refusal).toMatch(why);
    expect([next.epoch, next.next]).toEqual([group.first.epoch, null]);
    // What was refused is not done later either.
    const later = outcomeAt(group, next, 9, changeRequestOf(1, 1, configuration));
    expect(later.refusal).toMatch(/decided before|none of its operators/);
  });

  it('is one of two at once', () => {
    const group = groupOf({ n: 6, f: 1, checkpointEvery: 2, window: 4 }, rules);
    const { next } = outcomeAt(group, group.first, 1, changeRequestOf(1, 1, without(5)));
    expect(next.next?.after).toBe(4);
    const second = changeRequestOf(1, 2, without(4));
    expect(outcomeAt(group, next, 4, second).refusal).toMatch(
      /the change before it counts behind number 4; ask again then/,
    );
    expect(outcomeAt(group, next, 5, second).next).toMatchObject({
      epoch: { number: 1, members: [0, 1, 2, 3, 4] },
      next: { number: 2, after: 8, members: [0, 1, 2, 3] },
    });
  });

  it('is no more than the last of so many', () => {
    const group = groupOf({ n: 5, f: 1 }, rules);
    const asked = Array.from({ length: 1024 }, (_, i) => ({ client: 1, session: 0, sequence: i }));
    const last: Configuration = frozen({ ...group.first, asked });
    const request = changeRequestOf(9, 2000, without(4));
    expect(outcomeAt(group, last, 9, request)).toEqual({
      next: last,
      refusal: 'the group stays as it is: it was changed 1023 times; make a cluster anew',
    });
  });

  it('is not even made', () => {
    expect(() => pbft({ n: 5, initialMembers: '0,1,2', f: 1 })).toThrow(/3 cannot survive 1/);
    expect(() => pbft({ n: 5, initialMembers: '0,1,2,9' })).toThrow(/initialMembers is 0,1,2,9/);
    expect(() => pbft({ n: 5, initialMembers: '0,1,2,3', readOnly: true })).toThrow(/only listen/);
  });
});

/** After n3 has left with number 4: replica 1 alone is left to hear of number 5. */
function afterLeaving(): Network {
  const network = five();
  ask(network, 1, without(3));
  for (const self of [0, 2, 3, 4]) network.stop(self);
  return network;
}

describe('B-54: a stale epoch', () => {
  const digest = digestOf(batchOf(9));

  it('has no vote: neither of who has left, nor of one who names an earlier one', () => {
    const network = afterLeaving();
    const prepare = vote('prepare', 5, digest);
    network.inject(3, 1, { ...prepare, epoch: 1 });
    network.inject(2, 1, prepare);
    expect(network.state(1).progress.size).toBe(0);
    network.inject(2, 1, { ...prepare, epoch: 1 });
    network.inject(4, 1, { ...prepare, epoch: 2 });
    expect([...(network.state(1).progress.get(5)?.prepares.votes.keys() ?? [])]).toEqual([2]);
  });

  it('makes no certificate, whole as it may be by its own count', () => {
    const network = afterLeaving();
    const told = (epoch: number, signers: readonly number[]) => {
      const body: Commit = { ...vote('commit', 5, digest), epoch };
      const seals = signers.map((from) => network.sign(body, from));
      return {
        kind: 'committed',
        commit: certify<Commit>(body, seals),
        batch: batchOf(9),
      } as const;
    };
    for (const [epoch, signers] of [
      [0, [0, 1, 2, 3]],
      [0, [0, 1, 2, 4]],
      [1, [0, 2, 3]],
      [1, [0, 2]],
      [2, [0, 2, 4]],
    ] as const) {
      network.inject(4, 1, told(epoch, signers));
      expect(network.state(1).lastExecuted).toBe(4);
    }
    network.inject(3, 1, told(1, [0, 2, 4]));
    expect(network.state(1).lastExecuted).toBe(5);
  });
});

describe('whoever comes with nothing', () => {
  /** Five became four and five again, and what was ordered first is let go of. */
  function changed(): Network {
    const network = five({ checkpointEvery: 2, window: 2 });
    network.stop(4);
    ask(network, 1, without(3));
    write(network, 4);
    ask(network, 2, letIn(3));
    write(network, 6, 200);
    return network;
  }

  it('is shown epoch after epoch, and then believes the state that the last one has signed', () => {
    const network = changed();
    network.restart(4);
    const isThere = (): boolean => network.state(4).lastExecuted === network.state(0).lastExecuted;
    network.run(long, () => {
      network.transfer(4);
      return isThere();
    });
    expect([isThere(), network.seat(4).state]).toEqual([true, network.seat(0).state]);
    expect(network.state(4).epochs).toEqual(network.state(0).epochs);
    expect(network.state(4).configuration).toEqual(network.state(0).configuration);
    expect(network.lines.has('show-epochs')).toBe(true);
    // And can show them to the next one.
    expect([...network.state(4).handovers]).toEqual([...network.state(0).handovers]);
  });

  it('believes no state of an epoch not shown to it, nor an epoch but by the one before', () => {
    const network = changed();
    network.restart(4);
    network.drop();
    const { stableCheckpoint, stableConfiguration, handovers } = network.state(0);
    if (stableCheckpoint === null) throw new Error('there is a stable checkpoint');
    const latest = {
      kind: 'stable-checkpoint',
      checkpoint: stableCheckpoint,
      configuration: stableConfiguration,
    } as const;
    network.inject(0, 4, latest);
    const [first, second] = [...handovers.values()];
    if (first === undefined || second === undefined) throw new Error('there are two changes');
    // The second does not follow from the first members, nor the first with a vote too few, or with
    // another group than the one that was signed.
    network.inject(0, 4, { kind: 'epochs', handovers: [second] });
    const { body, seals } = first.checkpoint;
    const few = {
      checkpoint: { body, seals: seals.slice(0, 3) },
      configuration: first.configuration,
    };
    network.inject(0, 4, { kind: 'epochs', handovers: [few] });
    const forged = { checkpoint: first.checkpoint, configuration: second.configuration };
    network.inject(0, 4, { kind: 'epochs', handovers: [forged] });
    const own = checkpoint(8);
    const alone = certify(own, [network.sign(own, 0)]);
    network.inject(0, 4, { kind: 'stable-checkpoint', checkpoint: alone, configuration: null });
    expect([network.state(4).epochs.length, network.state(4).stableCheckpoint]).toEqual([1, null]);
    network.inject(1, 4, { kind: 'epochs', handovers: [first, second] });
    network.inject(1, 4, latest);
    expect(network.state(4).stableCheckpoint).toEqual(stableCheckpoint);
  });

  it('is told of a seat by the log, and nobody takes its number', () => {
    const network = makeNarrow({ n: 4, f: 1, seats: 6 });
    for (const self of [4, 5]) network.stop(self);
    const about = Uint8Array.of(1, 2, 3);
    const seat = encodeValidatorStep({ server: 4, becomes: 'learner', about });
    for (const self of [0, 1, 2, 3])
      network.input(self, { type: 'propose', command: changeRequestOf(1, 1, seat) });
    network.run(long, () => network.state(0).lastExecuted === 1);
    // Nobody else votes because of it, so no epoch ends.
    expect(network.seat(0).machine.roster?.()).toMatchObject({
      voters: [0, 1, 2, 3],
      learners: [4],
      seats: [{ member: 4, about }],
      settled: true,
    });
    network.restart(4);
    ask(network, 2, letIn(4));
    expect(membersOf(network, 4)).toEqual([0, 1, 2, 3, 4]);
    const other = encodeValidatorStep({ server: 4, becomes: 'learner', about: Uint8Array.of(9) });
    const { configuration } = network.state(0);
    const group = groupOf({ n: 4, f: 1, seats: 6, digest: testDigest }, rules);
    expect(outcomeAt(group, configuration, 99, changeRequestOf(1, 9, other)).refusal).toMatch(
      /a number is never given twice/,
    );
  });

  it('is shown what follows the epoch that it says it is in', () => {
    const network = changed();
    const { sends } = network.wouldAnswer(3, 0, status({ epoch: 1 }));
    const shown = sends.flatMap(({ message }) =>
      message.kind === 'epochs'
        ? message.handovers.map(({ checkpoint: { body } }) => body.epoch)
        : [],
    );
    expect(shown).toEqual([1]);
  });
});
