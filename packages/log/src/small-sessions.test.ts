/** Sessions of small groups: who goes first, what is left of a session, and what that weighs. */
import {
  decode,
  encode,
  firstClient,
  maxOperationBytes,
  maxResultBytes,
  type PrincipalId,
  type Request,
  type Signed,
} from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { puppet, requestOf, slotsOf } from '../test/puppet.ts';
import { digestOf } from '../test/world.ts';
import { keyValueStore } from './key-value-store.ts';
import { noSessions, type SessionCaps } from './session-state.ts';
import { forgetSome, isCrowded, isRefused, runOnce, wellFormed } from './sessions.ts';
import { loadSessions, storedSessions, storeSessions } from './stored-sessions.ts';

const echo = { ...keyValueStore(), apply: (operation: Uint8Array) => operation };
const sized = (...sizes: readonly number[]) => sizes.map((size) => new Uint8Array(size));

/** Requests of small clients, each in a slot of its own. */
function group(caps: SessionCaps = { clients: 32, ofClient: 3 }, application = echo) {
  let sessions = noSessions();
  let slot = 0;
  return {
    sessions: () => sessions,
    run(client: number, sequence: number, part: Partial<Request> = {}) {
      const request: Signed<Request> = {
        ...requestOf(sequence, sized(1), client),
        ...part,
      };
      const ran = runOnce(sessions, slot++, request, digestOf, application, undefined, caps);
      return isRefused(ran) ? ran.reason : ran.fresh ? ran.results : 'again';
    },
    clients: () => [...sessions.accounts.keys()],
    /** What they weigh, after a snapshot as before it. */
    weight(): number {
      const stored = decode(storedSessions, encode(storedSessions, storeSessions(sessions)));
      const loaded = loadSessions(stored);
      expect(storeSessions(loaded)).toEqual(storeSessions(sessions));
      expect(loaded.size).toBe(sessions.size);
      for (const [client, account] of sessions.accounts)
        for (const [number, { size }] of account.sessions)
          expect(loaded.accounts.get(client)?.sessions.get(number)?.size).toBe(size);
      return sessions.size;
    },
    restart: () => void (sessions = loadSessions(storeSessions(sessions))),
  };
}

describe('a session', () => {
  test('keeps what its client waits for, and weighs as much as that', () => {
    const { run, weight, sessions, restart } = group();
    const waits = (acknowledged: number) => ({ acknowledged });
    for (const sequence of [0, 1, 3]) run(7, sequence, waits(0));
    const three = weight();
    // It came earlier, and runs later.
    expect(run(7, 2, waits(0))).toEqual(sized(1));
    expect(weight()).toBeGreaterThan(three);
    expect(run(7, 4, waits(2))).toEqual(sized(1));
    expect(weight()).toBe(three);
    expect([0, 1, 2, 3, 4].map((sequence) => run(7, sequence, waits(0)))).toEqual([
      ...['too-old', 'too-old', 'again', 'again', 'again'],
    ]);
    restart();
    expect([1, 2, 4].map((sequence) => run(7, sequence, waits(0)))).toEqual([
      ...['too-old', 'again', 'again'],
    ]);
    // What it waits for no more it never waits for again.
    expect(run(7, 5, waits(1))).toEqual(sized(1));
    expect(run(7, 1, waits(1))).toBe('too-old');
    run(7, 9, waits(9));
    const one = weight();
    run(7, 29, waits(29));
    expect(weight()).toBe(one);
    expect(sessions().accounts.get(7)?.sessions.get(0)?.replies).toHaveLength(1);
  });

  test('weighs the same whatever way led to it', () => {
    const { run, weight, restart } = group({ clients: 5, ofClient: 2 });
    for (let i = 0; i < 40; i++) {
      const client = firstClient + (i % 6);
      const sequence = Math.floor(i / 2);
      const acknowledged = i % 7 === 0 ? sequence : Math.max(0, sequence - (i % 4));
      run(client, sequence, { acknowledged, operations: sized(i % 5, (i * 7) % 300) });
      if (i % 4 === 3) weight();
      if (i % 11 === 10) restart();
    }
    expect(weight()).toBeGreaterThan(0);
  });
});

describe('what a request gives', () => {
  test('is a result for each operation, as many as fit', () => {
    const { run } = group();
    expect(run(7, 0, { operations: sized(1, 2, 3) })).toEqual(sized(1, 2, 3));
    expect(run(7, 1, { operations: [] })).toEqual([]);
    const results = (size: number) => {
      const large = { ...echo, apply: () => new Uint8Array(size) };
      const given = group(undefined, large).run(7, 0, { operations: Array(20).fill(sized(1)[0]) });
      return Array.isArray(given) ? given.length : given;
    };
    expect(maxResultBytes / maxOperationBytes).toBe(16);
    expect([results(maxOperationBytes), results(maxOperationBytes - 1)]).toEqual([16, 16]);
    expect(results(maxOperationBytes / 2)).toBe(20);
    expect(() => results(maxOperationBytes + 1)).toThrow('make the application answer less');
  });

  test('is asked for in operations of 64 KiB at most, and 512 KiB together', () => {
    const isWhole = (...sizes: readonly number[]) => wellFormed(requestOf(1, sized(...sizes)));
    expect([isWhole(maxOperationBytes), isWhole(maxOperationBytes + 1)]).toEqual([true, false]);
    const eight = Array<number>(8).fill(maxOperationBytes);
    expect([isWhole(...eight), isWhole(...eight, 1)]).toEqual([true, false]);
  });
});

describe('clients that are too many', () => {
  const known = (clients: readonly PrincipalId[]) => clients.map((each) => each - firstClient);

  test('make room by the sixteenth part that was silent longest', () => {
    const { run, clients, weight } = group();
    for (let i = 0; i < 32; i++) run(firstClient + i, 0);
    const full = weight();
    // The first one speaks again, and the third too.
    for (const again of [0, 2]) run(firstClient + again, 1);
    expect(weight()).toBe(full);
    run(firstClient + 99, 0);
    expect(known(clients())).toEqual([0, 2, ...Array.from({ length: 28 }, (_, i) => i + 4), 99]);
    expect(weight()).toBeLessThan(full);
    // Who was forgotten never runs that again.
    expect(run(firstClient + 1, 1)).toBe('session-expired');
    expect(run(firstClient + 1, 1, { session: 1 })).toEqual(sized(1));
  });

  test('are forgotten later, and as many, where all is kept until then', () => {
    const caps = { clients: 16, ofClient: 3, keepsAll: true };
    const { run, clients, sessions, weight } = group(caps);
    for (let i = 0; i < 20; i++) run(firstClient + i, 0);
    expect(clients()).toHaveLength(20);
    forgetSome(sessions(), caps);
    expect(known(clients())).toEqual(Array.from({ length: 15 }, (_, i) => i + 5));
    weight();
    forgetSome(sessions(), caps);
    expect(clients()).toHaveLength(15);
    run(firstClient + 90, 0, { session: 1 });
    forgetSome(sessions(), caps);
    expect(clients()).toHaveLength(16);
  });

  test('wait where too many came: those who are known do not', () => {
    const { run, sessions } = group();
    run(7, 0);
    const caps = { clients: 1 - 65_536, ofClient: 1 };
    const crowded = (client: number, clients: number) =>
      isCrowded(sessions(), { client, sequence: 0 }, { ...caps, clients });
    expect([crowded(7, caps.clients), crowded(8, caps.clients)]).toEqual([false, true]);
    expect(crowded(8, caps.clients + 1)).toBe(false);
  });
});

test('decisions wait for those before them, and run once', () => {
  const one = puppet();
  expect(slotsOf(one.decides(2))).toEqual([]);
  expect(slotsOf(one.decides(1))).toEqual([]);
  expect(slotsOf(one.decides(2))).toEqual([]);
  expect(slotsOf(one.decides(0))).toEqual([0, 1, 2]);
  expect(slotsOf(one.decides(1, 4, 3))).toEqual([3, 4]);
});
