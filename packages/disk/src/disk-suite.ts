import { equal, ok, rejects } from 'node:assert/strict';
import {
  bytes,
  digest,
  type Field,
  integer,
  large,
  list,
  nullable,
  type Random,
  type Rows,
  record,
  type Shape,
  type StoredFields,
  text,
  type Write,
} from '@quorumlab/core';
import type { Disk } from './disk.ts';
import { applyWrite, type Fields, ownTables } from './stored.ts';

/** What a disk is asked to keep, without saying where. */
export interface DiskFields<S extends Shape> {
  readonly stored: StoredFields<S>;
  readonly initial: S['Stable'];
}

/** A medium with a disk on it, under test. */
export interface TestMedium {
  /** Opens the disk on what the medium holds now. Only one is open at a time. */
  open<S extends Shape>(fields: DiskFields<S>): Promise<Disk<S>>;
  /** Losing power, where that can be played. */
  readonly power?: TestPower;
  /** Gives back what the medium uses. */
  free?(): Promise<void>;
}

/** See {@link TestMedium}. */
export interface TestPower {
  /** How many changes the medium has seen. */
  changes(): number;
  /** Some of the media that may be left if power is lost after the first `changes` changes. */
  after(changes: number): Iterable<TestMedium>;
}

/** One promise of a disk, to be run by any test runner: `test(name, run)`. */
export interface DiskCase {
  readonly name: string;
  /** Rejects if the promise is broken; the message holds the seed that replays it. */
  readonly run: () => Promise<void>;
}

/** A shape with each kind of stable field a protocol may have. */
interface Sample extends Shape {
  readonly Stable: {
    readonly term: number;
    readonly votedFor: number | null;
    readonly names: readonly string[];
    readonly log: ReadonlyMap<number, { readonly term: number; readonly command: Uint8Array }>;
    readonly votes: ReadonlyMap<number, string>;
    /** Rows that a disk may keep beside its log. */
    readonly chunks: ReadonlyMap<number, Uint8Array>;
  };
}

const sampleFields: DiskFields<Sample> = {
  stored: {
    term: integer(),
    votedFor: nullable(integer()),
    names: list(text(16), 4),
    log: record({ term: integer(), command: bytes(300) }),
    votes: digest,
    chunks: large(bytes(9000)),
  },
  initial: {
    term: 0,
    votedFor: null,
    names: [],
    log: new Map(),
    votes: new Map(),
    chunks: new Map(),
  },
};

function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return {
    below(limit) {
      state = (state + 0x6d2b79f5) >>> 0;
      let word = Math.imul(state ^ (state >>> 15), state | 1);
      word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
      return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * limit);
    },
  };
}

function randomWrite(random: Random): Write<Sample> {
  const { stored } = sampleFields;
  const index = random.below(40);
  const choice = random.below(12);
  if (choice >= 10) {
    // Above and below the smallest cell, so that a row changes to a cell of another size.
    const size = random.below(6) === 0 ? 8_200 : 0;
    const row = new Uint8Array(size + random.below(20)).fill(random.below(256));
    return { type: 'put', table: 'chunks', index: index % 6, row };
  }
  if (choice < 4) return { type: 'put', table: 'log', index, row: stored.log.sample(random) };
  if (choice < 6) return { type: 'put', table: 'votes', index, row: stored.votes.sample(random) };
  if (choice < 8) {
    const all: Record<string, Field<unknown>> = {
      term: stored.term,
      votedFor: stored.votedFor,
      names: stored.names,
    };
    const some = Object.entries(all).filter(() => random.below(2) === 0);
    const values = some.map(([name, field]) => [name, field.sample(random)]);
    return { type: 'save', registers: Object.fromEntries(values) };
  }
  const rows: Rows = random.below(2) === 0 ? { from: index } : { below: index };
  const table = (['log', 'votes', 'chunks'] as const)[random.below(3)] ?? 'log';
  return { type: 'drop', table, rows };
}

/** A map, or what is like one. */
const isTable = (value: unknown): value is ReadonlyMap<number, unknown> =>
  typeof value === 'object' && value !== null && 'forEach' in value && 'get' in value;

/** The state as text: equal states, equal text. */
function textOf(state: object): string {
  const plain = (value: unknown): unknown => {
    if (isTable(value)) return [...value].sort(([a], [b]) => a - b).map(plain);
    if (value instanceof Uint8Array) return [...value].join('.');
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    return Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, plain(each)]);
  };
  return JSON.stringify(plain(state));
}

const held = (disk: Disk<Sample>): string => textOf(disk.stable ?? sampleFields.initial);

interface Script {
  /** The state after each commit; the first is the initial one. */
  readonly states: readonly string[];
  /** For each commit, the changes that the medium had seen when it was acknowledged. */
  readonly acknowledged: readonly number[];
}

/** Commits at random, one by one and several at once, closing and opening in between. */
async function perform(medium: TestMedium, seed: number, commits: number): Promise<Script> {
  const random = randomOf(seed);
  const model: Fields = ownTables(sampleFields.initial);
  const states = [textOf(model)];
  const acknowledged: number[] = [];
  let disk = await medium.open(sampleFields);
  while (states.length <= commits) {
    const together = Array.from({ length: 1 + random.below(4) }, () => {
      const writes = Array.from({ length: 1 + random.below(5) }, () => randomWrite(random));
      for (const write of writes) applyWrite(model, write);
      const at = states.push(textOf(model)) - 2;
      return disk.commit(writes).then(() => void (acknowledged[at] = medium.power?.changes() ?? 0));
    });
    await Promise.all(together);
    if (random.below(12) > 0) continue;
    await disk.close();
    disk = await medium.open(sampleFields);
    equal(held(disk), states.at(-1), `seed ${seed}: reopened after ${states.length - 1} commits`);
  }
  await disk.close();
  return { states, acknowledged };
}

async function empty(medium: TestMedium): Promise<void> {
  const disk = await medium.open(sampleFields);
  equal(disk.stable, undefined, 'a disk that was never written gives nothing back');
  await disk.commit([]);
  await disk.close();
  const again = await medium.open(sampleFields);
  equal(again.stable, undefined, 'no writes leave nothing behind');
  await again.commit([{ type: 'save', registers: { term: 1 } }]);
  await again.close();
  const third = await medium.open(sampleFields);
  equal(held(third), textOf({ ...sampleFields.initial, term: 1 }));
  await third.close();
}

async function likeMaps(medium: TestMedium): Promise<void> {
  for (const seed of [1, 2, 3]) {
    const fresh = seed === 1;
    if (!fresh) {
      const disk = await medium.open(sampleFields);
      const wipe: Write<Sample>[] = [
        { type: 'drop', table: 'log', rows: { from: 0 } },
        { type: 'drop', table: 'votes', rows: { from: 0 } },
        { type: 'drop', table: 'chunks', rows: { from: 0 } },
        { type: 'save', registers: { term: 0, votedFor: null, names: [] } },
      ];
      await disk.commit(wipe);
      await disk.close();
    }
    const { states } = await perform(medium, seed, 120);
    const disk = await medium.open(sampleFields);
    equal(held(disk), states.at(-1), `seed ${seed}`);
    await disk.close();
  }
}

async function ownCopies(medium: TestMedium): Promise<void> {
  const disk = await medium.open(sampleFields);
  const writes: Write<Sample>[] = [{ type: 'put', table: 'votes', index: 3, row: '0'.repeat(64) }];
  const done = disk.commit(writes);
  writes.length = 0;
  await done;
  await disk.close();
  const again = await medium.open(sampleFields);
  const given = again.stable?.votes as Map<number, string>;
  equal(given.size, 1);
  given.clear();
  await again.commit([{ type: 'save', registers: { term: 9 } }]);
  await again.close();
  const third = await medium.open(sampleFields);
  equal(third.stable?.votes.size, 1, 'what the disk gave back is a copy');
  await third.close();
}

async function refusals(medium: TestMedium): Promise<void> {
  const disk = await medium.open(sampleFields);
  await disk.commit([{ type: 'save', registers: { term: 4 } }]);
  const bad: Write<Sample> = { type: 'put', table: 'votes', index: 0, row: 'not a digest' };
  await rejects(disk.commit([{ type: 'save', registers: { term: 5 } }, bad]));
  await rejects(disk.commit([{ type: 'save', registers: { term: 6 } }]), 'a failure is final');
  await disk.close().catch(() => undefined);
  const again = await medium.open(sampleFields);
  equal(again.stable?.term, 4, 'of a commit that was refused nothing is kept');
  await again.close();
  await rejects(again.commit([{ type: 'save', registers: { term: 7 } }]), 'closed is closed');
}

async function otherFields(medium: TestMedium): Promise<void> {
  const disk = await medium.open(sampleFields);
  await disk.commit([{ type: 'save', registers: { term: 4 } }]);
  await disk.close();
  const { votes: _votes, ...stored } = sampleFields.stored;
  const { votes: _none, ...initial } = sampleFields.initial;
  const fewer = { stored, initial } as unknown as DiskFields<Sample>;
  await rejects(medium.open(fewer), 'fields of another version are not guessed at');
  const again = await medium.open(sampleFields);
  equal(again.stable?.term, 4);
  await again.close();
}

/**
 * After a crash at any point: what some prefix of the commits gives, with every acknowledged one.
 */
async function crashes(medium: TestMedium): Promise<void> {
  const { power } = medium;
  if (power === undefined)
    throw new TypeError('this medium cannot lose power; say so with { power: false }');
  const seed = 7;
  const { states, acknowledged } = await perform(medium, seed, 60);
  let images = 0;
  for (let count = 0; count <= power.changes(); count++) {
    const least = acknowledged.findLastIndex((at) => at <= count) + 1;
    for (const left of power.after(count)) {
      const disk = await left.open(sampleFields);
      const found = states.indexOf(held(disk), least);
      const why = `seed ${seed}, power lost after change ${count}`;
      ok(found >= least, `${why}: an acknowledged commit is gone, or the state is none we had`);
      await disk.commit([{ type: 'save', registers: { term: 123_456 } }]);
      await disk.close();
      const again = await left.open(sampleFields);
      equal(again.stable?.term, 123_456, `${why}: the disk does not go on`);
      await again.close();
      images++;
    }
  }
  ok(images > 0, 'the medium shows what a loss of power leaves');
}

/**
 * What every disk must do, whatever it keeps its bytes on. `make` gives an empty medium per case:
 * `for (const { name, run } of testDisk(make)) test(name, run)`. `power: false` leaves out what
 * only a medium that can lose power shows.
 */
export function testDisk(
  make: () => TestMedium | Promise<TestMedium>,
  { power = true }: { readonly power?: boolean } = {},
): readonly DiskCase[] {
  const cases: Readonly<Record<string, (medium: TestMedium) => Promise<void>>> = {
    'gives nothing back until something was committed': empty,
    'gives back what a plain map would hold': likeMaps,
    'shares neither the writes nor what it gives back': ownCopies,
    'keeps nothing of a refused commit, and refuses everything after it': refusals,
    'refuses the state of another version': otherFields,
    ...(power ? { 'keeps every acknowledged commit, whenever power is lost': crashes } : {}),
  };
  return Object.entries(cases).map(([name, check]) => ({
    name,
    run: async () => {
      const medium = await make();
      try {
        await check(medium);
      } finally {
        await medium.free?.();
      }
    },
  }));
}
