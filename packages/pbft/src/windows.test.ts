/** What is counted towards a stable checkpoint, and what is kept before its time: section 4.3. */
import { type Digest, maxBatchBytes } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { decide, makeNarrow as make } from '../test/group.ts';
import {
  batchOf,
  certificate,
  checkpoint,
  digestOf,
  prePrepare,
  status,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { Message } from './messages.ts';

const batch = batchOf(1);
const digest = digestOf(batch);

/** Whether a replica would look at the signature of what a member says. */
const admitted = (network: Network, from: number, to: number, message: Message) =>
  network.seat(to).machine.admits?.(network.sign(message, from), network.now);

describe('a checkpoint', () => {
  it('is signed when the state is on the disk, where it ends a stretch of the log', () => {
    const network = make();
    const taken = (slot: number) =>
      network.wouldDo(1, { type: 'snapshot-taken', slot, digest: strange('d') });
    const saved = { type: 'save', registers: { snapshot: 2, snapshotConfiguration: null } };
    expect(taken(1)).toMatchObject({
      writes: [
        saved,
        {
          type: 'put',
          table: 'checkpoints',
          index: 2,
          row: { digest: strange('d'), configuration: null },
        },
      ],
      sends: [{ to: 'all', message: checkpoint(2, strange('d')) }],
    });
    expect(taken(2)).toMatchObject({ writes: [{ registers: { snapshot: 3 } }], sends: [] });
    network.input(1, { type: 'snapshot-taken', slot: 1, digest: strange('d') });
    for (const slot of [0, 1]) expect(taken(slot)).toMatchObject({ writes: [], sends: [] });
    const ahead = make();
    const proof = certificate(ahead, checkpoint(2, strange('d')));
    ahead.inject(2, 1, { kind: 'stable-checkpoint', configuration: null, checkpoint: proof });
    const { writes, sends } = ahead.wouldDo(1, {
      type: 'snapshot-taken',
      slot: 1,
      digest: strange('d'),
    });
    expect([writes, sends]).toEqual([[saved], []]);
  });

  it.each<[string, number, (state: Digest) => Message]>([
    ['the same member', 2, (state) => checkpoint(2, state)],
    ['one with another state', 3, () => checkpoint(2, strange('a'))],
    ['one at another number', 3, (state) => checkpoint(4, state)],
  ])('is not made stable by %s', (_, from, made) => {
    const network = make();
    for (const sequence of [1, 2]) decide(network, 1, sequence);
    const state = network.state(1).checkpoints.get(2)?.digest as Digest;
    network.deliver(({ to }) => to === 1);
    network.inject(2, 1, checkpoint(2, state));
    expect(network.wouldAnswer(from, 1, made(state)).writes).toEqual([]);
    const { writes } = network.wouldAnswer(3, 1, checkpoint(2, state));
    const proof = certificate(network, checkpoint(2, state), [1, 2, 3]);
    const dropped = ['prePrepares', 'prepared', 'checkpoints'].map((table) => ({
      type: 'drop',
      table,
      rows: { below: 3 },
    }));
    const registers = { stableCheckpoint: proof, stableConfiguration: null };
    expect(writes).toEqual([{ type: 'save', registers }, ...dropped]);
  });

  it('with two states of one member is a proof against it', () => {
    const network = make();
    network.inject(2, 1, checkpoint(2));
    const others = [
      checkpoint(2, strange('a')),
      { ...checkpoint(2), group: strange('b') },
      { ...checkpoint(2), epoch: 1 },
    ];
    for (const other of others) {
      const { accusations } = network.wouldAnswer(2, 1, other);
      expect(accusations).toMatchObject([{ second: { from: 2, ...other } }]);
      expect(admitted(network, 2, 1, other)).toBe(true);
    }
    expect(admitted(network, 2, 1, checkpoint(2))).toBe(false);
    expect(network.wouldAnswer(2, 1, checkpoint(2)).accusations).toEqual([]);
  });

  it('of a window, and of one that is far ahead, is all that is kept of a member', () => {
    const network = make();
    for (const sequence of [8, 2, 6, 4, 100]) network.inject(2, 1, checkpoint(sequence));
    const kept = network
      .state(1)
      .checkpointVotes.get(2)
      ?.map(({ sequence }) => sequence);
    expect(kept).toEqual([6, 8, 100]);
    network.inject(2, 1, checkpoint(3));
    expect(network.state(1).checkpointVotes.get(2)).toHaveLength(3);
  });

  it('that a quorum has is taken over by one far behind, which gets the state', () => {
    const network = make();
    for (const from of [0, 2]) network.inject(from, 1, checkpoint(6));
    const { fetches, writes } = network.wouldAnswer(3, 1, checkpoint(6));
    expect(writes[0]).toMatchObject({ registers: { stableCheckpoint: { body: checkpoint(6) } } });
    expect(fetches).toEqual([{ slot: 5, digest: strange('c'), holders: [0, 2, 3] }]);
    // One that is a little behind waits for the batches, and asks if they do not come.
    const near = make();
    for (const from of [0, 2]) near.inject(from, 1, checkpoint(2));
    expect(near.wouldAnswer(3, 1, checkpoint(2))).toMatchObject({ writes: [], fetches: [] });
    expect(near.state(1)).toMatchObject({ behind: 2 });
    expect(near.seat(1).timers.has('status')).toBe(true);
  });

  it('that f+1 have, and are far ahead with, is asked about at once', () => {
    const network = make();
    network.inject(0, 1, checkpoint(6));
    expect(network.state(1).behind).toBe(0);
    const { sends } = network.wouldAnswer(2, 1, checkpoint(6));
    expect(sends).toEqual([0, 2].map((to) => ({ to, message: status() })));
    network.inject(2, 1, checkpoint(6));
    expect(network.state(1).behind).toBe(6);
    for (const from of [0, 2]) network.inject(from, 1, checkpoint(4));
    expect(network.state(1).behind).toBe(6);
  });

  it('lets go of all that came before it', () => {
    const network = make();
    for (const sequence of [1, 2, 3]) network.inject(0, 1, prePrepare(sequence, batch));
    network.inject(2, 1, vote('commit', 4, strange('a')));
    for (const from of [0, 2, 3]) network.inject(from, 1, vote('commit', 2, strange('b')));
    expect([...network.state(1).wanted.values()]).toEqual([2]);
    for (const sequence of [2, 4]) network.inject(3, 1, checkpoint(sequence));
    network.inject(3, 1, {
      kind: 'stable-checkpoint',
      configuration: null,
      checkpoint: certificate(network, checkpoint(2)),
    });
    const { prePrepares, progress, wanted, checkpointVotes, next } = network.state(1);
    expect([...prePrepares.keys()]).toEqual([3]);
    expect([...progress.keys()].sort()).toEqual([3, 4]);
    expect(wanted.size).toBe(0);
    expect(checkpointVotes.get(3)?.map(({ sequence }) => sequence)).toEqual([4]);
    expect(next).toBe(3);
  });
});

describe('a message that comes before its time', () => {
  it('is kept for a later view, one of a kind and number, and only of the last view named', () => {
    const network = make();
    const kept = () =>
      network
        .state(1)
        .early.get(2)
        ?.map(({ view, sequence }) => [view, sequence]);
    const send = (sequence: number, view: number, kind: 'prepare' | 'commit' = 'prepare') =>
      network.inject(2, 1, vote(kind, sequence, digest, view));
    send(0, 1);
    expect(kept()).toBeUndefined();
    for (const _ of [1, 2]) send(1, 1);
    send(1, 1, 'commit');
    expect(kept()).toEqual([
      [1, 1],
      [1, 1],
    ]);
    send(3, 2);
    expect(kept()).toEqual([[2, 3]]);
    for (let sequence = 4; sequence < 80; sequence++) send(sequence, 2);
    expect(kept()).toHaveLength(64);
    expect(network.seat(1).timers.has('status')).toBe(true);
  });

  it('is kept for the next window, and above that shows only that others are ahead', () => {
    const network = make();
    const send = (from: number, sequence: number) =>
      network.inject(from, 1, vote('prepare', sequence, digest));
    for (const sequence of [4, 5, 8]) send(2, sequence);
    expect(
      network
        .state(1)
        .early.get(2)
        ?.map(({ sequence }) => sequence),
    ).toEqual([5, 8]);
    expect(network.state(1).above.size).toBe(0);
    send(3, 9);
    expect(network.state(1).early.get(3)).toBeUndefined();
    expect(network.state(1).above).toEqual(new Set([3]));
    network.inject(2, 1, {
      kind: 'stable-checkpoint',
      configuration: null,
      checkpoint: certificate(network, checkpoint(2)),
    });
    // The watermarks have moved by two: 5 is counted now, and 8 waits.
    expect(network.state(1).progress.get(5)?.prepares.votes.has(2)).toBe(true);
    expect(
      network
        .state(1)
        .early.get(2)
        ?.map(({ sequence }) => sequence),
    ).toEqual([8]);
    expect(network.state(1).above.size).toBe(0);
  });

  it('takes no more memory than two full batches of a member in later views', () => {
    const network = make({ checkpointEvery: 128, window: 256 });
    const operations = Array(8).fill(new Uint8Array(64_000));
    const large = [{ ...requestOf(1, 1), operations }];
    const size = large[0]?.operations.reduce((sum, { length }) => sum + length, 0) ?? 1;
    const send = (sequence: number): void => {
      const message = prePrepare(sequence, batch, 5);
      const event = { type: 'message', message: { ...network.sign(message, 1), batch: large } };
      network.input(2, event as never);
    };
    for (let sequence = 1; sequence < 20; sequence++) send(sequence);
    expect(network.state(2).early.get(1)).toHaveLength(Math.floor((2 * maxBatchBytes) / size));
  });
});

describe('what a replica is told twice', () => {
  it('is asked for once: batches, whoever names them', () => {
    const network = make();
    for (const from of [0, 2]) network.inject(from, 1, vote('commit', 1, digest));
    expect(network.wouldAnswer(3, 1, vote('commit', 1, digest)).sends).toHaveLength(3);
    network.inject(3, 1, vote('commit', 1, digest));
    network.drop();
    for (const from of [2, 3]) network.inject(from, 1, viewChange(4));
    network.inject(0, 1, status());
    const fetches = network.flights.filter(({ message }) => message.kind === 'fetch-batch');
    expect(fetches).toEqual([]);
    expect(network.state(1).wanted.size).toBe(1);
  });
});
