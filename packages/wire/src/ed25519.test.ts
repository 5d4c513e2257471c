import { readFileSync } from 'node:fs';
import { Point } from '@noble/ed25519';
import { fromHex, toHex } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { admitPublicKey, KeyError, publicKeyOf, signer, verifier } from './ed25519.ts';

/** A file of test/fixtures/ed25519. Its form is that of the vectors' publishers. */
const fixture = <T>(name: string): T =>
  JSON.parse(
    readFileSync(new URL(`../../../test/fixtures/ed25519/${name}`, import.meta.url), 'utf8'),
  );

interface Groups {
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string };
    readonly tests: readonly {
      readonly tcId: number;
      readonly comment: string;
      readonly msg: string;
      readonly sig: string;
      readonly result: string;
    }[];
  }[];
}

const wycheproof = fixture<Groups>('ed25519_test.json');
const torsion = fixture<readonly { pub: string; msg: string; sig: string }[]>('torsion.json');
const rfc8032 =
  fixture<readonly { priv: string; pub: string; msg: string; sig: string }[]>(
    'rfc8032-ed25519.json',
  );

test.each(rfc8032.map((each, i) => [i, each] as const))('RFC 8032 vector %i', (_, vector) => {
  const secretKey = fromHex(vector.priv);
  const bytes = fromHex(vector.msg);
  expect(toHex(publicKeyOf(secretKey))).toBe(vector.pub);
  expect(toHex(signer(secretKey)(bytes))).toBe(vector.sig);
  expect(verifier(fromHex(vector.pub))(fromHex(vector.sig), bytes)).toBe(true);
  expect(() => admitPublicKey(fromHex(vector.pub), 'the vector')).not.toThrow();
});

/**
 * Vectors that Wycheproof marks invalid by RFC 8032 and ZIP-215 accepts, with the reason. All other
 * vectors have one verdict under both.
 */
const acceptedByZip215: ReadonlyMap<number, string> = new Map([
  [
    151,
    'R is "minus zero": RFC 8032, 5.1.3 refuses that encoding of y = 1, ZIP-215 takes all of them',
  ],
]);

test('Wycheproof: every verdict, or the ZIP-215 rule that makes another', () => {
  let count = 0;
  for (const { publicKey, tests } of wycheproof.testGroups) {
    const verify = verifier(fromHex(publicKey.pk));
    for (const each of tests) {
      const expected = each.result === 'valid' || acceptedByZip215.has(each.tcId);
      expect(verify(fromHex(each.sig), fromHex(each.msg)), `${each.tcId}: ${each.comment}`).toBe(
        expected,
      );
      count++;
    }
  }
  expect(count).toBe(151);
});

test('signatures with torsion in R are accepted whatever fast code answers', () => {
  for (const each of torsion) {
    const bytes = fromHex(each.msg);
    const refusing = { signer, hash: (all: Uint8Array) => all, verifier: () => () => false };
    expect(verifier(fromHex(each.pub))(fromHex(each.sig), bytes)).toBe(true);
    expect(verifier(fromHex(each.pub), refusing)(fromHex(each.sig), bytes)).toBe(true);
  }
});

test('S above the group order is refused', () => {
  const [vector] = rfc8032;
  const sig = fromHex(vector?.sig ?? '');
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  let s = 0n;
  for (let i = 63; i >= 32; i--) s = s * 256n + BigInt(sig[i] as number);
  let more = s + order;
  for (let i = 32; i < 64; i++, more /= 256n) sig[i] = Number(more % 256n);
  expect(verifier(fromHex(vector?.pub ?? ''))(sig, new Uint8Array())).toBe(false);
});

/** A point of order 8 (the other points of small order are its multiples). */
const order8 = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
const p = 2n ** 255n - 19n;
const littleEndian = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));

test('public keys of small order, with torsion or not canonical are refused', () => {
  let small = order8;
  for (let i = 1; i <= 8; i++, small = small.add(order8))
    expect(() => admitPublicKey(small.toBytes(), 7), `${i} T8`).toThrow(KeyError);
  const good = publicKeyOf(new Uint8Array(32).fill(7));
  expect(() => admitPublicKey(good, 7)).not.toThrow();
  const torsioned = Point.fromBytes(good).add(order8).toBytes();
  expect(() => admitPublicKey(torsioned, 7)).toThrow(/principal 7|of 7.*torsion/);
  // Every y below 19 can also be written as y + p.
  for (let y = 0n; y < 19n; y++)
    for (const sign of [0, 128]) {
      const key = littleEndian(y + p);
      key[31] = (key[31] as number) | sign;
      expect(() => admitPublicKey(key, 7), `${y} + p`).toThrow(KeyError);
    }
  // x = 0 with the sign bit set.
  const minusZero = littleEndian(1n);
  minusZero[31] = 128;
  expect(() => admitPublicKey(minusZero, 7)).toThrow(KeyError);
  for (const length of [0, 31, 33, 64])
    expect(() => admitPublicKey(new Uint8Array(length), 7)).toThrow(KeyError);
});
