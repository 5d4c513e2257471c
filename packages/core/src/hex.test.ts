import { expect, test } from 'vitest';
import { fromHex, SchemaError, toHex, writeHex, writer, written } from './bytes.ts';

const plain = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

test('hexadecimal is what one byte after the other gives, in both directions', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length * 11) & 255);
    const text = plain(bytes);
    expect(toHex(bytes)).toBe(text);
    const to = writer(1);
    writeHex(to, text);
    writeHex(to, text);
    const both = written(to);
    expect(plain(both)).toBe(text + text);
    expect(plain(fromHex(text))).toBe(text);
  }
});

test.each(['AB', '0g', ' 1', '0x', 'é0'])('%j is no lower-case hexadecimal', (text) => {
  expect(() => writeHex(writer(), text)).toThrow(SchemaError);
});
