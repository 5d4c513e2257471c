/** When a replica takes a snapshot, of what, and how it starts from one. */
import {
  digest as digestField,
  firstClient,
  maxOperationBytes,
  maxRequestBytes,
  requestBytes,
  snapshotEveryBytes,
} from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { puppet, requestOf, sentIn, slotsOf } from '../test/puppet.ts';
import { digestOf } from '../test/world.ts';

describe('a snapshot', () => {
  const every = (snapshotEvery: number, protocol: object = {}) =>
    puppet({ protocol: { snapshotEvery, ...protocol } });
  const taken = ({ heard }: { readonly heard: readonly (readonly unknown[])[] }) =>
    heard.filter(([what]) => what === 'taken').map(([, slot]) => slot);

  test('is taken every so many slots, and its protocol is told which', () => {
    const one = every(3);
    for (let slot = 0; slot < 7; slot++) one.decides(slot);
    expect(taken(one)).toEqual([2, 5]);
    expect(one.heard.at(-1)).toEqual(['taken', 5, one.newest()?.digest, undefined]);
    expect(one.newest()).toMatchObject({ slot: 5, origin: 'taken' });
    expect(one.newest()?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(digestField.maxBytes).toBe(32);
    const none = every(0);
    none.decides(0, 1, 2, 3);
    expect([taken(none), none.newest()]).toEqual([[], null]);
  });

  test('is due earlier where slots are large, unless members vote on them', () => {
    const operations = Array(maxRequestBytes / maxOperationBytes).fill(
      new Uint8Array(maxOperationBytes),
    );
    const digest: typeof digestOf = (field, value) =>
      'operations' in value ? 'aa'.repeat(32) : digestOf(field, value);
    const large = requestOf(1, operations);
    // What ran before counts like all else that a slot holds.
    const most = Math.floor(snapshotEveryBytes / requestBytes(large));
    for (const faults of ['crash', 'byzantine'] as const) {
      const one = puppet({
        digest,
        protocol: { snapshotEvery: 1000, claims: { faults, replicas: (f) => f, order: 'total' } },
      });
      const decide = (slot: number, times: number) =>
        one.does((ctx) => ctx.decide(slot, Array(times).fill(large)));
      decide(0, most);
      expect(taken(one)).toEqual([]);
      decide(1, 1);
      // Counted from the last one, and not from the beginning.
      decide(2, most);
      expect(taken(one)).toEqual(faults === 'crash' ? [1] : []);
    }
  });

  test('holds the group as of its slot, and a replica that starts from it knows it', () => {
    const one = every(2);
    const change = { ...requestOf(1, []), configuration: Uint8Array.of(9) };
    const state = Uint8Array.of(4, 2);
    const said = one.does((ctx) => ctx.decide(0, [change], undefined, { state }));
    expect(said.applied).toMatchObject([{ operations: [], configuration: Uint8Array.of(9) }]);
    one.decides(1);
    expect(one.heard.at(-1)).toEqual(['taken', 1, one.newest()?.digest, state]);
    one.restart();
    one.decides(2);
    one.decides(3);
    expect(one.heard.at(-1)).toEqual(['taken', 3, one.newest()?.digest, state]);
  });

  test('brings all back: state, sessions, and the hash of what ran', () => {
    const one = every(3);
    one.decides(0, 1, 2);
    const before = one.state();
    one.restart();
    expect(one.state()).toEqual(before);
    expect(one.does((ctx) => ctx.decide(3, [requestOf(3)])).applied).toMatchObject([
      { slot: 3, fresh: false },
    ]);
    expect(slotsOf(one.decides(2, 4))).toEqual([4]);
  });

  test('may be as large as it may be, and then nothing more is run until it is smaller', () => {
    const sized = (maxSnapshotBytes: number) =>
      puppet({ self: 0, protocol: { snapshotEvery: 2 }, service: { maxSnapshotBytes } });
    const free = sized(1e6);
    free.decides(0, 1);
    const size = (free.newest() as unknown as { readonly size: number }).size;
    for (const more of [0, -1]) {
      const one = sized(size + more);
      one.decides(0, 1);
      expect(one.newest()?.slot).toBe(more === 0 ? 1 : undefined);
      expect(sentIn(one.hears(firstClient, requestOf(3)))).toEqual(
        more === 0 ? [] : [expect.objectContaining({ reason: 'state-too-large' })],
      );
    }
  });

  test('is of the state as it was, whatever runs while it is written', () => {
    const slow = () => puppet({ protocol: { snapshotEvery: 4 }, service: { stepBytes: 1 } });
    const [one, other] = [slow(), slow()];
    for (const [which, late] of [
      [one, true],
      [other, false],
    ] as const) {
      for (let slot = 0; slot < 3; slot++) which.decides(slot);
      const request = requestOf(4);
      if (!late) which.does((ctx) => ctx.decide(3, [request]));
      else
        which.does((ctx) => {
          ctx.decide(3, [request]);
          ctx.decide(4, [requestOf(5)]);
        });
    }
    expect(one.newest()).toEqual(other.newest());
    expect(one.state().next).toBe(5);
  });
});
