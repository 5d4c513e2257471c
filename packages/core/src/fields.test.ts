/** Limits, samples and mutations of each kind of field. */
import { describe, expect, test } from 'vitest';
import { randomOf } from '../test/random.ts';
import {
  boolean,
  bounded,
  bytes,
  certificate,
  checked,
  decode,
  digest,
  encode,
  type Field,
  integer,
  large,
  list,
  maxInteger,
  message,
  messages,
  nullable,
  type Request,
  record,
  request,
  SchemaError,
  type Signature,
  seal,
  signed,
  text,
  word,
} from './index.ts';

const vote = () => message('vote', { term: integer(9), granted: boolean });
const votes = () => certificate(vote(), 10);
const seals = (...from: readonly number[]) =>
  from.map((each) => ({ from: each, signature: new Uint8Array(64).fill(each) as Signature }));
const body = { kind: 'vote', term: 1, granted: true } as const;

// biome-ignore lint/suspicious/noExplicitAny: the values of a row are those of its own field
type AnyField = Field<any>;
type Row = readonly [name: string, field: AnyField, most: unknown, over: unknown];
/** Of each kind the largest value, and one that is just too large. */
const limits = (): readonly Row[] => [
  ['integer', integer(), maxInteger, maxInteger + 1],
  ['small integer', integer(300), 300, 301],
  ['bytes', bytes(5), new Uint8Array(5), new Uint8Array(6)],
  ['text', text(6), 'äöü', 'äöü!'],
  ['digest', digest, 'ab'.repeat(32), 'ab'.repeat(33)],
  ['word', word('yes', 'no'), 'no', 'maybe'],
  ['nullable', nullable(integer(7)), 7, 8],
  ['list', list(integer(), 3), [maxInteger, maxInteger, maxInteger], [0, 0, 0, 0]],
  ['bounded', bounded(list(integer(), 9), 5), [300, 300], [300, 300, 1]],
  ['checked', checked(integer(9), 'odd', (n) => (n % 2 ? undefined : 'even')), 9, 8],
  [
    'record',
    record({ one: integer(5), two: bytes(1) }),
    { one: 5, two: Uint8Array.of(1) },
    { one: 6, two: Uint8Array.of(1) },
  ],
  [
    'signed',
    signed(vote()),
    seal({ ...body, term: 9 }, 2, seals(1)[0]?.signature as Signature),
    seal({ ...body, term: 10 }, 2, seals(1)[0]?.signature as Signature),
  ],
  ['certificate', votes(), { body, seals: seals(0, 3, 8, 9) }, { body, seals: seals(0, 10) }],
  ['messages', messages(vote()), body, { ...body, kind: 'veto' }],
];

// Made anew in each test: what a field is made of belongs to what is tested.
describe.each(limits().map(([name], i) => [name, i] as const))('%s', (_, i) => {
  const row = () => limits()[i] as Row;
  test('is written up to its limit, and no further', () => {
    const [, field, most, over] = row();
    const coded = encode(field, most);
    expect(coded.length).toBeLessThanOrEqual(field.maxBytes);
    expect(decode(field, coded)).toEqual(most);
    expect(() => encode(field, over)).toThrow(SchemaError);
    // Whoever was refused leaves nothing behind.
    expect(encode(field, most)).toEqual(coded);
  });

  test('ends where it ends: neither a byte more is read nor one less', () => {
    const [, field, most] = row();
    const coded = encode(field, most);
    expect(() => decode(field, Uint8Array.from([...coded, 0]))).toThrow(SchemaError);
    expect(() => decode(field, coded.subarray(0, -1))).toThrow(SchemaError);
    expect(() => decode(field, new Uint8Array(field.maxBytes + 1))).toThrow('has at most');
  });
});

test('what a wider field wrote is refused where it is above the limit', () => {
  const cases: readonly (readonly [AnyField, Uint8Array])[] = [
    [integer(300), encode(integer(), 301)],
    [bytes(5), encode(bytes(6), new Uint8Array(6))],
    [text(5), encode(text(6), 'äöü')],
    [list(integer(), 2), encode(list(integer(), 3), [1, 2, 3])],
    [bounded(list(integer(), 9), 3), encode(list(integer(), 9), [1, 2, 3])],
    [boolean, Uint8Array.of(2)],
    [word('yes', 'no'), Uint8Array.of(2)],
    [nullable(integer()), Uint8Array.of(2, 0)],
    [messages(vote()), Uint8Array.of(1, 1, 1)],
    [checked(integer(), 'odd', (n) => (n % 2 ? undefined : 'even')), encode(integer(), 8)],
  ];
  // A field after it: the limit is not that of the whole.
  for (const [field, coded] of cases) {
    const padded = record({ field, more: bytes(20) }) as Field<unknown>;
    expect(() => decode(padded, Uint8Array.from([...coded, 0])), field.type).toThrow(SchemaError);
  }
});

/** The length of an encoding is counted from where the value begins. */
test('a bound is one of the value alone, wherever it stands', () => {
  const field = record({ before: bytes(50), few: bounded(list(integer(), 9), 3), after: bytes(9) });
  const value = { before: new Uint8Array(50), few: [1, 2], after: new Uint8Array(9) };
  expect(decode(field, encode(field, value))).toEqual(value);
});

const every = <T>(field: Field<T>, times = 400): readonly T[] =>
  Array.from({ length: times }, (_, seed) => field.sample(randomOf(seed)));

describe('samples', () => {
  test('are of all sizes, and the limits are among them', () => {
    const numbers = new Set(every(integer(1000)));
    for (const wanted of [0, 1, 2, 3, 998, 999, 1000]) expect(numbers.has(wanted)).toBe(true);
    expect([...numbers].filter((each) => each > 10 && each < 900).length).toBeGreaterThan(50);
    expect(new Set(every(integer(1)))).toEqual(new Set([0, 1]));
    const lengths = (field: Field<{ readonly length: number }>) =>
      [...new Set(every(field).map(({ length }) => length))].sort((one, two) => one - two);
    expect(lengths(bytes(3))).toEqual([0, 1, 2, 3]);
    expect(lengths(bytes(999))).toEqual(Array.from({ length: 25 }, (_, i) => i));
    expect(lengths(text(2))).toEqual([0, 1, 2]);
    expect(lengths(text(99))).toEqual(Array.from({ length: 9 }, (_, i) => i));
    expect(lengths(list(integer(), 2))).toEqual([0, 1, 2]);
    expect(lengths(list(integer(), 99))).toEqual([0, 1, 2, 3]);
    for (const each of every(text(99))) expect(each).toMatch(/^[a-z]*$/);
  });

  test('are of every form that the field has', () => {
    expect(new Set(every(boolean))).toEqual(new Set([true, false]));
    expect(new Set(every(word('a', 'b', 'c')))).toEqual(new Set(['a', 'b', 'c']));
    const maybe = every(nullable(boolean));
    expect(new Set(maybe)).toEqual(new Set([null, true, false]));
    expect(maybe.filter((each) => each === null).length).toBeLessThan(200);
    const kinds = every(messages(vote(), message('other', {}))).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['vote', 'other']));
    const signers = every(votes()).map((each) => each.seals.map(({ from }) => from).join());
    expect(new Set(signers).size).toBeGreaterThan(150);
    for (const field of [bytes(9), digest, list(bytes(9), 9)] as AnyField[])
      expect(new Set(every(field).map((each) => JSON.stringify(each))).size).toBeGreaterThan(100);
    for (const { from, signature } of every(signed(vote()), 20)) {
      expect(from).toBeLessThan(4);
      expect(signature).toHaveLength(64);
      expect(new Set(signature).size).toBeGreaterThan(20);
    }
    const wishes = every(request).map(({ operations, configuration, session }) => [
      operations.length > 0,
      configuration !== undefined,
      session !== undefined,
    ]);
    expect(new Set(wishes.map((each) => each.join())).size).toBeGreaterThan(3);
  });

  test('of a field that hardly any value passes end in an error and not in a loop', () => {
    const none = checked(integer(), 'impossible', () => 'never');
    expect(() => none.sample(randomOf(1))).toThrow('100 samples of impossible');
    expect(none.mutate(5, randomOf(1))).toBe(5);
    let tries = 0;
    const hundredth = checked(integer(), 'rare', () => (++tries === 100 ? undefined : 'rare'));
    expect(hundredth.sample(randomOf(1))).toBeTypeOf('number');
    tries = 90;
    expect(hundredth.mutate(5, randomOf(1))).not.toBe(5);
  });
});

/** How two byte strings or lists differ. */
function difference(one: ArrayLike<unknown>, two: ArrayLike<unknown>): string {
  const changed = Array.from(one).filter((each, i) => i < two.length && each !== two[i]).length;
  return `${two.length - one.length} ${one.length === two.length ? changed : ''}`.trim();
}

describe('mutations', () => {
  const mutants = <T>(field: Field<T>, value: T, times = 300): readonly T[] =>
    Array.from({ length: times }, (_, seed) => field.mutate(value, randomOf(seed)));

  test('of a value with others beside it give one of those, near and far', () => {
    const near = mutants(integer(1000), 500);
    expect(near).toContain(499);
    expect(near).toContain(501);
    expect(new Set(near).size).toBeGreaterThan(20);
    expect(near.filter((each) => each === 499 || each === 501).length).toBeGreaterThan(100);
    const fields: readonly (readonly [AnyField, ...unknown[]])[] = [
      [integer(1000), 0, 1, 500, 999, 1000],
      [integer(1), 0, 1],
      [boolean, true, false],
      [text(3), '', 'a', 'ba', 'abc'],
      [digest, '0'.repeat(64), 'a'.repeat(64), `1${'0'.repeat(63)}`],
      [word('a', 'b', 'c'), 'a', 'b', 'c'],
      [nullable(boolean), null, true, false],
      [bytes(3), new Uint8Array(), Uint8Array.of(7), Uint8Array.of(1, 2, 3)],
    ];
    for (const [field, ...values] of fields)
      for (const value of values)
        for (const other of mutants(field, value, 50)) {
          expect(other, `${field.type} ${value}`).not.toEqual(value);
          expect(decode(field, encode(field, other))).toEqual(other);
        }
    expect(mutants(integer(0), 0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(mutants(text(0), '', 2)).toEqual(['', '']);
    expect(mutants(bytes(0), new Uint8Array(), 2)).toEqual([new Uint8Array(), new Uint8Array()]);
    expect(new Set(mutants(nullable(boolean), true))).toEqual(new Set([null, false]));
    expect(mutants(record({}), {}, 1)).toEqual([{}]);
  });

  test('change a byte string or a list in one place: one bit, one longer or one shorter', () => {
    const value = Uint8Array.of(10, 20, 30);
    const forms = (field: AnyField, of: ArrayLike<unknown>) =>
      new Set(mutants(field, of).map((each) => difference(of, each)));
    const ofBytes = (limit: number) => forms(bytes(limit), value);
    expect(ofBytes(9)).toEqual(new Set(['0 1', '1']));
    expect(ofBytes(3)).toEqual(new Set(['0 1', '-1']));
    for (const other of mutants(bytes(3), value)) {
      const bits =
        other.length < 3
          ? 1
          : value.reduce((sum, byte, i) => sum + ones(byte ^ (other[i] as number)), 0);
      expect(bits).toBe(1);
      if (other.length < 3) expect([...other]).toEqual([10, 20]);
    }
    expect(value).toEqual(Uint8Array.of(10, 20, 30));
    const long = mutants(bytes(9), value).filter((each) => each.length > 3);
    for (const each of long) expect([...each.subarray(0, 3)]).toEqual([10, 20, 30]);
    const numbers = list(integer(9), 4);
    expect(forms(numbers, [1, 2, 3])).toEqual(new Set(['0 1', '1', ...gone([1, 2, 3])]));
    expect(forms(numbers, [1, 2, 3, 4])).toEqual(new Set(['0 1', ...gone([1, 2, 3, 4])]));
    expect(forms(numbers, [])).toEqual(new Set(['1']));
    expect(forms(list(integer(9), 0), [])).toEqual(new Set(['0 0']));
    const grown = mutants(list(integer(9), 4), [5, 2]).filter((each) => each.length === 3);
    // What stands there once more, and what is new.
    expect(grown.filter(([, , last]) => last === 5).length).toBeGreaterThan(20);
    expect(new Set(grown.map(([, , last]) => last)).size).toBeGreaterThan(4);
    for (const each of grown) expect(each.slice(0, 2)).toEqual([5, 2]);
    const one = new Set(mutants(list(integer(9), 4), [5]).map((each) => each.length));
    expect(one).toEqual(new Set([0, 1, 2]));
  });

  test('change one part of a record, its signer or a signature of a certificate', () => {
    const field = record({ one: integer(9), two: boolean, three: word('a', 'b') });
    const value = { one: 4, two: true, three: 'a' } as const;
    const changed = mutants(field, value).map((each) =>
      (['one', 'two', 'three'] as const).filter((name) => each[name] !== value[name]).join(),
    );
    expect(new Set(changed)).toEqual(new Set(['one', 'two', 'three']));
    const sealed = seal(body, 2, seals(1)[0]?.signature as Signature);
    const forged = mutants(signed(vote()), sealed);
    expect(new Set(forged.map(({ from }) => from))).toEqual(new Set([2, 3]));
    for (const each of forged)
      expect(each.from === 2).toBe(each.term !== body.term || each.granted !== body.granted);
    const proof = { body, seals: seals(1, 4) };
    const shortened = mutants(votes(), proof);
    const short = shortened.filter((each) => each.seals.length === 1);
    expect(short.length).toBeGreaterThan(50);
    expect(short.length).toBeLessThan(250);
    for (const each of short) expect(each).toEqual({ body, seals: seals(4) });
    for (const each of mutants(votes(), { body, seals: [] }, 20))
      expect(each.body).not.toEqual(body);
  });

  test('of a request stay requests: for the application or about the group', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = randomOf(seed);
      const value = request.sample(random);
      const other = request.mutate(value, random);
      expect(decode(request, encode(request, other))).toEqual(other);
      expect(other.operations.length > 0 && other.configuration !== undefined).toBe(false);
    }
    const change: Request = {
      kind: 'request',
      client: 70_000,
      sequence: 1,
      acknowledged: 1,
      operations: [],
      configuration: Uint8Array.of(1, 2),
    };
    const others = mutants(request, change).filter(({ operations }) => operations.length === 0);
    for (const { configuration } of others) expect(configuration).toEqual(change.configuration);
  });
});

const hashed = (): Readonly<Record<string, AnyField>> => ({
  number: integer(),
  text: text(9),
  list: list(integer(9), 4),
  record: record({ one: nullable(integer(9)), two: word('a', 'b') }),
  signed: signed(vote()),
  certificate: votes(),
  request: request,
  messages: messages(vote(), message('blob', { data: bytes(9), digest })),
});

test.each(Object.keys(hashed()))('the trace hash of a %s changes with any part of it', (name) => {
  const field = hashed()[name] as AnyField;
  for (let seed = 0; seed < 300; seed++) {
    const random = randomOf(seed);
    const value = field.sample(random);
    const other = field.mutate(value, random);
    const same = encode(field, value).join() === encode(field, other).join();
    expect(field.mix(17, value) === field.mix(17, other)).toBe(same);
    expect(field.mix(17, decode(field, encode(field, value)))).toBe(field.mix(17, value));
    expect(field.mix(18, value)).not.toBe(field.mix(17, value));
  }
});

test('a field that encodes while another does has a place of its own', () => {
  const inner = bytes(9);
  const twice = (value: number) => encode(list(integer(), 9), [value, value]);
  const nested: Field<number> = {
    ...integer(),
    write(to, value) {
      inner.write(to, twice(value));
      inner.write(to, twice(value + 1));
    },
  };
  for (const value of [1, 3])
    expect([...encode(record({ first: integer(), nested }), { first: 9, nested: value })]).toEqual([
      ...[9, 3, 2, value, value, 3, 2, value + 1, value + 1],
    ]);
});

test('messages are told apart by their kinds, and large tables by their field', () => {
  const all = messages(vote(), message('other', { n: integer() }));
  expect(all.kinds.map(({ kind }) => kind)).toEqual(['vote', 'other']);
  expect(all.of('other')?.kind).toBe('other');
  expect(all.of('nobody')).toBeUndefined();
  expect([...encode(all, { kind: 'other', n: 5 })]).toEqual([1, 5]);
  expect([large(vote()).isLarge, (vote() as Field<unknown>).isLarge]).toEqual([true, undefined]);
  expect(record({ one: integer(5), two: boolean }).type).toBe('{ one: integer ≤ 5; two: boolean }');
  expect(integer().type).toBe('integer');
});

const ones = (byte: number): number => (byte === 0 ? 0 : (byte & 1) + ones(byte >> 1));
/** How a list of different entries looks without one of them: by what follows the gap. */
const gone = (of: readonly number[]): string[] =>
  of.map((_, cut) =>
    difference(
      of,
      of.filter((_, i) => i !== cut),
    ),
  );
