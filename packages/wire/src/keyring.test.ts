import { Point, utils } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import {
  encode,
  fromHex,
  type MessageField,
  messages,
  type Signature,
  type Signed,
  sameBytes,
  seal,
  toHex,
  toUtf8,
} from '@quorumlab/core';
import { expect, test } from 'vitest';
import {
  asked,
  hashOf,
  realKeyring,
  said,
  secretKeyOf,
  type ToyMessage,
  toy,
  toyDomain,
  voteFor,
} from '../test/toy.ts';
import { channelKeyring } from './channel-keyring.ts';
import { digestOf, digests, sha256, sha256Text } from './digest.ts';
import { bodyBytes, type Domain, orNothing, signingBytes } from './domain.ts';
import { KeyError, publicKeyOf, signer, verifier } from './ed25519.ts';
import { KeyringError } from './keyring.ts';

const replica = realKeyring(0);
const receiver = realKeyring(1);

test('what one member signs, another accepts, and every other speaker or word is refused', () => {
  const signed = said(replica, voteFor(1));
  expect(receiver.check(signed)).toBe(true);
  expect(receiver.check({ ...signed, seq: 2 } as Signed<ToyMessage>)).toBe(false);
  expect(receiver.check({ ...signed, from: 1 })).toBe(false);
  expect(receiver.check({ ...signed, from: 77 })).toBe(false);
  expect(receiver.check({ ...signed, signature: new Uint8Array(0) as Signature })).toBe(false);
});

const otherDomains: readonly (readonly [string, Partial<Domain>])[] = [
  ['cluster', { cluster: 'tesT' }],
  ['group', { group: 'main2' }],
  ['epoch', { epoch: 4 }],
  ['protocol', { protocol: 'toy2' }],
  ['version', { version: 2 }],
  ['a byte moved from cluster to group', { cluster: 'tes', group: 'tmain' }],
];

test.each(otherDomains)('a signature of another domain is refused: %s', (_, change) => {
  const elsewhere = realKeyring(1, { domain: { ...toyDomain, ...change } });
  const signed = said(replica, voteFor(1));
  expect(elsewhere.check(signed)).toBe(false);
  expect(
    receiver.check(said(realKeyring(0, { domain: { ...toyDomain, ...change } }), voteFor(1))),
  ).toBe(false);
});

test('two principals with one key do not speak for each other', () => {
  const shared = new Map([0, 1].map((id) => [id, publicKeyOf(secretKeyOf(0))]));
  const keyring = realKeyring(0, { publicKeys: shared });
  const signed = said(keyring, voteFor(1));
  expect(keyring.check(signed)).toBe(true);
  expect(keyring.check({ ...signed, from: 1 })).toBe(false);
});

test('the same body under another kind is another statement', () => {
  const body = Uint8Array.of(1, 2, 3);
  const one = signingBytes(toyDomain, 0, 'prepare', body);
  expect(sameBytes(one, signingBytes(toyDomain, 0, 'commit', body))).toBe(false);
  // Nothing slides from one part into the next.
  expect(
    sameBytes(
      signingBytes(toyDomain, 0, 'a', Uint8Array.of(98)),
      signingBytes(toyDomain, 0, 'ab', Uint8Array.of()),
    ),
  ).toBe(false);
});

test('a statement is verified once; a bad signature beside it is still refused', () => {
  const fresh = realKeyring(2);
  const signed = said(replica, voteFor(9));
  expect(fresh.check(signed)).toBe(true);
  expect(fresh.check({ ...signed })).toBe(true);
  expect(fresh.counters).toEqual({ signed: 0, verified: 1, cached: 1, refused: 0 });
  for (let i = 0; i < 64; i += 7) {
    const signature = signed.signature.slice() as Signature;
    signature[i] = (signature[i] as number) ^ 1;
    expect(fresh.check({ ...signed, signature })).toBe(false);
  }
  expect(fresh.check(signed)).toBe(true);
  expect(fresh.counters).toEqual({ signed: 0, verified: 1, cached: 2, refused: 10 });
});

test('a statement is signed once, and what is no statement never', () => {
  const ring = realKeyring(0);
  const [first, second] = [ring.sign(voteFor(1)), ring.sign(voteFor(1))];
  expect(second.signature).toBe(first.signature);
  expect(ring.counters).toEqual({ signed: 1, verified: 0, cached: 1, refused: 0 });
  const { signature } = first;
  for (const bad of [
    { ...first, signature: signature.slice(0, 63) as Signature },
    { ...first, view: -1 } as typeof first,
    { ...first, kind: 'nonsense' } as unknown as typeof first,
    { ...first, from: 9 },
  ])
    expect(ring.check(bad)).toBe(false);
  expect(ring.counters.refused).toBe(4);
});

test('keys and statements are copied: whoever changes his own changes nothing', () => {
  const secret = secretKeyOf(0).slice();
  const publicKey = publicKeyOf(secret).slice();
  const [sign, verify] = [signer(secret), verifier(publicKey)];
  const bytes = Uint8Array.of(1, 2);
  const signature = sign(bytes);
  secret.fill(0);
  publicKey.fill(0);
  expect(sign(bytes)).toEqual(signature);
  expect(verify(signature, bytes)).toBe(true);
  expect(verify(signature.slice(0, 63), bytes)).toBe(false);
});

test('faster code is asked first; what it accepts is good, what it refuses is looked at', () => {
  const bytes = Uint8Array.of(1);
  const publicKey = publicKeyOf(secretKeyOf(0));
  const good = signer(secretKeyOf(0))(bytes);
  const fast = (verdict: boolean) => ({
    signer: () => () => Uint8Array.of(9),
    verifier: () => () => verdict,
    hash: sha256,
  });
  expect(signer(secretKeyOf(0), fast(true))(bytes)).toEqual(Uint8Array.of(9));
  expect(verifier(publicKey, fast(true))(new Uint8Array(64), bytes)).toBe(true);
  expect(verifier(publicKey, fast(true))(new Uint8Array(63), bytes)).toBe(false);
  expect(verifier(publicKey, fast(false))(good, bytes)).toBe(true);
  expect(verifier(publicKey, fast(false))(new Uint8Array(64), bytes)).toBe(false);
});

test('a request is signed alike in every protocol, and what no schema has is none', () => {
  const votesOnly = messages(toy.messages.of('vote') as MessageField<ToyMessage>);
  expect(bodyBytes(votesOnly, asked(1))).toEqual(bodyBytes(toy.messages, asked(1)));
  expect(() => bodyBytes(votesOnly, { kind: 'commit' })).toThrow(
    '"commit" is not a kind of message',
  );
  expect(orNothing(() => bodyBytes(votesOnly, { kind: 'commit' }))).toBeUndefined();
  // Only what a schema refuses is nothing; an error of our own is one.
  const broken = (): never => {
    throw new RangeError('ours');
  };
  expect(() => orNothing(broken)).toThrow('ours');
});

test('the cache forgets, and what it forgot is verified again', () => {
  const small = realKeyring(2, { maxRemembered: 4 });
  const votes = Array.from({ length: 8 }, (_, i) => said(replica, voteFor(i)));
  for (const each of [...votes, ...votes]) expect(small.check(each)).toBe(true);
  expect(small.counters.verified).toBe(16);
});

test('keyrings do not start with keys that must not be used', () => {
  const smallOrder = fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
  expect(() => realKeyring(0, { publicKeys: new Map([[2, smallOrder]]) })).toThrow(/principal 2/);
  expect(() => receiver.admit(9, new Uint8Array(32))).toThrow(KeyError);
  expect(() => realKeyring(0, { secretKey: secretKeyOf(1) })).toThrow(/not that of its secret key/);
  expect(() => realKeyring(0, { secretKey: new Uint8Array(31) })).toThrow(KeyError);
  expect(receiver.knows(9)).toBe(false);
});

const client = realKeyring(65_536);

function commitOf(seq: number, from: number): Signed<ToyMessage> {
  const seals = [0, 2, 3].map((each) => {
    const { signature } = said(realKeyring(each), voteFor(seq));
    return { from: each, signature };
  });
  return realKeyring(from).sign({ kind: 'commit', seq, votes: { body: voteFor(seq), seals } });
}

test('every signature inside a message is checked, to any depth', () => {
  const request = client.sign(asked(1)) as Signed<ReturnType<typeof asked>>;
  const proposal = replica.sign({ kind: 'propose', view: 0, seq: 1, asked: request });
  expect(receiver.checkEvidence(proposal)).toBe(true);
  expect(receiver.checkEvidence(proposal, toy.evidence(proposal))).toBe(true);
  const forged = replica.sign({
    kind: 'propose',
    view: 0,
    seq: 1,
    asked: { ...request, sequence: 2 },
  });
  expect(receiver.check(forged)).toBe(true);
  expect(receiver.checkEvidence(forged)).toBe(false);

  const report = commitOf(1, 2);
  const change = replica.sign({ kind: 'change', view: 1, reports: [report as never] });
  expect(receiver.checkEvidence(change)).toBe(true);
  const inner = report as Signed<Extract<ToyMessage, { kind: 'commit' }>>;
  const deep = realKeyring(2).sign({ ...inner, votes: { ...inner.votes, body: voteFor(1, 'b') } });
  expect(receiver.check(deep)).toBe(true);
  expect(
    receiver.checkEvidence(replica.sign({ kind: 'change', view: 1, reports: [deep as never] })),
  ).toBe(false);
});

test('one message makes its receiver compute no more signatures than the cap', () => {
  const capped = realKeyring(1, { maxSignatures: 3 });
  const one = commitOf(1, 2);
  expect(capped.checkEvidence(one)).toBe(true);
  const change = replica.sign({ kind: 'change', view: 1, reports: [one as never] });
  const before = { ...capped.counters };
  expect(capped.checkEvidence(change)).toBe(false);
  expect(capped.counters.verified - before.verified).toBeLessThanOrEqual(3);
});

test('a channel proves its peer and nothing to third parties', () => {
  const knows = (id: number): boolean => id < 4;
  const keyring = channelKeyring<ToyMessage>({ self: 0, faults: 'crash', knows });
  const signed = keyring.sign(voteFor(1));
  expect(signed.signature.length).toBe(0);
  expect(keyring.check(signed)).toBe(true);
  expect(keyring.check({ ...signed, from: 5 })).toBe(false);
  expect(keyring.check(said(replica, voteFor(1)))).toBe(false);
  expect(() => channelKeyring({ self: 0, faults: 'byzantine', knows })).toThrow(KeyringError);
});

test('digests depend on every part, on nothing else, and are the same over any sha256', () => {
  const field = toy.messages;
  const one = digestOf(field, voteFor(1));
  expect(one).toMatch(/^[0-9a-f]{64}$/);
  expect(digestOf(field, voteFor(1))).toBe(one);
  expect(digestOf(field, voteFor(2))).not.toBe(one);
  expect(digestOf(field, voteFor(1, 'b'))).not.toBe(one);
  expect(digests((bytes) => toHex(sha256(bytes)))(field, voteFor(1))).toBe(one);
  expect(one).not.toBe(hashOf('a'));
  let computed = 0;
  const counting = digests((bytes) => {
    computed++;
    return sha256Text(bytes);
  });
  const vote = voteFor(1);
  expect([counting(field, vote), counting(field, vote)]).toEqual([one, one]);
  expect(computed).toBe(1);
  // What is digested is told from every other use of the hash, and from other forms of itself.
  const tagged = Uint8Array.from([...toUtf8('quorumlab/digest/1\n'), ...encode(field, vote)]);
  expect(toHex(sha256(tagged))).toBe(one);
  const alone = field.of('vote') as MessageField<ToyMessage>;
  expect(counting(alone, vote)).not.toBe(one);
  expect(counting(field, vote)).toBe(one);
});

test('a signer that makes several good signatures over one statement fills one place', () => {
  const secretKey = secretKeyOf(0);
  const bytes = signingBytes(toyDomain, 0, 'vote', bodyBytes(toy.messages, voteFor(5)));
  const signatures = [1n, 2n, 3n].map((nonce) => signWith(nonce, secretKey, bytes));
  const small = realKeyring(1, { maxRemembered: 4 });
  const kept = said(replica, voteFor(4));
  expect(small.check(kept)).toBe(true);
  for (const signature of signatures)
    expect(small.check(seal(voteFor(5), 0, signature as Signature))).toBe(true);
  expect(small.check(kept)).toBe(true);
  expect(small.counters).toEqual({ signed: 0, verified: 4, cached: 1, refused: 0 });
  // The first of them is the one that is known.
  for (const signature of signatures)
    expect(small.check(seal(voteFor(5), 0, signature as Signature))).toBe(true);
  expect(small.counters).toEqual({ signed: 0, verified: 6, cached: 2, refused: 0 });
});

/** A valid signature with a nonce of the signer's choice: not the one RFC 8032 prescribes. */
function signWith(nonce: bigint, secretKey: Uint8Array, bytes: Uint8Array): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const { scalar, pointBytes } = utils.getExtendedPublicKey(secretKey);
  const start = Point.BASE.multiply(nonce).toBytes();
  const hashed = sha512(Uint8Array.from([...start, ...pointBytes, ...bytes]));
  const challenge = hashed.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const s = (nonce + challenge * scalar) % order;
  const end = Uint8Array.from({ length: 32 }, (_, i) => Number((s >> BigInt(8 * i)) & 255n));
  return Uint8Array.from([...start, ...end]);
}
