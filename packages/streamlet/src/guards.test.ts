/** What is listened to: what could come to something passes, once, and all else changes nothing. */
import { range } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  above,
  block,
  chainOf,
  checkpoint,
  clock,
  follower,
  leader,
  notarizationOf,
  notarized,
  proposal,
  stable,
  voteFor,
} from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import { isQuorum } from './chain.ts';
import { groupOf, leaderOf } from './group.ts';
import type { Block, Message } from './messages.ts';
import { rules } from './rules.ts';
import { maxEpochsAhead, maxEpochsBehind } from './state.ts';

/** A quarter of an epoch: how often one is answered, and asked. */
const quarter = 250_000;
const unsigned = [{ ...requestOf(1, 1), from: 2 }];

/**
 * Whether `self` would look at the signatures of what `from` says. What it refuses then does
 * nothing, should its handler meet it all the same.
 */
function passes(network: Network, self: number, from: number, message: Message): boolean {
  const may = network.seat(self).machine.admits?.(network.sign(message, from), network.now);
  if (may !== false) return true;
  const { sends, writes, decisions, accusations } = network.wouldAnswer(from, self, message);
  expect({ sends, writes, decisions, accusations }).toEqual({
    ...{ sends: [], writes: [], decisions: [], accusations: [] },
  });
  return false;
}

/** Brings `self` into `epoch`. */
function enter(network: Network, self: number, epoch: number): void {
  for (const from of [0, 1, 2, 3].filter((each) => each !== self))
    network.inject(from, self, clock({ over: epoch - 1 }));
  expect(network.state(self).epoch).toBe(epoch);
}

describe('a proposal passes', () => {
  it('if it is of the leader of its epoch, and its parent is of an earlier one', () => {
    const network = make();
    const self = follower(1);
    const [first, second] = chainOf(2) as [Block, Block];
    const id = second.parent.id;
    for (const [epoch, message, may] of [
      [1, proposal(first), true],
      [0, proposal(block(0)), false],
      [1, proposal(block(1, { height: 0 })), false],
      [1, proposal(block(1, { parent: { epoch: 1, id } })), false],
      [2, proposal(second), true],
      [2, proposal(block(2, { parent: { epoch: 1, id } })), true],
    ] as const)
      expect([epoch, passes(network, self, leader(epoch), message)]).toEqual([epoch, may]);
    for (const other of [0, 1, 2, 3].filter((each) => each !== leader(1)))
      expect(passes(network, self, other, proposal(first))).toBe(false);
  });

  it('with the votes of a quorum for its parent, or with none', () => {
    const network = make();
    const self = follower(2);
    const [first, second] = chainOf(2) as [Block, Block];
    const other = block(1, { batch: [] });
    const of = (each: Block, signers?: number[]) => notarizationOf(network, each, signers);
    for (const [votes, may] of [
      [of(first), true],
      [of(first, [1, 2, 3]), true],
      [of(first, [0, 1]), false],
      [of(other), false],
    ] as const)
      expect(passes(network, self, leader(2), proposal(second, votes))).toBe(may);
    const sameId = { ...of(first), body: { ...voteFor(first), epoch: 0 } };
    expect(passes(network, self, leader(2), proposal(second, sameId))).toBe(false);
  });

  it('once, unless it differs', () => {
    const network = make();
    const self = follower(1);
    network.inject(leader(1), self, proposal(block(1)));
    expect(passes(network, self, leader(1), proposal(block(1)))).toBe(false);
    expect(passes(network, self, leader(1), proposal(block(1, { batch: [] })))).toBe(true);
    expect(passes(network, self, leader(2), proposal(block(2)))).toBe(true);
  });

  it('of an epoch that is near, and of any other for the votes beside it', () => {
    const network = make();
    const self = 0;
    enter(network, self, 20);
    const from = (epoch: number) => passes(network, self, leader(epoch), proposal(block(epoch)));
    const [oldest, latest] = [20 - maxEpochsBehind, 20 + maxEpochsAhead];
    expect([oldest - 1, oldest, latest, latest + 1].map(from)).toEqual([false, true, true, false]);
    const far = above(block(1), { epoch: latest + 1 });
    const votes = notarizationOf(network, block(1));
    expect(passes(network, self, leader(far.epoch), proposal(far, votes))).toBe(true);
    network.inject(leader(far.epoch), self, proposal(far, votes));
    expect(network.state(self).notarized.size).toBe(1);
    expect(passes(network, self, leader(far.epoch), proposal(far, votes))).toBe(false);
  });
});

describe('a vote passes', () => {
  it('once, unless it differs, in an epoch that is near', () => {
    const network = make();
    const self = 0;
    enter(network, self, 20);
    const say = (epoch: number, from = 1) => passes(network, self, from, voteFor(block(epoch)));
    const [oldest, latest] = [20 - maxEpochsBehind, 20 + maxEpochsAhead];
    expect([oldest - 1, oldest, latest, latest + 1].map((epoch) => say(epoch))).toEqual([
      ...[false, true, true, false],
    ]);
    network.inject(1, self, voteFor(block(20)));
    expect([say(20), say(21), say(20, 2)]).toEqual([false, true, true]);
    for (const other of [voteFor(block(20), { height: 2 }), voteFor(block(20, { batch: [] }))])
      expect(passes(network, self, 1, other)).toBe(true);
  });

  it('of a member, and a quorum of these notarizes', () => {
    const network = make();
    const self = 0;
    const vote = voteFor(block(1));
    for (const from of [1, 2]) network.inject(from, self, vote);
    expect(network.state(self).notarized.size).toBe(0);
    network.inject(4, self, vote);
    expect(network.state(self).notarized.size).toBe(0);
    network.inject(3, self, voteFor(block(1), { height: 2 }));
    expect(network.state(self).notarized.size).toBe(0);
    const other = make();
    for (const from of [1, 2, 3]) other.inject(from, self, vote);
    expect(
      other
        .state(self)
        .notarized.get(1)
        ?.seals.map(({ from }) => from),
    ).toEqual([1, 2, 3]);
  });
});

it('a quorum is named with each member once, and nobody else', () => {
  const network = make();
  const whole = groupOf({ n: 4, digest: testDigest }, rules);
  const body = voteFor(block(1));
  const named = (...members: number[]) =>
    isQuorum(whole, { body, seals: members.map((from) => network.sign(body, from)) });
  expect([named(0, 1, 2), named(0, 1, 2, 3), named(1, 2, 3)]).toEqual([true, true, true]);
  for (const members of [[], [0, 1], [0, 1, 1], [1, 0, 2], [1, 2, 4]])
    expect(named(...members), `${members}`).toBe(false);
});

it('who leads an epoch does not depend on which epochs were asked about before', () => {
  const whole = groupOf({ n: 7, digest: testDigest }, rules);
  for (const epoch of [...range(300), ...range(300).reverse(), 5, 69, 5, 2 ** 40])
    expect(whole.leaderOf(epoch), `${epoch}`).toBe(leaderOf(whole, epoch));
});

describe('a report passes', () => {
  it('if more is over for its sender than it had said, and not from oneself', () => {
    const network = make();
    const ask = (over: number, from = 1) => passes(network, 0, from, clock({ over }));
    expect([ask(0), ask(1), ask(1, 0)]).toEqual([false, true, false]);
    network.inject(1, 0, clock({ over: 3 }));
    expect([ask(3), ask(4), ask(3, 2)]).toEqual([false, true, true]);
    network.inject(1, 0, clock({ over: 2 }));
    expect(ask(3)).toBe(false);
  });

  it('if it proves that a block is notarized, which was not known', () => {
    const network = make();
    const told = (signers: number[], each = block(1)) =>
      passes(network, 0, 1, clock({ tip: notarizationOf(network, each, signers) }));
    expect([told([0, 1]), told([0, 1, 2])]).toEqual([false, true]);
    network.inject(1, 0, clock({ tip: notarizationOf(network, block(1)) }));
    expect(network.state(0).tip?.body.height).toBe(1);
    expect([told([1, 2, 3]), told([1, 2, 3], block(2))]).toEqual([false, true]);
  });

  it('if its sender has got further, as often as one asks', () => {
    const network = make();
    const ahead = () => passes(network, 0, 1, clock({ final: 5 }));
    expect(ahead()).toBe(true);
    expect(network.wouldAnswer(1, 0, clock({ final: 5 })).sends).toEqual([
      { to: 1, message: expect.objectContaining({ kind: 'clock', final: 0 }) },
    ]);
    network.inject(1, 0, clock({ final: 5 }));
    expect(ahead()).toBe(false);
    network.now += quarter - 1;
    expect(ahead()).toBe(false);
    network.now += 1;
    expect(ahead()).toBe(true);
  });

  it('if its sender lacks a block, as often as it is answered', () => {
    const network = make();
    const [first, second] = chainOf(2) as [Block, Block];
    for (const each of [first, second]) network.inject(1, 0, notarized(network, each));
    const tip = notarizationOf(network, first);
    const known = notarizationOf(network, second);
    const lacks = (message: Message, from = 2) => passes(network, 0, from, message);
    const echo = (message: Message) =>
      network
        .wouldAnswer(2, 0, message)
        .sends.flatMap(({ to, message: said }) =>
          said.kind === 'notarized' ? [[to, said.block.height]] : [],
        );
    expect(lacks(clock({ tip: known, final: 1 }))).toBe(false);
    expect(lacks(clock({ tip }))).toBe(true);
    // What is final at its sender it has.
    expect([echo(clock({ tip })), echo(clock({ tip, final: 1 }))]).toEqual([
      [
        [2, 1],
        [2, 2],
      ],
      [[2, 2]],
    ]);
    network.inject(2, 0, clock({ tip }));
    expect([lacks(clock({ tip })), lacks(clock({ tip }), 3)]).toEqual([false, true]);
    // Whoever has used the last answer gets the next one at once.
    expect(lacks(clock({ tip, final: 1 }))).toBe(true);
    network.now += quarter - 1;
    expect(lacks(clock({ tip }))).toBe(false);
    network.now += 1;
    expect(lacks(clock({ tip }))).toBe(true);
  });
});

describe('a notarized block passes', () => {
  it('if it is new, or that it is notarized, and a quorum has signed', () => {
    const network = make();
    const [first, second] = chainOf(2) as [Block, Block];
    const told = (message: Message) => passes(network, 0, 1, message);
    expect(told(notarized(network, first))).toBe(true);
    expect(told(notarized(network, first, [0, 1]))).toBe(false);
    const votes = notarizationOf(network, first);
    expect(told({ kind: 'notarized', block: second, notarization: votes })).toBe(false);
    expect(told(notarized(network, block(1, { batch: unsigned })))).toBe(false);
    network.inject(1, 0, clock({ tip: votes }));
    expect(told(notarized(network, first))).toBe(true);
    // Another block of the same epoch is not what they voted for.
    const other = block(1, { batch: [] });
    network.inject(1, 0, { kind: 'notarized', block: other, notarization: votes });
    expect(network.state(0).blocks.size).toBe(0);
    network.inject(1, 0, notarized(network, first));
    expect(told(notarized(network, first))).toBe(false);
    expect(network.state(0).blocks.get(1)?.block).toEqual(first);
  });

  it('if it is above what is final', () => {
    const network = make();
    const chain = chainOf(3);
    for (const each of chain) network.inject(1, 0, notarized(network, each));
    expect(network.state(0).final.height).toBe(2);
    const late = block(2, { batch: [] });
    expect(passes(network, 0, 1, notarized(network, late))).toBe(false);
    expect(passes(network, 0, 1, notarized(network, above(chain.at(-1) as Block)))).toBe(true);
  });
});

describe('a relay passes', () => {
  it('if it has something new that its client has signed', () => {
    const network = make();
    const relay = (...requests: ReturnType<typeof requestOf>[]): Message => ({
      ...{ kind: 'relay', requests },
    });
    const [one, other] = [requestOf(1, 1), requestOf(2, 1)];
    expect(passes(network, 0, 1, relay(one))).toBe(true);
    expect(passes(network, 0, 1, { kind: 'relay', requests: unsigned })).toBe(false);
    network.inject(1, 0, relay(one));
    expect(passes(network, 0, 1, relay(one))).toBe(false);
    expect(passes(network, 0, 1, relay(one, other))).toBe(true);
    expect([...network.state(0).waiting.values()].map(({ relayed }) => relayed)).toEqual([true]);
  });
});

describe('a checkpoint passes', () => {
  it('once, unless it differs, at a height at which one is taken', () => {
    const network = make();
    const told = (message: Message, from = 1) => passes(network, 0, from, message);
    expect([0, 1, 3, 4, 8].map((height) => told(checkpoint(height)))).toEqual([
      ...[false, false, false, true, true],
    ]);
    network.inject(1, 0, checkpoint(8));
    expect([told(checkpoint(8)), told(checkpoint(8), 2), told(checkpoint(4))]).toEqual([
      ...[false, true, true],
    ]);
    const other = 'c'.repeat(64);
    expect(told(checkpoint(8, { state: other }))).toBe(true);
    expect(told(checkpoint(8, { id: other }))).toBe(true);
  });

  it('as proven if a quorum has signed it, above the last one', () => {
    const network = make();
    const told = (message: Message) => passes(network, 0, 1, message);
    expect([stable(network, 8), stable(network, 8, [0, 1]), stable(network, 6)].map(told)).toEqual([
      ...[true, false, false],
    ]);
    network.inject(1, 0, stable(network, 8));
    expect(network.state(0).stableCheckpoint?.body.height).toBe(8);
    expect([stable(network, 8), stable(network, 4), stable(network, 12)].map(told)).toEqual([
      ...[false, false, true],
    ]);
    expect([4, 8, 12].map((height) => told(checkpoint(height)))).toEqual([false, false, true]);
  });

  it('counts with those of a quorum, and then what it proves is fetched from all', () => {
    const network = make();
    for (const from of [1, 2]) network.inject(from, 0, checkpoint(8));
    expect(network.wouldAnswer(3, 0, checkpoint(8, { state: 'c'.repeat(64) })).fetches).toEqual([]);
    const { fetches } = network.wouldAnswer(3, 0, checkpoint(8));
    expect(fetches).toEqual([
      { slot: 7, digest: checkpoint(8).state, holders: expect.arrayContaining([1, 2, 3]) },
    ]);
    expect(fetches[0]?.holders).toHaveLength(3);
  });

  it('is kept of each sender as long as the window may need it, the latest of it last', () => {
    const network = make();
    for (const height of [16, 4, 12, 8]) network.inject(1, 0, checkpoint(height));
    const kept = network
      .state(0)
      .checkpointVotes.get(1)
      ?.map(({ height }) => height);
    expect(kept).toEqual([8, 12, 16]);
  });
});
