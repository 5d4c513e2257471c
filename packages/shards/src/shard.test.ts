import { encode, OptionsError } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { type Asked, asked, epsilon, id, keeperId, write } from '../test/asked.ts';
import {
  abdicate,
  maxKeyBytes,
  maxRanges,
  maxStateBytes,
  maxTransactions,
  maxValueBytes,
  type PartyEvent,
  type PartyInput,
  shard,
  shardOperation,
  shardRules,
} from './index.ts';

/** Lets a commit of transaction `number` end; its timestamp. */
function ended(of: Asked, number: number, from: number): number {
  for (let at = from; at < from + 100; at++) {
    of.tick(at);
    const result = of.outcome(number);
    if (result.kind === 'committed') return result.at;
  }
  throw new Error(of.outcome(number).kind);
}

/** Prepares transaction `number` with a write; its timestamp. */
function prepared(of: Asked, number: number, key: string, value: string): number {
  const { client } = id(number);
  const writes = [write(key, value)];
  const result = of.ask(client, { kind: 'prepare', transaction: id(number), writes });
  if (result.kind !== 'prepared') throw new Error(result.kind);
  return result.at;
}

/** What a party is told at `now` by a clock that is right. */
const stepAt = (now: number, event: PartyEvent): PartyInput => ({
  now,
  clock: { earliest: now - epsilon, latest: now + epsilon },
  event,
});

const expiring = (): Asked => asked(shardRules, 0, undefined, { patience: 1000, keep: 1000 });

test('a key is at each timestamp what had committed by then', () => {
  const one = asked();
  const stamps = [1, 2, 3].map((number) => {
    one.access(number, number, ['k']);
    one.commit(number, 'k', `${number}`);
    return ended(one, number, 100 * number);
  });
  one.tick(500);
  const [first, , last] = stamps as [number, number, number];
  expect(one.valueAt('k', first - 1)).toBe(null);
  expect(stamps.map((at) => one.valueAt('k', at))).toEqual(['1', '2', '3']);
  expect(one.valueAt('k', last + 1)).toBe('3');
  // Nothing is said of what may still come.
  expect(one.query({ kind: 'read', keys: ['k'], at: 10_000 }).kind).toBe('unsafe');
});

test('locks: readers share, writers do not, and an upgrade waits for the other readers', () => {
  const one = asked();
  expect(one.access(1, 10, [], ['k']).kind).toBe('granted');
  expect(one.access(2, 20, [], ['k']).kind).toBe('granted');
  expect(one.access(2, 20, ['k'], [], true).kind).toBe('waiting');
  // The older takes the lock of the younger, which is over then.
  expect(one.access(1, 10, ['k'], [], true).kind).toBe('granted');
  expect(one.access(2, 20, [], ['j'], true).kind).toBe('aborted');
});

test('a younger one does not overtake an older one that waits', () => {
  const one = asked();
  one.access(1, 10, ['k']);
  prepared(one, 1, 'k', 'x');
  expect(one.access(2, 20, ['k']).kind).toBe('waiting');
  one.ask(keeperId, { kind: 'resolve', transaction: id(1), at: null });
  expect(one.access(3, 30, ['k']).kind).toBe('waiting');
  expect(one.access(2, 20, ['k']).kind).toBe('granted');
});

test('nothing is written without an exclusive lock, or by another client', () => {
  const one = asked();
  one.access(1, 10, [], ['k']);
  expect(one.commit(1, 'k', 'x')).toEqual({ kind: 'refused', why: 'no lock' });
  const theirs = {
    kind: 'commit',
    transaction: id(1),
    writes: [],
    participants: [],
    at: 0,
  } as const;
  expect(one.ask(keeperId + 7, theirs)).toEqual({ kind: 'refused', why: 'not yours' });
});

test('what is prepared is neither wounded nor ended by time, and stays through a snapshot', () => {
  const one = expiring();
  one.access(1, 20, ['k']);
  prepared(one, 1, 'k', 'x');
  expect(one.access(2, 10, ['k']).kind).toBe('waiting');
  for (let at = 500; at < 9000; at += 500) one.tick(at);
  const other = expiring();
  other.machine.restore(one.machine.snapshot());
  expect(other.machine.snapshot()).toEqual(one.machine.snapshot());
  expect(other.access(2, 10, ['k']).kind).toBe('waiting');
  const work = other.query({ kind: 'work' });
  expect(work.kind === 'work' && work.orphans).toEqual([{ transaction: id(1), coordinator: 0 }]);
  other.ask(keeperId, { kind: 'resolve', transaction: id(1), at: 9500 });
  expect(other.access(3, 5, [], ['k'])).toEqual({ kind: 'granted', values: [write('k', 'x')] });
});

test('a coordinator that is asked to settle decides against it, unless it has decided', () => {
  const one = asked();
  one.access(1, 10, ['k']);
  const settle = (number: number) =>
    one.ask(keeperId, { kind: 'settle', transaction: id(number) }).kind;
  expect(settle(1)).toBe('aborted');
  expect(one.commit(1, 'k', 'x').kind).toBe('aborted');
  one.access(2, 10, ['k']);
  one.commit(2, 'k', 'x');
  expect(settle(2)).toBe('deciding');
  ended(one, 2, 100);
  expect(settle(2)).toBe('committed');
  expect(settle(9)).toBe('aborted');
});

test('a commit is remembered until its client has heard of it, however long locks are', () => {
  const one = asked(shardRules, 0, undefined, { patience: 1000 });
  one.access(1, 10, ['k']);
  one.commit(1, 'k', 'x');
  const at = ended(one, 1, 100);
  for (let now = 500; now < 9000; now += 500) one.tick(now);
  const settle = { kind: 'settle', transaction: id(1) } as const;
  expect(one.ask(id(1).client, settle)).toEqual({ kind: 'committed', at });
  one.ask(keeperId, { kind: 'forget', transaction: id(1) });
  expect(one.outcome(1).kind).toBe('committed');
  one.ask(id(1).client, { kind: 'forget', transaction: id(1) });
  expect(one.outcome(1).kind).toBe('aborted');
});

test('silent transactions end, old versions are forgotten, and reads of them are refused', () => {
  const one = expiring();
  for (const number of [1, 2]) {
    one.access(number, number, ['k']);
    one.commit(number, 'k', `${number}`);
    ended(one, number, 100 * number);
  }
  one.access(3, 3, ['k']);
  for (let at = 500; at < 9000; at += 500) one.tick(at);
  expect(one.access(4, 4, ['k']).kind).toBe('granted');
  const old = one.query({ kind: 'read', keys: ['k'], at: 150 });
  expect(old).toEqual({ kind: 'refused', why: 'too old' });
  expect(one.valueAt('k', 8500)).toBe('2');
});

test('only a keeper with the lease tells the time, and the next one waits for its end', () => {
  const one = asked(shardRules, 0, undefined, { lease: 1000 });
  const tell = (client: number, at: number, lease: number) =>
    one.ask(client, {
      ...{ kind: 'tick', earliest: at - epsilon, latest: at + epsilon, lease, stamps: [] },
    }).kind;
  const second = keeperId + 500;
  expect(tell(keeperId, 500, 1)).toBe('ticked');
  expect(tell(second, 600, 1)).toBe('held');
  // The lease was renewed at 493, and its end has certainly passed only now.
  expect(tell(second, 1493 + epsilon, 1)).toBe('held');
  expect(tell(second, 1494 + epsilon, 1)).toBe('ticked');
  expect(tell(keeperId, 1600, 1)).toBe('held');
  expect(tell(keeperId + 9, 1600, 2)).toBe('refused');
  const { kind } = one.ask(second, { kind: 'yield', earliest: 1590, latest: 1604, lease: 2 });
  expect(kind).toBe('ticked');
  expect(tell(keeperId, 1600, 2)).toBe('ticked');
});

test('ranges split, merge, and refuse what is not theirs by name', () => {
  const one = asked(shardRules, 0, [{ from: '', to: 'm' }]);
  const change = (kind: 'split' | 'merge', at: string) => one.ask(1, { kind, at });
  expect(one.access(1, 10, ['z'])).toEqual({ kind: 'elsewhere', known: [] });
  expect(change('split', 'z')).toEqual({ kind: 'refused', why: 'no range' });
  expect(change('split', 'c')).toEqual({ kind: 'done' });
  expect(one.query({ kind: 'ranges' })).toEqual({
    kind: 'ranges',
    known: [
      { from: '', to: 'c', group: 0, epoch: 2 },
      { from: 'c', to: 'm', group: 0, epoch: 2 },
    ],
  });
  expect(change('merge', 'c')).toEqual({ kind: 'done' });
  expect(one.query({ kind: 'ranges' })).toMatchObject({ known: [{ from: '', to: 'm', epoch: 3 }] });
});

test('a range moves with all its versions; a mover may repeat each step, and come late', () => {
  const [from, to] = [asked(shardRules, 0, [{ from: '', to: 'm' }]), asked(shardRules, 1, [])];
  for (const number of [1, 2]) {
    from.access(number, number, ['k']);
    from.commit(number, 'k', `${number}`);
    ended(from, number, 100 * number);
  }
  from.access(3, 3, ['k']);
  prepared(from, 3, 'k', '3');
  const freeze = () => from.ask(1, { kind: 'freeze', first: '', group: 1 });
  expect(freeze()).toEqual({ kind: 'refused', why: 'moving' });
  from.ask(keeperId, { kind: 'resolve', transaction: id(3), at: 300 });
  const frozen = freeze();
  if (frozen.kind !== 'frozen') throw new Error(frozen.kind);
  expect(freeze()).toEqual(frozen);
  expect(from.access(4, 4, ['k'])).toEqual({ kind: 'refused', why: 'moving' });
  const copied = from.query({ kind: 'export', first: '', epoch: 2, after: null });
  if (copied.kind !== 'versions') throw new Error(copied.kind);
  const { at, horizon } = frozen;
  const take = () => {
    to.ask(1, { kind: 'import', first: '', epoch: 2, versions: copied.versions });
    return to.ask(1, { kind: 'adopt', first: '', to: 'm', epoch: 2, at, horizon });
  };
  take();
  take();
  from.ask(1, { kind: 'drop', first: '', epoch: 2 });
  const known = [{ from: '', to: 'm', group: 1, epoch: 2 }];
  expect(from.access(4, 4, ['k'])).toEqual({ kind: 'elsewhere', known });
  to.tick(400);
  expect([50, 150, 250, 350].map((time) => to.valueAt('k', time))).toEqual([null, '1', '2', '3']);
  to.access(5, 5, ['k']);
  to.commit(5, 'k', '5');
  const last = ended(to, 5, 500);
  take();
  to.tick(600);
  expect(to.valueAt('k', last)).toBe('5');
});

test('what clients can fill has a cap, bytes of strangers are refused, options are checked', () => {
  const one = asked();
  for (let number = 1; number <= maxTransactions; number++)
    one.access(number, number, [`${number}`]);
  expect(one.access(5000, 5000, ['k'])).toEqual({ kind: 'refused', why: 'full' });
  const bytes = [Uint8Array.of(), Uint8Array.of(250), Uint8Array.of(0, 255, 255)];
  for (const each of bytes) expect(one.machine.apply(each, 1)).toEqual(asked().machine.query(each));
  const tick = { kind: 'tick', earliest: 0, latest: 1, lease: 0, stamps: [] } as const;
  expect(one.machine.query(encode(shardOperation, tick))).not.toEqual(
    one.machine.query(encode(shardOperation, { kind: 'work' })),
  );
  expect(() => shard({ group: 0, ranges: [], keepers: [] })).toThrow(OptionsError);
  expect(() => shard({ group: 0, ranges: [], keepers: [1], lease: 0.5 })).toThrow('lease');
});

test('versions have a cap in bytes; a full shard refuses, can be read back, and emptied', () => {
  const one = asked(shardRules, 1, []);
  const value = new Uint8Array(maxValueBytes);
  let refused = 0;
  for (let i = 0; i < 1200; i++) {
    const versions = [0, 1, 2, 3].map((each) => ({ key: `${i}/${each}`, at: 1, value }));
    const result = one.ask(1, { kind: 'import', first: '', epoch: 2, versions });
    if (result.kind === 'refused') refused += 1;
  }
  expect(refused).toBeGreaterThan(100);
  expect(one.machine.snapshot().length).toBeLessThan(maxStateBytes + 4 * maxValueBytes);
  const other = asked(shardRules, 1, []);
  other.machine.restore(one.machine.snapshot());
  const more = [{ key: 'k', at: 1, value }];
  const full = other.ask(1, { kind: 'import', first: '', epoch: 2, versions: more });
  expect(full).toEqual({ kind: 'refused', why: 'full' });
  // Keys can be removed: that makes room.
  other.ask(1, { kind: 'adopt', first: '', to: null, epoch: 2, at: 1, horizon: 0 });
  other.access(1, 10, ['0/0']);
  const { client } = id(1);
  const removal = { key: '0/0', value: null };
  const writes = [removal];
  const commit = { kind: 'commit', transaction: id(1), writes, participants: [], at: 0 } as const;
  expect(other.ask(client, commit).kind).toBe('deciding');
  other.access(2, 10, ['k']);
  expect(other.commit(2, 'k', 'x')).toEqual({ kind: 'refused', why: 'full' });
});

test('all ranges of a full group are said in one answer', () => {
  const one = asked();
  const long = 'x'.repeat(maxKeyBytes - 3);
  const results = Array.from({ length: 60 }, (_, i) =>
    one.ask(1, { kind: 'split', at: `${long}${100 + i}` }),
  );
  expect(results.filter(({ kind }) => kind === 'done')).toHaveLength(maxRanges - 1);
  expect(results.at(-1)).toEqual({ kind: 'refused', why: 'full' });
  const known = one.query({ kind: 'ranges' });
  expect(known.kind === 'ranges' && known.known).toHaveLength(maxRanges);
});

test('a keeper that abdicates leaves the lease to the next one at once', () => {
  const one = asked();
  const second = keeperId + 500;
  one.tick(1000);
  let isOver = false;
  const giving = abdicate({ self: keeperId, group: 0, onEnd: () => void (isOver = true) });
  let now = 1000;
  let { asks, wakeAfter } = giving.step(stepAt(now, { type: 'start' }));
  while (!isOver) {
    const [ask] = asks;
    const operation = ask?.operation;
    now += ask === undefined ? (wakeAfter ?? 1) : 1;
    const result =
      operation === undefined
        ? undefined
        : ask?.way === 'ordered'
          ? one.ask(keeperId, operation)
          : one.query(operation);
    const event: PartyEvent =
      ask === undefined ? { type: 'wake' } : { type: 'answer', id: ask.id, result };
    ({ asks, wakeAfter } = giving.step(stepAt(now, event)));
  }
  // Not before the last timestamp under it was over.
  expect(now).toBeGreaterThan(1000 + 2 * epsilon);
  const tick = {
    kind: 'tick',
    earliest: now + 20,
    latest: now + 34,
    lease: 1,
    stamps: [],
  } as const;
  expect(one.ask(second, tick)).toMatchObject({ kind: 'ticked', lease: { number: 2 } });
});
