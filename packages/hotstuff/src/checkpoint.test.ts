import { certify } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { hear, kindsOf, makeLong as make, stable } from '../test/group.ts';
import { chainOf, checkpoint, hashOf, strange } from '../test/messages.ts';
import { Network } from '../test/network.ts';
import { type Checkpoint, hotstuff } from './index.ts';
import type { Link } from './messages.ts';

const every = 4;
const lie: Checkpoint = {
  kind: 'checkpoint',
  set: 1,
  height: 4 * every,
  view: 4 * every,
  block: 'b'.repeat(64),
  state: 'c'.repeat(64),
};

describe('a stable checkpoint from another replica', () => {
  // Replica 3 may lie; f = 1.
  it.each([
    ['nobody', []],
    ['its sender alone', [3]],
  ])('that %s signed changes nothing', (_, signers) => {
    const network = new Network(hotstuff({ n: 4, digest: testDigest, checkpointEvery: every }));
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.deliver();
    const before = JSON.stringify(Object.entries(network.state(1)));
    const checkpoint = certify(
      lie,
      signers.map((self) => network.sign(lie, self)),
    );
    network.post(3, 1, { kind: 'stable-checkpoint', checkpoint });
    network.deliver();
    expect(JSON.stringify(Object.entries(network.state(1)))).toBe(before);
    expect(network.seat(1).fetches).toEqual([]);
    // The others' order goes on.
    network.input(0, { type: 'propose', command: requestOf(0, 1) });
    network.run(5_000_000, () => network.executed.size === 2 && network.seat(1).applied > 1);
    expect(network.executed.size).toBe(2);
  });

  it('that f+1 signed is believed: its state is asked for', () => {
    const network = new Network(hotstuff({ n: 4, digest: testDigest, checkpointEvery: every }));
    const signed = [2, 3].map((self) => network.sign(lie, self));
    network.post(3, 1, { kind: 'stable-checkpoint', checkpoint: certify(lie, signed) });
    network.deliver();
    expect(network.state(1).stableCheckpoint?.body.height).toBe(lie.height);
    expect(network.seat(1).fetches).toMatchObject([{ slot: lie.height - 1, digest: lie.state }]);
  });
});

const period = 500_000;

describe('a stable checkpoint, step by step,', () => {
  it('of f+1 members is followed: by blocks if they are near, and else by its state', () => {
    const network = make();
    const near = network.wouldAnswer(3, 2, stable(network, checkpoint(4)));
    expect(near).toMatchObject({ fetches: [], writes: [] });
    network.inject(3, 2, stable(network, checkpoint(4)));
    expect(network.state(2).ahead?.body.height).toBe(4);
    const far = network.wouldAnswer(3, 2, stable(network, checkpoint(8)));
    expect(far.fetches).toEqual([{ slot: 7, digest: strange('c'), holders: [0, 1, 3] }]);
    expect(far.writes).toMatchObject([
      { registers: { stableCheckpoint: { body: { height: 8 } } } },
      { type: 'drop', table: 'blocks', rows: { below: 9 } },
      { type: 'drop', table: 'checkpoints', rows: { below: 9 } },
    ]);
    // Blocks that do not come are no longer waited for.
    network.now += period;
    const late = network.wouldDo(2, { type: 'timeout', timer: 'status' });
    expect(late.fetches).toMatchObject([{ slot: 3 }]);
  });

  it.each<[string, Checkpoint, readonly number[]]>([
    ['between two', checkpoint(5), [0, 2]],
    ['of one member', checkpoint(8), [0]],
    ['that is none', checkpoint(0), [0, 2]],
  ])('%s changes nothing', (_, body, signers) => {
    const network = make();
    const { writes, fetches, timers } = network.wouldAnswer(
      3,
      2,
      stable(network, body, [...signers]),
    );
    expect([writes, fetches, timers]).toEqual([[], [], []]);
  });

  it('is made of the words of f+1 members for one state, by their leader for all', () => {
    const network = make();
    network.inject(2, 0, checkpoint(8));
    for (const other of [
      checkpoint(8, { state: strange('d') }),
      checkpoint(8, { block: strange('d') }),
      checkpoint(8, { view: 9 }),
      checkpoint(4),
    ]) {
      expect(network.wouldAnswer(3, 0, other).sends).toEqual([]);
      expect(network.wouldAnswer(2, 0, other).sends).toEqual([]);
    }
    const { sends } = network.wouldAnswer(3, 0, checkpoint(8));
    const whole = stable(network, checkpoint(8), [2, 3]);
    expect(sends).toEqual([1, 2, 3].map((to) => ({ to, message: whole })));
    network.inject(2, 1, checkpoint(8));
    expect(kindsOf(network.wouldAnswer(3, 1, checkpoint(8)))).toEqual([]);
    const lie = network.wouldAnswer(2, 0, checkpoint(8, { state: strange('d') }));
    expect(lie.accusations).toMatchObject([{ second: { from: 2 } }]);
    expect(network.wouldAnswer(2, 0, checkpoint(8)).accusations).toEqual([]);
  });

  it('is not made of words about what is no checkpoint, or stable already', () => {
    const network = make();
    const kept = () =>
      network
        .state(0)
        .checkpointVotes.get(2)
        ?.map(({ height }) => height);
    for (const height of [5, 0]) network.inject(2, 0, checkpoint(height));
    expect(kept()).toBeUndefined();
    for (const height of [16, 4, 12, 8]) network.inject(2, 0, checkpoint(height));
    expect(kept()).toEqual([4, 8, 12, 16]);
    network.inject(3, 0, stable(network, checkpoint(8), [1, 3]));
    expect(kept()).toEqual([12, 16]);
    network.inject(2, 0, checkpoint(8));
    expect(kept()).toEqual([12, 16]);
    for (let i = 5; i < 40; i++) network.inject(2, 0, checkpoint(4 * i));
    expect(kept()).toHaveLength((2 * 16) / 4 + 1);
  });

  it('is said to the leader when the state is on the disk, where it ends a stretch', () => {
    const network = make();
    const links = chainOf(network, 1, 2, 3, 4, 5, 6);
    hear(network, 2, links);
    expect(network.state(2).committed.height).toBe(4);
    const own = network.flights.filter(
      ({ from, message }) => from === 2 && message.kind === 'checkpoint',
    );
    expect(own.map(({ to, message }) => [to, message])).toMatchObject([
      [0, { height: 4, view: 4, block: hashOf((links[3] as Link).block) }],
    ]);
    expect(network.seat(2).disk).toMatchObject({
      snapshot: { height: 4 },
      checkpoints: { size: 1 },
    });
    const again = { type: 'snapshot-taken', slot: 3, digest: strange('d') } as const;
    expect(network.wouldDo(2, again)).toMatchObject({ writes: [], sends: [] });
    const body = [...network.state(2).checkpoints.values()][0] as Checkpoint;
    network.inject(3, 2, stable(network, body));
    expect(network.state(2)).toMatchObject({
      checkpoints: new Map(),
      chain: new Map(),
      stableCheckpoint: { body: { height: 4 } },
    });
    expect([...network.state(2).blocks.keys()]).toEqual([5, 6]);
  });

  it('whose state has come is where its replica goes on', () => {
    const network = make();
    network.input(2, { type: 'propose', command: requestOf(5, 1) });
    network.inject(3, 2, stable(network, checkpoint(8)));
    expect(network.state(2).fetching).toBe(8);
    const installed = (slot: number) =>
      network.wouldDo(2, { type: 'snapshot-installed', slot, digest: strange('c') });
    expect(installed(3).fetches).toHaveLength(1);
    expect(installed(7).writes).toEqual([
      { type: 'save', registers: { snapshot: { height: 8, view: 8, block: strange('b') } } },
    ]);
    network.input(2, { type: 'snapshot-installed', slot: 7, digest: strange('c') });
    expect(network.state(2)).toMatchObject({
      committed: { height: 8, view: 8 },
      fetching: 0,
      announced: 8,
      waiting: new Map(),
    });
    expect(installed(7)).toMatchObject({ writes: [], fetches: [] });
  });
});
