import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomOf } from '../test/random.ts';
import {
  boolean,
  bytes,
  certificate,
  checked,
  decode,
  digest,
  encode,
  type Field,
  integer,
  list,
  maxInteger,
  message,
  messages,
  nullable,
  request,
  SchemaError,
  signed,
  text,
  word,
} from './index.ts';

const vote = message('vote', { term: integer(), granted: boolean, who: nullable(integer(255)) });
const order = message('order', {
  view: integer(1000),
  digest,
  role: word('leader', 'follower'),
  note: text(40),
  batch: list(signed(request), 8),
  blobs: list(bytes(9), 3),
});
const proof = message('proof', { votes: certificate(vote, 10) });
const all = messages(vote, order, proof);
// Signatures do not count in a trace hash: many are valid for one statement.
const unsigned = messages(vote, message('blob', { data: bytes(20), note: text(20), digest }));
const even = checked(integer(100), 'even number', (n) => (n % 2 ? `${n} is odd` : undefined));

const fields: Readonly<Record<string, Field<unknown>>> = {
  all,
  even,
  order,
  proof,
  signed: signed(vote),
};

for (const [name, field] of Object.entries(fields)) {
  test(`${name}: decode(encode(value)) is the value, and encode(decode(bytes)) the bytes`, () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const value = field.sample(randomOf(seed));
        const coded = encode(field, value);
        expect(coded.length).toBeLessThanOrEqual(field.maxBytes);
        expect(decode(field, coded)).toEqual(value);
      }),
    );
  });

  test(`${name}: bytes of a stranger are refused with SchemaError or are canonical`, () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0 }),
        fc.integer({ min: 0, max: 255 }),
        (seed, at, byte) => {
          const coded = encode(field, field.sample(randomOf(seed)));
          if (coded.length > 0) coded[at % coded.length] = byte;
          try {
            expect(encode(field, decode(field, coded))).toEqual(coded);
          } catch (error) {
            expect(error).toBeInstanceOf(SchemaError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test(`${name}: a mutation is valid, and most mutations differ`, () => {
    let different = 0;
    for (let seed = 0; seed < 200; seed++) {
      const random = randomOf(seed);
      const value = field.sample(random);
      const other = field.mutate(value, random);
      const coded = encode(field, other);
      expect(decode(field, coded)).toEqual(other);
      if (coded.join() !== encode(field, value).join()) different++;
    }
    expect(different).toBeGreaterThan(120);
  });
}

test('equal values have equal trace hashes, different ones almost always different ones', () => {
  const hashes = new Map<number, string>();
  let collisions = 0;
  for (let seed = 0; seed < 5000; seed++) {
    const value = unsigned.sample(randomOf(seed));
    const coded = encode(unsigned, value).join();
    const hash = unsigned.mix(17, value);
    expect(unsigned.mix(17, decode(unsigned, encode(unsigned, value)))).toBe(hash);
    if ((hashes.get(hash) ?? coded) !== coded) collisions++;
    hashes.set(hash, coded);
  }
  expect(collisions).toBeLessThan(3);
});

test('numbers stop at 2^48, where n + 1 is still larger than n', () => {
  expect(decode(integer(), encode(integer(), maxInteger))).toBe(maxInteger);
  expect(() => encode(integer(), maxInteger + 1)).toThrow(SchemaError);
  expect(() => encode(integer(), -1)).toThrow('not an integer');
  expect(() => encode(integer(), 1.5)).toThrow('not an integer');
  const above = Uint8Array.of(0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40);
  expect(() => decode(integer(), above)).toThrow('above 2^48');
  expect(() => decode(integer(), Uint8Array.of(0x80, 0x00))).toThrow('shortest form');
});

test('a length that lies is refused before anything is allocated for it', () => {
  const claim = encode(integer(), maxInteger);
  expect(() => decode(list(bytes(4), maxInteger), claim)).toThrow('end too early');
  expect(() => decode(bytes(maxInteger), claim)).toThrow('end too early');
});

test('text is well-formed UTF-8 in its shortest form, or refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 10 }), (value) => {
      expect(decode(text(1000), encode(text(1000), value))).toBe(value);
    }),
  );
  for (const bad of [
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xff],
    [0xe2, 0x82],
    [0xf4, 0x90, 0x80, 0x80],
  ])
    expect(() => decode(text(10), Uint8Array.from([bad.length, ...bad]))).toThrow(SchemaError);
  expect(() => encode(text(10), '\ud800')).toThrow('lone surrogate');
});

test('a certificate names each signer once, in order, and members only', () => {
  const field = certificate(vote, 4);
  const body = { kind: 'vote', term: 1, granted: true, who: null } as const;
  const signature = signed(vote).sample(randomOf(1)).signature;
  const seals = (...from: number[]) => from.map((each) => ({ from: each, signature }));
  expect(decode(field, encode(field, { body, seals: seals(0, 2, 3) })).seals).toHaveLength(3);
  for (const wrong of [seals(1, 1), seals(2, 1), seals(4)])
    expect(() => encode(field, { body, seals: wrong })).toThrow(SchemaError);
  const coded = encode(field, { body, seals: seals(0) });
  const outsider = coded.slice();
  const bitmapAt = encode(vote, body).length;
  outsider[bitmapAt] = 0x10;
  expect(() => decode(field, outsider)).toThrow('not one of 4 members');
});

test('names of the envelope cannot be parts of a message', () => {
  expect(() => message('bad', { from: integer() })).toThrow('choose another');
  expect(() => messages(vote, vote)).toThrow('same kind');
});
