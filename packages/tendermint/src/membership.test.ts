/** Who votes, and how that changes: by decisions, at a stated height, by nobody's word. */
import { certify, encode, firstClient, integer, list, maxSets, record } from '@quorumlab/core';
import { changeRequestOf, requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { batchOf, checkpoint, idOf, proposal, status } from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import { groupOf, type Options, proposerOf } from './group.ts';
import { encodeStep, encodeValidators, ValidatorError } from './index.ts';
import { outcomeAt } from './membership.ts';
import type { Decision, Precommit, Prevote } from './messages.ts';
import { rules } from './rules.ts';

const long = 60_000_000;
const without = (server: number) => encodeStep({ server, becomes: 'none' });
const letIn = (server: number) => encodeStep({ server, becomes: 'voter' });

/** Asks everybody for it, and waits until all that are up have decided it and what follows. */
function ask(network: Network, sequence: number, configuration: Uint8Array): void {
  const command = changeRequestOf(1, sequence, configuration);
  for (const self of network.protocol.members) network.input(self, { type: 'propose', command });
  network.run(long, () => up(network).every((self) => isSettled(network, self, sequence)));
}

const up = (network: Network): number[] =>
  network.protocol.members.filter((self) => network.seat(self).up);

function isSettled(network: Network, self: number, sequence: number): boolean {
  const { validators, height } = network.state(self);
  const newest = validators.at(-1);
  return newest?.asked?.sequence === sequence && newest.since <= height;
}

function write(network: Network, count: number, from = 100): void {
  for (let i = from; i < from + count; i++) {
    for (const self of network.protocol.members)
      network.input(self, { type: 'propose', command: requestOf(0, i) });
    network.run(long, () => network.executed.has(`${firstClient}/${i}`));
  }
}

const votersOf = (network: Network, self: number) => {
  const { validators } = network.state(self);
  return validators.at(-1)?.validators.map(({ member }) => member);
};

describe('a change', () => {
  it('is decided by those who vote, and counts two heights later, whoever asks', () => {
    const network = make({ n: 5, f: 1, initialMembers: '0,1,2,3' });
    ask(network, 1, letIn(4));
    for (const self of [0, 1, 2, 3, 4]) {
      const { validators, height, commits } = network.state(self);
      expect(validators.map(({ since }) => since)).toEqual([1, 3]);
      expect(height).toBeGreaterThanOrEqual(3);
      // What is said at height 1 names the first set, and from height 2 on the one that comes.
      expect([1, 2].map((at) => commits.get(at)?.body.set)).toEqual([1, 3]);
      expect(network.seat(self).machine.roster?.()).toMatchObject({
        voters: [0, 1, 2, 3, 4],
        settled: true,
      });
    }
    // The newcomer did not vote before, and four of the five have to now.
    const signers = (height: number) =>
      network
        .state(0)
        .commits.get(height)
        ?.seals.map(({ from }) => from);
    expect(signers(2)).not.toContain(4);
    network.stop(0);
    network.stop(1);
    const command = requestOf(0, 1);
    for (const self of [2, 3, 4]) network.input(self, { type: 'propose', command });
    network.run(long);
    expect(network.state(2).height).toBe(3);
    network.restart(1);
    network.run(long, () => network.state(2).height > 3);
    expect(network.state(2).height).toBeGreaterThan(3);
    expect(network.violation).toBeUndefined();
  });

  it('takes the vote of who leaves, who listens on and can come back', () => {
    const network = make({ n: 5, f: 1 });
    ask(network, 1, without(3));
    expect(votersOf(network, 0)).toEqual([0, 1, 2, 4]);
    expect(network.seat(3).machine.roster?.()).toMatchObject({ left: [3], settled: true });
    network.sent.clear();
    const said = network.flights.length;
    write(network, 2);
    expect([said, network.state(3).said.size]).toEqual([0, 0]);
    expect(network.state(3).height).toBe(network.state(0).height);
    ask(network, 2, letIn(3));
    expect(votersOf(network, 3)).toEqual([0, 1, 2, 3, 4]);
    write(network, 3, 200);
    expect(network.violation).toBeUndefined();
  });

  it('changes weights, and with them quorums and turns', () => {
    const network = make({ n: 5, f: 1, weights: '2,2,2,2,2' });
    ask(network, 1, encodeStep({ server: 4, becomes: 'voter', weight: 3 }));
    const group = groupOf({ n: 5, f: 1, digest: testDigest }, rules);
    const { validators: sets } = network.state(0);
    const since = sets.at(-1)?.since ?? 0;
    const turns = Array.from({ length: 11 }, (_, i) => proposerOf(group, sets, since + i, 0));
    expect([0, 1, 2, 3, 4].map((id) => turns.filter((each) => each === id).length)).toEqual([
      2, 2, 2, 2, 3,
    ]);
    write(network, 3);
    expect(network.violation).toBeUndefined();
  });

  it('is alone in its block, and is known after a restart', () => {
    const network = make({ n: 5, f: 1 });
    const mixed = [requestOf(0, 1), changeRequestOf(1, 1, without(4))];
    network.inject(0, 2, proposal(0, mixed));
    expect(network.state(2).said.get(0)?.prevote.value).toBeNull();
    network.run(long);
    ask(network, 2, without(4));
    for (const self of [0, 1, 2, 3, 4]) {
      network.stop(self);
      network.restart(self);
    }
    for (const self of [0, 1, 2, 3, 4]) expect(votersOf(network, self)).toEqual([0, 1, 2, 3]);
    write(network, 2);
    expect(network.violation).toBeUndefined();
  });

  it('is done once: a liar who proposes it again changes nothing', () => {
    const network = make({ n: 5, f: 1 });
    ask(network, 1, without(4));
    ask(network, 2, letIn(4));
    const group = groupOf({ n: 5, f: 1, digest: testDigest }, rules);
    const { validators, height } = network.state(0);
    const again = outcomeAt(group, validators, height, changeRequestOf(1, 1, without(4)));
    expect(again).toEqual({ refusal: 'the group stays as it is: this was decided before' });
    // What was refused is not done later either.
    ask(network, 3, letIn(4));
    const refused = network.state(0).validators;
    expect(outcomeAt(group, refused, height, changeRequestOf(1, 3, letIn(4))).refusal).toMatch(
      /decided before/,
    );
  });
});

describe('a set that cannot be', () => {
  const raw = (validators: readonly { member: number; weight: number }[]) =>
    encode(list(record({ member: integer(1023), weight: integer() }), 1024), validators);
  const equal = (...members: number[]) => raw(members.map((member) => ({ member, weight: 1 })));

  it.each<[string, Partial<Options>, Uint8Array, RegExp]>([
    ['nobody', { n: 5 }, equal(), /needs validators/],
    ['a zero', { n: 5 }, raw([{ member: 0, weight: 0 }]), /replica 0 weighs 0; a weight is/],
    [
      'more than can be counted',
      { n: 5 },
      raw([0, 1, 2, 3, 4].map((member) => ({ member, weight: 2 ** 47 }))),
      /weighs 140737488355328; a weight is a whole number from 1 to 100000/,
    ],
    [
      'too much together',
      { n: 5 },
      raw([0, 1, 2, 3, 4].map((member) => ({ member, weight: 99_999 }))),
      /weigh 499995; make that 100000 or less/,
    ],
    ['one twice', { n: 5 }, equal(0, 1, 1, 2, 3), /not in ascending order/],
    ['a stranger', { n: 5 }, equal(0, 1, 2, 3, 7), /replica 7 is not one of the 5 known/],
    ['fewer than f needs', { n: 4 }, equal(0, 1, 2), /3 cannot survive 1 that lie/],
    ['too many that leave', { n: 8 }, equal(0, 1, 2, 3, 4), /3 of 8 of the power would leave/],
    [
      'too many that come',
      { n: 8, initialMembers: '0,1,2,3' },
      equal(0, 1, 2, 3, 4, 5, 6),
      /3 of 7 of the power would be new/,
    ],
    [
      'one that outweighs f',
      { n: 5 },
      raw([0, 1, 2, 3, 4].map((member) => ({ member, weight: member === 0 ? 2 : 1 }))),
      /clients believe what 2 members say|weigh 2 of 6, which is no less/,
    ],
    [
      'many light ones',
      { n: 8, f: 1, weights: '3,3,3,3,3,3,3,3' },
      raw([0, 1, 2, 3, 4, 5, 6, 7].map((member) => ({ member, weight: member < 4 ? 3 : 2 }))),
      /clients believe what 2 members say, and of these 3 may lie/,
    ],
    ['what cannot be read', { n: 5 }, Uint8Array.of(0, 1), /cannot be read/],
    ['a group by hand', { n: 5, quorum: 4 }, without(4), /set by hand/],
    ['no operator', { n: 5, operators: `${firstClient}` }, without(4), /is none of its operators/],
    ['no seat', { n: 4, seats: 6 }, letIn(4), /replica 4 is not one of the 4 known/],
    ['a key for one who has one', { n: 5, seats: 6 }, seat(4), /do not tell its key/],
  ])('is refused with its reason: %s', (_, options, configuration, why) => {
    const group = groupOf({ n: 5, f: 1, digest: testDigest, ...options }, rules);
    const request = changeRequestOf(1, 1, configuration);
    const { refusal, next } = outcomeAt(group, [group.first.set], 7, request);
    expect(refusal).toMatch(why);
    expect(next?.validators ?? group.first.set.validators).toEqual(group.first.set.validators);
  });

  it('is no more than the last of so many', () => {
    const group = groupOf({ n: 5, f: 1, digest: testDigest }, rules);
    const sets = Array.from({ length: maxSets }, (_, i) => ({ ...group.first.set, since: i + 1 }));
    const { refusal, next } = outcomeAt(group, sets, 2000, changeRequestOf(1, 1, without(4)));
    expect([refusal, next]).toEqual([
      'the group stays as it is: it was changed 1023 times; make a cluster anew',
      undefined,
    ]);
  });

  it('is not even asked for', () => {
    for (const weight of [0, -1, 0.5, 100_001, Number.NaN]) {
      expect(() => encodeValidators([{ member: 0, weight }])).toThrow(ValidatorError);
      expect(() => encodeStep({ server: 0, becomes: 'voter', weight })).toThrow(ValidatorError);
    }
    const twice = [0, 0].map((member) => ({ member, weight: 1 }));
    for (const wrong of [[], twice, [{ member: 1024, weight: 1 }]])
      expect(() => encodeValidators(wrong)).toThrow(ValidatorError);
  });
});

const seat = (server: number) =>
  encodeStep({ server, becomes: 'learner', about: Uint8Array.of(1, 2, 3) });

/** After n3 has left at height 3: what replica 1 hears of height `height`. */
function afterLeaving(): Network {
  const network = make({ n: 5, f: 1 });
  ask(network, 1, without(3));
  for (const self of [0, 2, 3, 4]) network.stop(self);
  return network;
}

describe('B-54: a stale configuration', () => {
  const vote = { kind: 'prevote', round: 0, value: idOf(batchOf(9)), validRound: null } as const;
  const prevotes = (network: Network) =>
    [...(network.state(1).heard.get(0)?.prevotes.votes.keys() ?? [])].sort();

  it('has no vote: neither of who has left, nor of one who names an earlier set', () => {
    const network = afterLeaving();
    const { height } = network.state(1);
    network.inject(3, 1, { ...vote, height, set: 3 });
    network.inject(0, 1, { ...vote, height, set: 1 });
    network.inject(2, 1, { ...vote, height, set: height + 2 });
    expect(prevotes(network)).toEqual([]);
    network.inject(4, 1, { ...vote, height, set: 3 });
    expect(prevotes(network)).toEqual([4]);
  });

  it('makes no certificate, whole as it may be by its own count', () => {
    const network = afterLeaving();
    const { height } = network.state(1);
    const batch = batchOf(9);
    const told = (set: number, signers: readonly number[]): Decision => {
      const body: Precommit = { kind: 'precommit', height, round: 0, set, value: idOf(batch) };
      const seals = signers.map((from) => network.sign(body, from));
      return { kind: 'decision', commit: certify<Precommit>(body, seals), batch };
    };
    const polka = (set: number, signers: readonly number[]) => {
      const body: Prevote = { ...vote, height, set };
      return certify<Prevote>(
        body,
        signers.map((from) => network.sign(body, from)),
      );
    };
    for (const [set, signers] of [
      [1, [0, 1, 2, 3]],
      [1, [0, 1, 2, 4]],
      [3, [0, 2, 3]],
      [3, [0, 2]],
      [height + 2, [0, 2, 4]],
    ] as const) {
      network.inject(4, 1, told(set, signers));
      network.inject(4, 1, { kind: 'polka', polka: polka(set, signers) });
      expect([network.state(1).height, network.state(1).heard.size]).toEqual([height, 0]);
    }
    network.inject(3, 1, told(3, [0, 2, 4]));
    expect(network.state(1).height).toBe(height + 1);
  });
});

describe('whoever comes with nothing', () => {
  /** Five became four and five again, and what was decided first is let go of. */
  function changed(): Network {
    const network = make({ n: 5, f: 1, checkpointEvery: 2, window: 2 });
    network.stop(4);
    ask(network, 1, without(3));
    write(network, 4);
    ask(network, 2, letIn(3));
    write(network, 6, 200);
    expect(network.state(0).commits.has(1)).toBe(false);
    return network;
  }

  it('is shown set after set, and then believes the state that the last one has signed', () => {
    const network = changed();
    network.restart(4);
    network.run(long, () => network.state(4).height === network.state(0).height);
    expect(network.state(4).validators).toEqual(network.state(0).validators);
    expect(network.lines.has('show-sets')).toBe(true);
    expect(network.seat(4).state).toBe(network.seat(0).state);
    // And can show them to the next one.
    expect([...network.state(4).changes.keys()]).toEqual([...network.state(0).changes.keys()]);
  });

  it('believes no state of a set that it was not shown, and no set but by the one before', () => {
    const network = changed();
    network.restart(4);
    network.drop();
    const { stableCheckpoint, changes } = network.state(0);
    if (stableCheckpoint === null) throw new Error('there is a stable checkpoint');
    network.inject(0, 4, { kind: 'stable-checkpoint', checkpoint: stableCheckpoint });
    expect(network.state(4).stableCheckpoint).toBeNull();
    const [first, second] = [...changes.values()];
    if (first === undefined || second === undefined) throw new Error('there are two changes');
    // The second one does not follow from the first set, and the first one with a vote too few.
    network.inject(0, 4, { kind: 'decision', ...second });
    const { body, seals } = first.commit;
    const few = { body, seals: seals.slice(0, 3) };
    network.inject(0, 4, { kind: 'decision', batch: first.batch, commit: few });
    // Nor does a liar's own state count.
    const own = checkpoint(8);
    const forged = certify(own, [network.sign(own, 0)]);
    network.inject(0, 4, { kind: 'stable-checkpoint', checkpoint: forged });
    expect([network.state(4).validators.length, network.state(4).stableCheckpoint]).toEqual([
      1,
      null,
    ]);
    for (const decided of [first, second]) network.inject(1, 4, { kind: 'decision', ...decided });
    network.inject(1, 4, { kind: 'stable-checkpoint', checkpoint: stableCheckpoint });
    expect(network.state(4).stableCheckpoint).toEqual(stableCheckpoint);
  });

  it('is told of a seat by the log, and nobody takes its number', () => {
    const network = make({ n: 4, f: 1, seats: 6 });
    for (const self of [4, 5]) network.stop(self);
    ask(network, 1, seat(4));
    const about = Uint8Array.of(1, 2, 3);
    expect(network.seat(0).machine.roster?.()).toMatchObject({
      voters: [0, 1, 2, 3],
      learners: [4],
      seats: [{ member: 4, about }],
    });
    network.restart(4);
    ask(network, 2, letIn(4));
    expect(votersOf(network, 4)).toEqual([0, 1, 2, 3, 4]);
    const other = encodeStep({ server: 4, becomes: 'learner', about: Uint8Array.of(9) });
    const { validators, height } = network.state(0);
    const group = groupOf({ n: 4, f: 1, seats: 6, digest: testDigest }, rules);
    expect(outcomeAt(group, validators, height, changeRequestOf(1, 9, other)).refusal).toMatch(
      /a number is never given twice/,
    );
  });

  it('asks with the newest set that it knows', () => {
    const network = changed();
    const { sends } = network.wouldAnswer(3, 0, status({ height: 1, set: 1 }));
    const shown = sends.flatMap(({ message }) =>
      message.kind === 'decision' ? [message.commit.body.height] : [],
    );
    expect(shown).toEqual([...network.state(0).changes.keys()]);
  });
});
