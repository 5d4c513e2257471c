/** Who votes, and how that changes: by commits, from the next block on, by nobody's word. */
import { certify, encodeValidators, firstClient, maxSets } from '@quorumlab/core';
import { changeRequestOf, requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { make } from '../test/group.ts';
import { batchOf, hashOf, proposal, status } from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import { groupOf, type Options } from './group.ts';
import { encodeStep, rulesNames } from './index.ts';
import { outcomeAt } from './membership.ts';
import type { Block, EpochChange, Vote } from './messages.ts';

const long = 60_000_000;
const without = (server: number) => encodeStep({ server, becomes: 'none' });
const letIn = (server: number) => encodeStep({ server, becomes: 'voter' });

const up = (network: Network): number[] =>
  network.protocol.members.filter((self) => network.seat(self).up);

/** Asks everybody for it, and waits until the next epoch has begun at all that are up. */
function ask(network: Network, sequence: number, configuration: Uint8Array): void {
  const command = changeRequestOf(1, sequence, configuration);
  for (const self of network.protocol.members) network.input(self, { type: 'propose', command });
  network.run(long, () => up(network).every((self) => isSettled(network, self, sequence)));
}

function isSettled(network: Network, self: number, sequence: number): boolean {
  const { validators, committed, base } = network.state(self);
  return validators.at(-1)?.asked?.sequence === sequence && committed.height > base.height;
}

function write(network: Network, count: number, from = 100): void {
  for (let i = from; i < from + count; i++) {
    for (const self of network.protocol.members)
      network.input(self, { type: 'propose', command: requestOf(0, i) });
    network.run(long, () => network.executed.has(`${firstClient}/${i}`));
  }
}

const votersOf = (network: Network, self: number) => network.state(self).voters.members;

describe.each(rulesNames)('a change by the rules of %s', (rules) => {
  it('is committed by those who vote, and the next epoch begins alike at all', () => {
    const network = make({ n: 5, f: 1, rules, initialMembers: '0,1,2,3' });
    ask(network, 1, letIn(4));
    const { base } = network.state(0);
    for (const self of [0, 1, 2, 3, 4]) {
      const { validators, changes, ...state } = network.state(self);
      expect([state.base, validators.map(({ since }) => since)]).toEqual([
        base,
        [1, base.height + 1],
      ]);
      expect(changes.get(base.height)?.commit.seals.map(({ from }) => from)).not.toContain(4);
      expect(network.seat(self).machine.roster?.()).toMatchObject({
        voters: [0, 1, 2, 3, 4],
        settled: true,
      });
    }
    // Four of the five have to vote now.
    network.stop(0);
    network.stop(1);
    const { height } = network.state(2).committed;
    const command = requestOf(0, 1);
    for (const self of [2, 3, 4]) network.input(self, { type: 'propose', command });
    network.run(5_000_000);
    expect(network.state(2).committed.height).toBe(height);
    network.restart(1);
    network.run(long, () => network.executed.has(`${firstClient}/1`));
    expect(network.executed.has(`${firstClient}/1`)).toBe(true);
    expect(network.violation).toBeUndefined();
  });

  it('takes the vote of who leaves, who listens on and can come back', () => {
    const network = make({ n: 5, f: 1, rules });
    write(network, 2);
    ask(network, 1, without(0));
    expect(votersOf(network, 1)).toEqual([1, 2, 3, 4]);
    expect(network.seat(0).machine.roster?.()).toMatchObject({ left: [0], settled: true });
    write(network, 3, 200);
    const { base, lastVoted, lastProposed, committed } = network.state(0);
    expect([lastVoted, lastProposed]).toEqual([base.view, base.view]);
    expect(committed.height).toBeGreaterThan(base.height + 2);
    ask(network, 2, letIn(0));
    expect(votersOf(network, 0)).toEqual([0, 1, 2, 3, 4]);
    write(network, 2, 300);
    expect(network.violation).toBeUndefined();
  });

  it('is shown to whoever comes with nothing, set after set, and then the state', () => {
    const network = make({ n: 5, f: 1, rules, checkpointEvery: 2, window: 6 });
    network.stop(4);
    ask(network, 1, without(3));
    write(network, 4);
    ask(network, 2, letIn(3));
    write(network, 6, 200);
    expect(network.state(0).blocks.has(1)).toBe(false);
    network.restart(4);
    const at = (self: number) => network.state(self).committed.height;
    network.run(long, () => at(4) === at(0));
    expect(network.state(4).validators).toEqual(network.state(0).validators);
    expect(network.lines.has('show-sets')).toBe(true);
    expect(network.seat(4).state).toBe(network.seat(0).state);
    // And can show them to the next one.
    expect([...network.state(4).changes]).toEqual([...network.state(0).changes]);
  });

  it('is known after all have restarted, also one that was refused', () => {
    const network = make({ n: 5, f: 1, rules });
    ask(network, 1, without(4));
    ask(network, 2, without(3));
    expect(network.state(0).validators).toHaveLength(3);
    for (const self of [0, 1, 2, 3, 4]) {
      network.stop(self);
      network.restart(self);
    }
    for (const self of [0, 1, 2, 3, 4]) expect(votersOf(network, self)).toEqual([0, 1, 2, 3]);
    write(network, 2);
    expect(network.violation).toBeUndefined();
  });
});

describe('the last block of an epoch', () => {
  it('is a change and nothing else', () => {
    const network = make({ n: 5, f: 1 });
    const batch = [requestOf(0, 1), changeRequestOf(1, 1, without(4))];
    const block: Block = { set: 1, view: 1, height: 1, parent: '0'.repeat(64), batch };
    network.inject(0, 2, proposal({ block, justify: null }));
    expect(network.state(2).lastVoted).toBe(0);
  });

  it('has empty blocks behind it, which nobody commits', () => {
    const network = make({ n: 5, f: 1, rules: 'chained' });
    const configuration = without(4);
    for (const self of [0, 1, 2, 3, 4]) {
      const command = changeRequestOf(1, 1, configuration);
      network.input(self, { type: 'propose', command });
      network.input(self, { type: 'propose', command: requestOf(0, 1) });
    }
    network.run(long, () => up(network).every((self) => network.state(self).base.height > 0));
    for (const self of [0, 1, 2, 3, 4]) {
      const { base, changes } = network.state(self);
      expect(changes.get(base.height)?.views).toEqual([base.view + 1, base.view + 2]);
    }
    network.run(long, () => network.executed.has(`${firstClient}/1`));
    expect(network.violation).toBeUndefined();
  });

  it('gets no vote for a block behind it that is not empty', () => {
    const network = make({ n: 5, f: 1 });
    const parent: Block = {
      ...{ set: 1, view: 1, height: 1, parent: '0'.repeat(64) },
      batch: [changeRequestOf(1, 1, without(4))],
    };
    network.inject(0, 2, proposal({ block: parent, justify: null }));
    const body: Vote = { kind: 'vote', set: 1, view: 1, block: hashOf(parent), justifyView: 0 };
    const justify = certify<Vote>(
      body,
      [0, 1, 2, 3].map((from) => network.sign(body, from)),
    );
    const place = { set: 1, view: 2, height: 2, parent: hashOf(parent) };
    network.inject(0, 2, proposal({ block: { ...place, batch: batchOf(1) }, justify }));
    expect(network.state(2).lastVoted).toBe(1);
    network.inject(0, 3, proposal({ block: parent, justify: null }));
    network.inject(0, 3, proposal({ block: { ...place, batch: [] }, justify }));
    expect(network.state(3).lastVoted).toBe(2);
  });
});

describe('a set that cannot be', () => {
  const equal = (...members: number[]) =>
    encodeValidators(members.map((member) => ({ member, weight: 1 })));

  it.each<[string, Partial<Options>, Uint8Array, RegExp]>([
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
      'weights',
      { n: 4 },
      encodeStep({ server: 3, becomes: 'voter', weight: 2 }),
      /replica 3 weighs 2; here each validator weighs 1/,
    ],
    [
      'leaders in a row',
      { n: 5, rules: 'chained', leaders: 'round-robin' },
      without(4),
      /need 4 live leaders in a row/,
    ],
    ['what cannot be read', { n: 5 }, Uint8Array.of(0, 1), /cannot be read/],
    ['a group by hand', { n: 5, quorum: 4 }, without(4), /set by hand/],
    ['no operator', { n: 5, operators: `${firstClient}` }, without(4), /is none of its operators/],
    ['no seat', { n: 4, seats: 6 }, letIn(4), /replica 4 is not one of the 4 known/],
  ])('is refused with its reason: %s', (_, options, configuration, why) => {
    const group = groupOf({ n: 5, f: 1, digest: testDigest, ...options }, {});
    const request = changeRequestOf(1, 1, configuration);
    const { refusal, next } = outcomeAt(group, [group.first], 7, request);
    expect(refusal).toMatch(why);
    expect(next?.validators ?? group.first.validators).toEqual(group.first.validators);
  });

  it('is no more than the last of so many, and nothing is decided twice', () => {
    const group = groupOf({ n: 5, f: 1, digest: testDigest }, {});
    const sets = Array.from({ length: maxSets }, (_, i) => ({ ...group.first, since: i + 1 }));
    const request = changeRequestOf(1, 1, without(4));
    expect(outcomeAt(group, sets, 2000, request).refusal).toMatch(/changed 1023 times/);
    const { next } = outcomeAt(group, [group.first], 7, request);
    const both = [group.first, next ?? group.first];
    expect(outcomeAt(group, both, 9, request).refusal).toMatch(/decided before/);
  });
});

describe('B-54: a stale configuration', () => {
  /** n3 has left, and replica 1 hears of the next views what it is told. */
  function left(): Network {
    const network = make({ n: 5, f: 1, reign: 64 });
    ask(network, 1, without(3));
    network.deliver();
    for (const self of [0, 2, 3, 4]) network.stop(self);
    return network;
  }

  it('has no certificate, no vote and no timeout in the next epoch', () => {
    const network = left();
    const { voters, view, high } = network.state(1);
    const block = 'a'.repeat(64);
    const qc = (set: number, signers: readonly number[]) => {
      const body: Vote = { kind: 'vote', set, view: view + 1, block, justifyView: view };
      return certify<Vote>(
        body,
        signers.map((from) => network.sign(body, from)),
      );
    };
    for (const [set, signers] of [
      [1, [0, 1, 2, 3]],
      [1, [0, 1, 2, 4]],
      [voters.set, [0, 2, 3]],
      [voters.set, [0, 2]],
      [voters.set + 1, [0, 2, 4]],
    ] as const) {
      network.inject(4, 1, { kind: 'new-view', justify: qc(set, signers), timeouts: null });
      expect(network.state(1).high).toEqual(high);
    }
    const timeout = { kind: 'timeout', view: 63, highView: 0 } as const;
    for (const [from, set] of [
      [0, 1],
      [2, voters.set + 1],
      [3, voters.set],
    ] as const)
      network.inject(from, 1, { ...timeout, set });
    expect(network.state(1).timeoutVotes.size).toBe(0);
    network.inject(4, 1, { ...timeout, set: voters.set });
    expect([...network.state(1).timeoutVotes.keys()]).toEqual([4]);
    const justify = qc(voters.set, [0, 2, 4]);
    network.inject(3, 1, { kind: 'new-view', justify, timeouts: null });
    expect(network.state(1).high).toEqual(justify);
  });

  it('is helped: who speaks of an earlier set is shown the next ones, and who lags asks', () => {
    const network = left();
    const { voters } = network.state(1);
    network.now += long;
    const timeout = { kind: 'timeout', set: 1, view: 63, highView: 0 } as const;
    const kinds = (set: number) =>
      network
        .wouldAnswer(0, 1, { ...timeout, set })
        .sends.map(({ to, message }) => [to, message.kind]);
    expect(kinds(1)).toEqual([[0, 'epoch-change']]);
    expect(kinds(voters.set + 1)).toEqual([[0, 'status']]);
    const { sends } = network.wouldAnswer(2, 1, status({ set: 1 }));
    expect(sends[0]?.message.kind).toBe('epoch-change');
  });

  it('shows no set that a quorum of the one before has not committed', () => {
    const network = make({ n: 5, f: 1 });
    network.stop(4);
    ask(network, 1, without(3));
    const [change] = [...network.state(0).changes.values()] as [EpochChange];
    const { block, views, commit } = change;
    network.restart(4);
    network.drop();
    const show = (shown: EpochChange) => {
      network.inject(0, 4, { kind: 'epoch-change', ...shown });
      return network.state(4).validators.length;
    };
    const vote: Vote = { ...commit.body, view: block.view, block: hashOf(block), justifyView: 0 };
    const qc = (body: Vote, signers = [0, 1, 2, 3]) =>
      certify<Vote>(
        body,
        signers.map((from) => network.sign(body, from)),
      );
    // Certified and not committed; with a vote too few; with other views, or of another block.
    expect(show({ block, views: [], commit: qc(vote) })).toBe(1);
    expect(show({ block, views, commit: { ...commit, seals: commit.seals.slice(1) } })).toBe(1);
    expect(show({ block, views: [block.view + 2], commit })).toBe(1);
    const other = { ...block, batch: [changeRequestOf(1, 2, without(2))] };
    expect(show({ block: other, views, commit })).toBe(1);
    expect(show({ block: { ...block, batch: batchOf(1) }, views, commit })).toBe(1);
    expect(show(change)).toBe(2);
  });
});
