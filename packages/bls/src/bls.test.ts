/** The scheme, by published vectors, by each of its two libraries, and against rogue keys. */
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { fromHex, toHex, toUtf8 } from '@quorumlab/core';
import {
  type AggregateKey,
  type AggregateScheme,
  admitCertificateKey,
  KeyError,
  provePossession,
  publicKeyOf,
} from '@quorumlab/wire';
import { describe, expect, test } from 'vitest';
import {
  infinity,
  isOnCurve,
  keyOfOrder3,
  seeded,
  seedOf,
  signatureWithTorsion,
} from '../test/group.ts';
import { blstScheme } from './blst.ts';
import { blsScheme, keyGen, nobleScheme } from './index.ts';
import { groupOrder } from './keygen.ts';

const blst = await blstScheme();
const schemes = [...(blst === undefined ? [] : [blst]), nobleScheme];
const text = toUtf8('a block');

test('the fastest code that is here is taken', async () => {
  expect((await blsScheme()).name).toBe(schemes[0]?.name);
});

test('keys are made as the draft and EIP-2333 make master keys', () => {
  // EIP-2333, test case 0: the same KeyGen, with nothing as its purpose.
  const seed = fromHex(
    'c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553' +
      '1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04',
  );
  const master = 6083874454709270928345386274498605044986640685124978867557563392430687146096n;
  expect(BigInt(`0x${toHex(keyGen(seed, new Uint8Array()))}`)).toBe(master);
  expect(keyGen(seed)).not.toEqual(keyGen(seed, new Uint8Array()));
  expect(() => keyGen(new Uint8Array(31))).toThrow(/at least 32 bytes and not 31/);
});

describe.each(schemes)('$name', (scheme) => {
  const secrets = [1, 2, 3].map((each) => scheme.secret(new Uint8Array(32).fill(each)));
  const keys = secrets.map((each, i) => scheme.admit(each.publicKey, i));
  const shares = secrets.map((each) => each.sign(text));
  const sum = scheme.aggregate(shares) as Uint8Array;

  test('an aggregate is one of all who signed, and of nobody else', () => {
    expect(sum).toHaveLength(96);
    expect(scheme.verify(keys, text, sum)).toBe(true);
    // One signature short, one too many, another text, another sum.
    expect(scheme.verify(keys.slice(1), text, sum)).toBe(false);
    expect(scheme.verify([...keys, keys[0] as AggregateKey], text, sum)).toBe(false);
    expect(scheme.verify(keys, toUtf8('a blocK'), sum)).toBe(false);
    const short = scheme.aggregate(shares.slice(1)) as Uint8Array;
    expect(scheme.verify(keys, text, short)).toBe(false);
    expect(scheme.verify([], text, sum)).toBe(false);
  });

  test('points that must not be: infinity, outside the group, not compressed, no points', () => {
    for (const bad of [
      infinity(96),
      signatureWithTorsion,
      new Uint8Array(96),
      new Uint8Array(96).fill(255),
      sum.slice(0, 95),
      Uint8Array.from([...sum, 0]),
      new Uint8Array(192),
      new Uint8Array(),
    ])
      expect(scheme.verify(keys, text, bad), toHex(bad.slice(0, 4))).toBe(false);
    for (const bad of [infinity(96), new Uint8Array(96), sum.slice(0, 95), new Uint8Array()])
      expect(scheme.aggregate([...shares, bad]), toHex(bad.slice(0, 4))).toBeUndefined();
    expect(scheme.aggregate([])).toBeUndefined();
    const refusals: readonly [Uint8Array, RegExp][] = [
      [infinity(48), /of n7, c0.*infinity; make a new key pair/],
      [keyOfOrder3, /no point of the prime-order group/],
      [new Uint8Array(48).fill(255), /no point of the prime-order group/],
      [new Uint8Array(48), /no point of the prime-order group/],
      [new Uint8Array(96), /has 96 bytes and not 48/],
      [new Uint8Array(), /has 0 bytes and not 48/],
    ];
    for (const [bad, why] of refusals) {
      expect(() => scheme.admit(bad, 'n7'), toHex(bad.slice(0, 4))).toThrow(why);
      expect(() => scheme.admit(bad, 'n7')).toThrow(KeyError);
    }
  });

  test('two keys that cancel each other speak for nobody', () => {
    const { G1 } = bls12_381;
    const one = G1.Point.fromBytes((secrets[0] as { publicKey: Uint8Array }).publicKey);
    const other = scheme.admit(one.negate().toBytes(), 'its negative');
    expect(scheme.verify([keys[0] as AggregateKey, other], text, infinity(96))).toBe(false);
  });

  test('a rogue key speaks for its victim, unless its owner must prove to have its secret', () => {
    const { G1 } = bls12_381;
    const liar = scheme.secret(seedOf(3));
    const victim = provePossession(scheme.secret(seedOf(0)), publicKeyOf(seedOf(0)));
    const point = (bytes: Uint8Array) => G1.Point.fromBytes(bytes);
    const rogue = point(liar.publicKey).subtract(point(victim.publicKey)).toBytes();
    // What the attack is: the liar alone makes an aggregate of both.
    const both = [scheme.admit(victim.publicKey, 0), scheme.admit(rogue, 3)];
    expect(scheme.verify(both, text, liar.sign(text))).toBe(true);

    const identity = publicKeyOf(seedOf(3));
    const admit = (publicKey: Uint8Array, possession: Uint8Array): unknown =>
      admitCertificateKey(scheme, { publicKey, possession }, identity, 'n3');
    const own = provePossession(liar, identity);
    expect(admit(own.publicKey, own.possession)).toBeDefined();
    // Its own proof, the victim's, a signature over anything else, none: and a copied key.
    for (const [key, proof] of [
      [rogue, own.possession],
      [rogue, victim.possession],
      [rogue, liar.sign(text)],
      [rogue, infinity(96)],
      [rogue, new Uint8Array()],
      [victim.publicKey, victim.possession],
      [own.publicKey, liar.sign(text)],
    ] as const)
      expect(() => admit(key, proof)).toThrow(/n3.*proof of possession: it may be a rogue key/);
  });
});

test('the two libraries make the same bytes, and take the same', () => {
  if (blst === undefined) return;
  const [one, other] = [blst, nobleScheme];
  const random = seeded(7);
  const secrets = [1, 2].map((each) => one.secret(new Uint8Array(32).fill(each)));
  const twins = [1, 2].map((each) => other.secret(new Uint8Array(32).fill(each)));
  expect(secrets.map(({ publicKey }) => publicKey)).toEqual(
    twins.map(({ publicKey }) => publicKey),
  );
  const shares = secrets.map((each) => each.sign(text));
  expect(shares).toEqual(twins.map((each) => each.sign(text)));
  const sum = one.aggregate(shares) as Uint8Array;
  expect(other.aggregate(shares)).toEqual(sum);
  const keysOf = (scheme: AggregateScheme): AggregateKey[] =>
    secrets.map((each, i) => scheme.admit(each.publicKey, i));
  const [first, second] = [keysOf(one), keysOf(other)];
  const takes = (scheme: AggregateScheme, key: Uint8Array): boolean => {
    try {
      return scheme.admit(key, 'n0').bytes.length === 48;
    } catch (error) {
      if (!(error instanceof KeyError)) throw error;
      return false;
    }
  };
  for (let i = 0; i < 150; i++) {
    const bent = sum.slice();
    const at = random.below(i % 3 === 0 ? 2 : 96);
    bent[at] = (bent[at] as number) ^ (1 << random.below(8));
    expect(one.verify(first, text, bent), toHex(bent)).toBe(false);
    if (i < 20) expect(other.verify(second, text, bent), toHex(bent)).toBe(false);
    const key = (secrets[0] as { publicKey: Uint8Array }).publicKey.slice();
    key[at % 48] = (key[at % 48] as number) ^ (1 << random.below(8));
    expect(takes(one, key), toHex(key)).toBe(takes(other, key));
  }
});

test('the points of these tests are what they are said to be', () => {
  expect(isOnCurve(2n)).toBe(true);
  const { Point } = bls12_381.G1;
  expect(() => Point.fromAffine({ x: 0n, y: 2n }).assertValidity()).toThrow(/subgroup/);
  expect(groupOrder).toBe(Point.Fn.ORDER);
});
