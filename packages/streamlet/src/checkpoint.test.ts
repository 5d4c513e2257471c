/** What is let go once a state is certified, and how one comes back whose blocks are gone. */
import { requestOf } from '@quorumlab/protocol-testing';
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
} from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import type { Block, Checkpoint } from './messages.ts';

const other = 'c'.repeat(64);

/** A network in which replica 0 has seen `length` notarized blocks: all but the last are final. */
function after(length: number, more: Parameters<typeof make>[0] = {}): Network {
  const network = make(more);
  for (const each of chainOf(length)) network.inject(1, 0, notarized(network, each));
  return network;
}

/** What replica 0 itself says of the state after `height`. */
function ownAt(network: Network, height: number): Checkpoint {
  const taken = network.state(0).checkpoints.get(height);
  if (taken === undefined) throw new Error(`no checkpoint at ${height}`);
  return { kind: 'checkpoint', ...taken.ref, state: taken.state };
}

/** Makes it stable, by three others. */
function settleAt(network: Network, height: number): void {
  const own = ownAt(network, height);
  for (const from of [1, 2, 3]) network.inject(from, 0, own);
}

describe('a checkpoint', () => {
  it('is said where one is due, once its state is on disk', () => {
    const network = after(5);
    expect(ownAt(network, 4)).toMatchObject({ epoch: 4, height: 4, id: network.state(0).final.id });
    expect(network.state(0).snapshot).toEqual(network.state(0).final);
    const digest = 'd'.repeat(64);
    const taken = (slot: number) => {
      const { sends, writes } = after(7).wouldDo(0, { type: 'snapshot-taken', slot, digest });
      return [sends.length, writes.map((each) => each.type)];
    };
    // Between two that are due, and before what is on disk.
    expect([taken(4), taken(3), taken(2)]).toEqual([
      [0, ['save']],
      [0, []],
      [0, []],
    ]);
    const between = after(7);
    between.input(0, { type: 'snapshot-taken', slot: 4, digest });
    expect(between.state(0).snapshot).toMatchObject({ epoch: 5, height: 5 });
  });

  it('is stable once a quorum says the same of one height', () => {
    const network = after(5);
    const own = ownAt(network, 4);
    for (const [from, part] of [
      [1, { state: other }],
      [2, { id: other }],
      [3, { epoch: 3 }],
    ] as const)
      network.inject(from, 0, { ...own, ...part });
    expect(network.state(0).stableCheckpoint).toBeNull();
    const good = after(5);
    for (const from of [1, 2]) good.inject(from, 0, own);
    good.inject(4, 0, own);
    expect(good.state(0).stableCheckpoint).toBeNull();
    good.inject(3, 0, own);
    expect(good.state(0).stableCheckpoint?.body).toEqual(own);
    expect(good.state(0).checkpoints.size).toBe(0);
    // It says nothing more of what is stable.
    const { writes } = good.wouldAnswer(1, 0, checkpoint(4, { state: other }));
    expect(writes).toEqual([]);
  });

  it('of a height that is on its way here counts only with its blocks', () => {
    const fetched = (length: number): number => {
      const network = after(length);
      for (const from of [1, 2, 3]) network.inject(from, 0, checkpoint(8));
      return network.seat(0).fetches.length;
    };
    expect([fetched(1), fetched(5), fetched(6), fetched(8)]).toEqual([1, 1, 0, 0]);
  });

  it('lets go of what came before the one before it, and of no later words', () => {
    const network = after(9);
    for (const from of [1, 2]) network.inject(from, 0, checkpoint(12));
    settleAt(network, 4);
    const kept = () => [...network.state(0).blocks.keys()].sort((a, b) => a - b);
    expect(kept()[0]).toBe(1);
    settleAt(network, 8);
    expect(kept()).toEqual([4, 5, 6, 7, 8, 9]);
    expect(Math.min(...network.state(0).notarized.keys())).toBe(4);
    expect(network.state(0).checkpoints.size).toBe(0);
    const votes = network.state(0).checkpointVotes;
    expect([1, 2, 3].map((from) => votes.get(from)?.map(({ height }) => height))).toEqual([
      ...[[12], [12], []],
    ]);
  });
});

describe('the window', () => {
  it('ends what becomes final, and who votes, until the next checkpoint is stable', () => {
    const votes = (length: number, settled: readonly number[] = []): number => {
      const network = after(length, { window: 8 });
      for (const height of settled) settleAt(network, height);
      const next = above(chainOf(length).at(-1) as Block);
      // Whoever leads it would vote as it proposes.
      if (leader(next.epoch) === 0) return -1;
      const { sends } = network.wouldAnswer(leader(next.epoch), 0, proposal(next));
      return sends.filter(({ message }) => message.kind === 'vote').length;
    };
    const lengths = [5, 6, 7, 8].filter((length) => leader(length + 1) !== 0);
    for (const length of lengths) expect(votes(length), `${length}`).toBe(1);
    for (const length of [9, 10, 11].filter((each) => leader(each + 1) !== 0)) {
      expect(votes(length), `${length}`).toBe(0);
      expect(votes(length, [4]), `${length}, settled`).toBe(1);
    }
    const far = after(12, { window: 8 });
    expect(far.state(0).final.height).toBe(8);
    settleAt(far, 4);
    expect(far.state(0).final.height).toBe(11);
  });
});

describe('a state', () => {
  it('that was fetched takes the place of the blocks below it', () => {
    const network = make();
    network.input(0, { type: 'propose', command: requestOf(1, 1) });
    for (const each of chainOf(2)) network.inject(1, 0, notarized(network, each));
    network.inject(1, 0, stable(network, 8));
    expect(network.seat(0).fetches.map(({ slot }) => slot)).toEqual([7]);
    network.seat(0).applied = 8;
    network.drop();
    const { state: digest } = checkpoint(8);
    network.input(0, { type: 'snapshot-installed', slot: 7, digest });
    const { epoch, height, id } = checkpoint(8);
    const now = network.state(0);
    expect([now.final, now.snapshot]).toEqual([
      { epoch, height, id },
      { epoch, height, id },
    ]);
    expect([now.epoch, now.waiting.size, now.fetching]).toEqual([9, 0, null]);
    expect(now.blocks.size + now.notarized.size).toBeLessThan(4);
    const told = network.flights.filter(({ to }) => to === 1).map(({ message }) => message);
    expect(told).toContainEqual(expect.objectContaining({ kind: 'clock', final: 8, stable: 8 }));
    // The blocks above it become final as ever.
    const parent = { epoch: 8, id };
    const next = block(9, { height: 9, parent });
    for (const each of [next, above(next)]) network.inject(1, 0, notarized(network, each));
    expect(network.state(0).final.height).toBe(9);
  });

  it('that is not the one that was asked for is asked for again', () => {
    const network = make();
    network.inject(1, 0, stable(network, 8));
    const digest = checkpoint(8).state;
    for (const slot of [3, 6, 8]) {
      const { fetches, writes } = network.wouldDo(0, { type: 'snapshot-installed', slot, digest });
      expect([fetches.map((each) => each.slot), writes]).toEqual([[7], []]);
    }
    const idle = make();
    const { sends, writes } = idle.wouldDo(0, { type: 'snapshot-installed', slot: 7, digest });
    expect([sends, writes]).toEqual([[], []]);
  });

  it('is fetched once, and once more where a later one is stable', () => {
    const network = make();
    network.inject(1, 0, stable(network, 8));
    network.inject(2, 0, stable(network, 8));
    network.inject(2, 0, stable(network, 12));
    expect(network.seat(0).fetches.map(({ slot }) => slot)).toEqual([7, 11]);
    network.restart(0);
    expect(network.seat(0).fetches.map(({ slot }) => slot)).toEqual([11]);
    // Whoever has it all fetches nothing.
    const whole = after(5);
    settleAt(whole, 4);
    expect(whole.seat(0).fetches).toEqual([]);
  });
});

describe('the longest chain', () => {
  it('is the highest that was seen, and of two the one of the later epoch', () => {
    const network = make();
    const [first, second] = chainOf(2) as [Block, Block];
    const tipAfter = (...blocks: readonly Block[]) => {
      const at = make();
      for (const each of blocks) at.inject(1, 0, clock({ tip: notarizationOf(at, each) }));
      const { tip } = at.state(0);
      at.restart(0);
      expect(at.state(0).tip?.body).toEqual(tip?.body);
      return [tip?.body.epoch, tip?.body.height];
    };
    const late = block(5);
    expect(tipAfter(second, first)).toEqual([2, 2]);
    expect(tipAfter(first, second)).toEqual([2, 2]);
    expect(tipAfter(second, late)).toEqual([2, 2]);
    expect(tipAfter(first, late)).toEqual([5, 1]);
    expect(tipAfter(late, first)).toEqual([5, 1]);
    expect(network.state(follower(1)).tip).toBeNull();
  });
});
