import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  copyOf,
  fromHex,
  fromUtf8,
  maxInteger,
  reader,
  readInteger,
  SchemaError,
  sameBytes,
  toHex,
  toUtf8,
  writeHex,
  writeInteger,
  writer,
  written,
} from './bytes.ts';

const plain = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** The same code where the engine knows no hexadecimal of its own, as before 2025. */
async function olderEngine(): Promise<typeof import('./bytes.ts')> {
  const { prototype } = Uint8Array;
  const names = ['toHex', 'setFromHex'] as const;
  const own = names.map(
    (name) => [name, Object.getOwnPropertyDescriptor(prototype, name)] as const,
  );
  try {
    for (const name of names) Reflect.deleteProperty(prototype, name);
    // Another name for the same file, so that it is evaluated anew.
    const anew = './bytes.ts?older-engine';
    return (await import(anew)) as typeof import('./bytes.ts');
  } finally {
    for (const [name, of] of own) if (of !== undefined) Object.defineProperty(prototype, name, of);
  }
}

test('hexadecimal is what one byte after the other gives, in both directions', async () => {
  for (const code of [{ toHex, fromHex, writeHex, writer, written }, await olderEngine()])
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length * 11) & 255);
      const text = plain(bytes);
      expect(code.toHex(bytes)).toBe(text);
      const to = code.writer(1);
      code.writeHex(to, text);
      code.writeHex(to, text);
      const both = code.written(to);
      expect(plain(both)).toBe(text + text);
      expect(plain(code.fromHex(text))).toBe(text);
    }
});

test.each([
  'AB',
  '0g',
  ' 1',
  '0x',
  'é0',
  '1',
  '0:',
  '`0',
  '0/',
  `${'0'.repeat(199)}g`,
  '0'.repeat(201),
])('%j is no lower-case hexadecimal', (text) => {
  expect(() => writeHex(writer(), text)).toThrow(SchemaError);
  expect(() => fromHex(text)).toThrow(SchemaError);
});

/** Where the number of bytes changes, and its neighbours. */
const edges = Array.from({ length: 49 }, (_, i) => 2 ** i).flatMap((power) =>
  [power - 1, power, power + 1].filter((each) => each <= maxInteger),
);

test('a number takes one byte for each seven bits, and only its shortest form is read', () => {
  const to = writer(1);
  for (const value of edges) {
    writeInteger(to, value);
    const bytes = written(to);
    const digits = Math.max(1, Math.ceil(value.toString(2).length / 7));
    expect(bytes).toHaveLength(digits);
    expect(readInteger(reader(bytes))).toBe(value);
    const longer = Uint8Array.from([...bytes, 0]);
    longer[digits - 1] = (longer[digits - 1] as number) | 0x80;
    const why = digits === 7 ? 'longer than 7 bytes' : 'shortest form';
    expect(() => readInteger(reader(longer)), `${value}`).toThrow(why);
    expect(() => readInteger(reader(bytes.subarray(0, -1)))).toThrow(SchemaError);
  }
  for (const value of [maxInteger + 1, -1, 0.5, Number.NaN])
    expect(() => writeInteger(to, value)).toThrow('not an integer');
});

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const decoded = (decode: (bytes: Uint8Array) => string, bytes: Uint8Array): string | undefined => {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
};

test('text becomes the bytes that the standard says, and only those become text', () => {
  const points = [0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff];
  for (const point of [0, 0x20ac, ...points]) {
    const text = `a${String.fromCodePoint(point)}b`;
    expect(toUtf8(text)).toEqual(new Uint8Array(new TextEncoder().encode(text)));
    expect(fromUtf8(toUtf8(text))).toBe(text);
  }
  for (const half of ['\ud800', '\udfff', 'a\udbff', '\udc00b'])
    expect(() => toUtf8(half)).toThrow('lone surrogate');
  const byte = fc.constantFrom(
    ...[0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1],
    ...[0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff],
  );
  const property = fc.property(fc.array(byte, { minLength: 1, maxLength: 4 }), (some) => {
    const bytes = Uint8Array.from(some);
    expect(decoded(fromUtf8, bytes)).toBe(decoded((each) => strict.decode(each), bytes));
  });
  const least = [
    [0xc2, 0x80],
    [0xe0, 0xa0, 0x80],
    [0xf0, 0x90, 0x80, 0x80],
    [0xf4, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe0, 0x9f, 0xbf],
    [0xed, 0x9f, 0xbf],
    [0xed, 0xbf, 0xbf],
    [0xf0, 0x8f, 0xbf, 0xbf],
  ];
  fc.assert(property, { numRuns: 500, examples: least.map((each) => [each]) });
});

test('a copy is one of its own, whatever is copied before and after it', () => {
  const source = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) & 255);
  const lengths = [0, 1, 31, 32, 33, 1023, 1024, 1025, 2999];
  const copies = Array.from({ length: 60 }, (_, i) => lengths[i % lengths.length] as number).map(
    (length, i) => ({ length, from: i % 2, copy: copyOf(source, i % 2, (i % 2) + length) }),
  );
  const before = source.slice();
  source.fill(0);
  for (const { length, from, copy } of copies) {
    expect(sameBytes(copy, before.subarray(from, from + length))).toBe(true);
    copy.fill(255);
  }
});

test('two byte strings are the same exactly if each byte is', () => {
  const one = Uint8Array.of(1, 2, 3);
  expect(sameBytes(one, one)).toBe(true);
  expect(sameBytes(one, Uint8Array.of(1, 2, 3))).toBe(true);
  for (const other of [[1, 2], [1, 2, 3, 0], [1, 2, 4], [0, 2, 3], []])
    expect(sameBytes(one, Uint8Array.from(other))).toBe(false);
  expect(sameBytes(new Uint8Array(), Uint8Array.of())).toBe(true);
});
