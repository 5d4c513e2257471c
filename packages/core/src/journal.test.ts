import { expect, test } from 'vitest';
import {
  bytes,
  commitBytes,
  digest,
  encode,
  idle,
  integer,
  type Journal,
  journal,
  list,
  nullable,
  type Output,
  record,
  type Shape,
  text,
  type Write,
  weigh,
} from './index.ts';

type Plain = Shape & {
  Stable: { term: number };
  Message: { readonly kind: 'say'; readonly n: number };
};

const write = (term: number): Write<Plain> => ({ type: 'save', registers: { term } });
const say = (n: number): Output<Plain> => ({
  ...idle<Plain>(),
  writes: [write(n)],
  sends: [{ to: 'all', message: { kind: 'say', n } }],
});
const quiet = (n: number): Output<Plain> => ({ ...say(n), writes: [] });

/** A disk that finishes when the test says so, and a record of what was said. */
function bench(): {
  said: number[];
  early: number[];
  synced: number[][];
  finish(): void;
  log: Journal<Plain>;
} {
  const waiting: (() => void)[] = [];
  const said: number[] = [];
  const early: number[] = [];
  const synced: number[][] = [];
  const log = journal<Plain>({
    early: (out) => early.push(...out.map((each) => each.message.n)),
    commit(writes, done) {
      synced.push(
        writes.map((each) => (each.type === 'save' ? (each.registers.term as number) : -1)),
      );
      waiting.push(done);
    },
    release: (output) => said.push(...output.sends.map((each) => each.message.n)),
  });
  return { said, early, synced, log, finish: () => waiting.shift()?.() };
}

test('nothing is said before the disk has it', () => {
  const { log, said, finish } = bench();
  log.add(say(1));
  expect(said).toEqual([]);
  finish();
  expect(said).toEqual([1]);
});

test('what needs no disk is said at once, unless something before it waits', () => {
  const { log, said, finish } = bench();
  log.add(quiet(1));
  expect(said).toEqual([1]);
  log.add(say(2));
  log.add(quiet(3));
  expect(said).toEqual([1]);
  finish();
  expect(said).toEqual([1, 2, 3]);
});

test('outputs that gather during a sync share the next one', () => {
  const { log, said, synced, finish } = bench();
  for (const n of [1, 2, 3, 4]) log.add(say(n));
  expect(synced).toEqual([[1]]);
  finish();
  expect(synced).toEqual([[1], [2, 3, 4]]);
  expect(said).toEqual([1]);
  finish();
  expect(said).toEqual([1, 2, 3, 4]);
  expect(log.waiting()).toBe(0);
});

test('a failed disk never says done, and nothing after it is ever said', () => {
  const { log, said } = bench();
  log.add(say(1));
  log.add(quiet(2));
  expect(said).toEqual([]);
  expect(log.waiting()).toBe(2);
});

test('early messages overtake the disk, and only they', () => {
  const { log, said, early } = bench();
  log.add({ ...say(1), early: [{ to: 1, message: { kind: 'say', n: 7 } }] });
  expect(early).toEqual([7]);
  expect(said).toEqual([]);
});

test('outputs added while a batch is released come after it', () => {
  const said: number[] = [];
  const log: Journal<Plain> = journal<Plain>({
    early() {},
    commit: (_writes, done) => done(),
    release(output) {
      for (const { message } of output.sends) {
        said.push(message.n);
        if (message.n < 3) log.add(say(message.n + 10));
      }
    },
  });
  log.add(say(1));
  log.add(say(2));
  expect(said).toEqual([1, 11, 2, 12]);
});

test('outputs added while unwritten ones that had to wait are released come after them too', () => {
  const said: number[] = [];
  let finish = (): void => {};
  const log: Journal<Plain> = journal<Plain>({
    early() {},
    commit(_writes, done) {
      finish = done;
    },
    release(output) {
      for (const { message } of output.sends) {
        said.push(message.n);
        if (message.n === 2) log.add(quiet(12));
      }
    },
  });
  for (const output of [say(1), quiet(2), quiet(3)]) log.add(output);
  finish();
  expect(said).toEqual([1, 2, 3, 12]);
  log.add({ ...quiet(2), sends: [...quiet(2).sends, ...quiet(4).sends] });
  expect(said).toEqual([1, 2, 3, 12, 2, 4, 12]);
});

/** An output that writes `size` bytes, numbered for the test. */
const heavy = (n: number, size: number): Output<Plain> => ({
  ...say(n),
  writes: [{ type: 'save', registers: { term: n, padding: new Uint8Array(size) } as never }],
});

test('no more is joined than one commit takes, and all of it leaves in order', () => {
  const { log, said, synced, finish } = bench();
  const sizes = [10, 1, 1, 3, 3, 3, 9, 0.5, 0.5, 1, 1];
  const quarter = commitBytes / 4;
  for (const [i, size] of sizes.entries()) log.add(heavy(i, size * quarter));
  let waiting = 0;
  for (let i = 0; i <= sizes.length; i++) {
    const bytes = log.waitingBytes();
    if (i > 0) expect(bytes).toBeLessThanOrEqual(waiting);
    waiting = bytes;
    finish();
  }
  const inOrder = sizes.map((_, i) => i);
  expect(synced.flat()).toEqual(inOrder);
  expect(said).toEqual(inOrder);
  expect(log.waiting()).toBe(0);
  expect(log.waitingBytes()).toBe(0);
  for (const commit of synced) {
    const total = commit.reduce((sum, n) => sum + (sizes[n] ?? 0) * quarter, 0);
    expect(commit.length === 1 || total <= commitBytes, `${commit}`).toBe(true);
  }
  expect(synced.length).toBeLessThan(sizes.length);
});

test('what waits is weighed, and where the disk is done at once nothing waits', () => {
  const { log, finish } = bench();
  log.add(heavy(1, 5000));
  expect(log.waitingBytes()).toBeGreaterThanOrEqual(5000);
  const before = log.waitingBytes();
  // What only speaks waits too, and takes memory.
  log.add(quiet(2));
  const words = log.waitingBytes() - before;
  expect(words).toBe(weigh(quiet(2).sends));
  log.add({ ...say(3), sends: [] });
  expect(log.waitingBytes() - before - words).toBe(weigh(say(3).writes));
  finish();
  finish();
  expect([log.waiting(), log.waitingBytes()]).toEqual([0, 0]);
  const atOnce = journal<Plain>({ early() {}, commit: (_, done) => done(), release() {} });
  for (const n of [1, 2, 3]) {
    atOnce.add(heavy(n, 100));
    expect([atOnce.waiting(), atOnce.waitingBytes()]).toEqual([0, 0]);
  }
});

test('two halves of a commit share one, and with a byte more they do not', () => {
  for (const more of [0, 1]) {
    const { log, synced, finish } = bench();
    log.add(say(1));
    const half = commitBytes / 2 - weigh(heavy(2, 0).writes);
    log.add(heavy(2, half + more));
    log.add(heavy(3, half));
    finish();
    expect(synced).toEqual([[1], more === 0 ? [2, 3] : [2]]);
  }
});

test('nobody is asked to hurry where nothing is early', () => {
  let calls = 0;
  const log = journal<Plain>({ early: () => void calls++, commit() {}, release() {} });
  log.add(say(1));
  log.add(quiet(2));
  expect(calls).toBe(0);
});

test('weighing never says less than the encoding takes', () => {
  const field = record({
    bytes: bytes(100_000),
    digests: list(digest, 100),
    numbers: list(integer(), 100),
    text: text(100),
    nothing: nullable(integer()),
  });
  const random = { below: (limit: number) => Math.floor(limit * 0.7) };
  for (let size = 0; size < 100; size++) {
    const value = {
      ...field.sample(random),
      bytes: new Uint8Array(size * 1000),
      digests: Array.from({ length: size }, () => 'a'.repeat(64)),
    };
    expect(weigh(value)).toBeGreaterThanOrEqual(encode(field, value).length);
    const parts = 10 + value.digests.length + value.numbers.length;
    expect(weigh(value)).toBeLessThan(encode(field, value).length + 40 * parts);
  }
});

test('the whole weighs what its parts do, whatever holds them', () => {
  const parts = [5, 'text', new Uint8Array(9), null, true, undefined, { one: 1 }];
  const sum = parts.reduce<number>((all, each) => all + weigh(each), 7);
  expect(weigh(parts)).toBe(sum);
  expect(weigh({ ...parts })).toBe(sum);
  expect(weigh(new Map(parts.map((each, i) => [i, each])))).toBe(sum + parts.length * weigh(0));
  for (const each of parts) expect(weigh(each)).toBeGreaterThan(0);
});
