/** What is said and what is kept: it is read as it was, and every signature in it is checked. */
import { decode, encode } from '@quorumlab/core';
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
import { make } from '../test/network.ts';
import { streamlet } from './index.ts';
import type { Block, Message } from './messages.ts';
import { firstStable } from './state.ts';

const [first, second] = chainOf(2) as [Block, Block];
const network = make();
const tip = notarizationOf(network, first);
const all: readonly Message[] = [
  proposal(first),
  proposal(second, tip),
  voteFor(second),
  clock({ over: 3, final: 2, stable: 1 }),
  clock({ tip }),
  notarized(network, first),
  { kind: 'relay', requests: [requestOf(1, 1), requestOf(2, 7)] },
  checkpoint(8),
  stable(network, 8),
];

describe('a message', () => {
  it.each(all.map((each) => [each.kind, each] as const))('%s is read as it was', (_, message) => {
    const { messages } = network.protocol;
    expect(decode(messages, encode(messages, message))).toEqual(message);
  });

  it('is refused if one signature in it is wrong', () => {
    const spoil = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1);
    // Each signature in it once, found by its place.
    function* spoilt(value: unknown): Iterable<unknown> {
      if (Array.isArray(value))
        for (const [i, each] of value.entries())
          for (const other of spoilt(each)) yield value.with(i, other);
      else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
        for (const [name, each] of Object.entries(value))
          if (name === 'signature') yield { ...value, signature: spoil(each as Uint8Array) };
          else for (const other of spoilt(each)) yield { ...value, [name]: other };
    }
    const found = new Map<string, number>();
    for (const message of all) {
      expect(network.check(network.sign(message, 1))).toBe(true);
      for (const each of spoilt(message)) {
        expect(network.check(network.sign(each as Message, 1)), message.kind).toBe(false);
        found.set(message.kind, (found.get(message.kind) ?? 0) + 1);
      }
    }
    expect(Object.fromEntries(found)).toEqual({
      ...{ proposal: 5, clock: 3, notarized: 4, relay: 2, 'stable-checkpoint': 3 },
    });
  });
});

it('what is on the disk is read as it was', () => {
  const at = make();
  for (const each of chainOf(5)) at.inject(1, 0, notarized(at, each));
  at.inject(leader(6), 0, proposal(above(chainOf(5).at(-1) as Block)));
  at.inject(1, 0, stable(at, 8));
  const disk = at.seat(0).disk;
  expect(disk.checkpoints.size + (disk.stableCheckpoint === null ? 0 : 1)).toBeGreaterThan(0);
  for (const [name, field] of Object.entries(at.protocol.stored)) {
    const value = disk[name as keyof typeof disk];
    for (const each of value instanceof Map ? value.values() : [value]) {
      const read = decode(field as never, encode(field as never, each as never));
      expect(read, name).toEqual(each);
    }
  }
  expect(Object.keys(at.protocol.stored).sort()).toEqual(Object.keys(firstStable()).sort());
});

describe('the protocol', () => {
  it('says what it claims, and what its clients need', () => {
    const { claims, client, f, passesOn, snapshotsKept } = streamlet({ n: 7, digest: testDigest });
    expect([claims.faults, claims.order, claims.replicas(1), claims.replicas(2)]).toEqual([
      ...['byzantine', 'total', 4, 7],
    ]);
    expect([f, client, passesOn]).toEqual([
      ...[2, { matching: 3, ask: 'any', signed: true }, ['relay']],
    ]);
    // Those that fit into the window, the stable one below it, and the one that is being taken.
    expect(snapshotsKept).toBe(4);
  });

  it('tells who leads, and in which epoch', () => {
    const status = (self: number) => {
      const at = make();
      return at.protocol.status?.(at.state(self));
    };
    expect(status(leader(1))).toEqual({ leader: leader(1), term: 1, role: 'leader' });
    expect(status(follower(1))).toEqual({ leader: leader(1), term: 1, role: 'voter' });
  });

  it('is refused in a sentence with numbers that are none', () => {
    const told = { n: 4, digest: testDigest };
    for (const name of ['checkpointEvery', 'window', 'windowBytes', 'maxBatch', 'epochTime'])
      expect(() => streamlet({ ...told, [name]: 0 }), name).toThrow(name);
    expect(() => streamlet({ ...told, f: -1 })).toThrow('f');
    expect(() => streamlet({ ...told, n: 6, f: 2 })).toThrow('Use n = 7 or more');
    for (const n of [1, 3, 4, 6, 7])
      expect(streamlet({ ...told, n }).f).toBe({ 1: 0, 3: 0, 4: 1, 6: 1, 7: 2 }[n]);
    expect(() => streamlet({ ...told, quorum: 3 })).not.toThrow();
    expect(() => streamlet({ ...told, window: 4, checkpointEvery: 4 })).not.toThrow();
    expect(() => streamlet({ ...told, n: 3, f: 1, unsafe: true })).not.toThrow();
  });

  it('turns words of its own, and no others, into lies', () => {
    const { conflict } = network.protocol;
    for (const message of all) {
      const other = conflict?.(message, 1, []);
      const isWord = ['proposal', 'vote', 'checkpoint'].includes(message.kind);
      expect(JSON.stringify(other) !== JSON.stringify(message), message.kind).toBe(isWord);
      expect(other?.kind).toBe(message.kind);
    }
    expect(block(1).height).toBe(1);
  });
});
