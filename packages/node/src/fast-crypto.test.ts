import { readFileSync } from 'node:fs';
import { fromHex, toHex, toUtf8 } from '@quorumlab/core';
import { publicKeyOf, sha256, signer, verifier } from '@quorumlab/wire';
import { expect, test } from 'vitest';
import { fastCrypto } from './fast-crypto.ts';

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

interface Vector {
  readonly name: string;
  readonly pub: string;
  readonly msg: string;
  readonly sig: string;
}

const vectors: readonly Vector[] = [
  ...wycheproof.testGroups.flatMap(({ publicKey, tests }) =>
    tests.map(({ tcId, msg, sig }) => ({
      name: `Wycheproof ${tcId}`,
      pub: publicKey.pk,
      msg,
      sig,
    })),
  ),
  ...torsion.map((each, i) => ({ name: `torsion ${i}`, ...each })),
];

test('with and without OpenSSL every vector has the same verdict', () => {
  let rescued = 0;
  for (const { name, pub, msg, sig } of vectors) {
    const [key, bytes, signature] = [fromHex(pub), fromHex(msg), fromHex(sig)];
    const portable = verifier(key)(signature, bytes);
    const quick = fastCrypto.verifier(key)(signature, bytes);
    // OpenSSL is stricter; were it ever laxer, taking its word would be wrong.
    expect(quick && !portable, name).toBe(false);
    expect(verifier(key, fastCrypto)(signature, bytes), name).toBe(portable);
    if (portable && !quick) rescued++;
  }
  // The crafted ones, and the one of Wycheproof on which ZIP-215 and RFC 8032 differ.
  expect(rescued).toBe(torsion.length + 1);
});

test('OpenSSL signs and hashes as the portable code does', () => {
  for (let i = 0; i < 20; i++) {
    const secretKey = sha256(toUtf8(`key ${i}`));
    const bytes = toUtf8('x'.repeat(i * 17));
    const signature = fastCrypto.signer(secretKey)(bytes);
    expect(toHex(signature)).toBe(toHex(signer(secretKey)(bytes)));
    expect(fastCrypto.verifier(publicKeyOf(secretKey))(signature, bytes)).toBe(true);
    expect(toHex(fastCrypto.hash(bytes))).toBe(toHex(sha256(bytes)));
  }
});
