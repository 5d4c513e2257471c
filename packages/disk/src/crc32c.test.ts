import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

const ascending = new Uint8Array(32).map((_, i) => i);

test('gives the check values of RFC 3720 B.4 and of the CRC catalogue', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('continues from a seed at any cut and any alignment', () => {
  const bytes = new Uint8Array(100).map((_, i) => (i * 37) & 0xff);
  const whole = crc32c(bytes);
  for (let cut = 0; cut <= bytes.length; cut++) {
    expect(crc32c(bytes, crc32c(bytes, 0, 0, cut), cut)).toBe(whole);
  }
});
