/** What is read in steps is what is read in one go. */
import { expect, test } from 'vitest';
import { randomOf } from '../test/random.ts';
import { reader } from './bytes.ts';
import {
  boolean,
  bounded,
  bytes,
  checked,
  encode,
  type Field,
  integer,
  list,
  message,
  messages,
  nullable,
  readInSteps,
  record,
  request,
  signed,
} from './index.ts';

const few = checked(list(integer(9), 4), 'few', (all) => (all.length > 3 ? 'many' : undefined));
const field = messages(
  message('vote', { term: integer(9), granted: boolean }),
  message('batch', { requests: bounded(list(signed(request), 300), 60_000) }),
  message('nested', {
    rows: list(record({ few, maybe: nullable(few) }), 5),
    sealed: signed(message('few', { few })),
  }),
);

type Read = { readonly value?: unknown; readonly error?: string; readonly at: number };

/** What comes of reading with `read`: a value or an error, and where it ended. */
function readBy(coded: Uint8Array, read: (from: ReturnType<typeof reader>) => unknown): Read {
  const from = reader(coded);
  try {
    return { value: read(from), at: from.at };
  } catch (error) {
    return { error: String(error), at: from.at };
  }
}

/** Reads in steps to the end, and notes how long each was. */
function inSteps<T>(of: Field<T>, from: ReturnType<typeof reader>, steps: number[] = []): T {
  const reading = readInSteps(of, from);
  for (let step = reading.next(); ; step = reading.next()) {
    if (step.done === true) return step.value;
    steps.push(step.value);
  }
}

test('the same value, or the same error, at the same place, whatever the bytes are', () => {
  const random = randomOf(7);
  for (let i = 0; i < 2_000; i++) {
    const coded = encode(field, field.sample(random));
    const changed = random.below(3);
    for (let k = 0; k < changed; k++) coded[random.below(coded.length)] = random.below(256);
    const cut = random.below(4) === 0 ? coded.slice(0, random.below(coded.length)) : coded;
    expect(readBy(cut, (from) => inSteps(field, from))).toEqual(readBy(cut, field.read));
  }
});

test('steps are short, and tell of all parts that take long', () => {
  const operations = Array.from({ length: 180 }, (_, i) => Uint8Array.of(i & 255));
  const one = { kind: 'request', client: 1, sequence: 1, acknowledged: 1, operations } as const;
  const seal = { from: 1, signature: new Uint8Array(64) } as never;
  const value = { kind: 'batch', requests: Array(10).fill({ ...one, ...(seal as object) }) };
  const coded = encode<unknown>(field as Field<unknown>, value);
  const steps: number[] = [];
  expect(inSteps<unknown>(field, reader(coded), steps)).toEqual(value);
  expect(Math.max(...steps)).toBeLessThanOrEqual(64);
  expect(steps.reduce((sum, parts) => sum + parts, 0)).toBe(10 * 180 + 10);
});

test('a copy of a field with another way to read is read in that way', () => {
  const even = { ...list(integer(), 3), read: () => [] };
  expect(inSteps(even, reader(encode(bytes(3), Uint8Array.of(1, 2))))).toEqual([]);
});
