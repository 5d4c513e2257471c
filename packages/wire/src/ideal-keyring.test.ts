import {
  byzantine,
  copy,
  decode,
  encode,
  type Signature,
  type Signed,
  signed as signedField,
} from '@quorumlab/core';
import { expect, test } from 'vitest';
import {
  asked,
  idealOf,
  randomOf,
  said,
  type ToyMessage,
  toy,
  toyDomain,
  type Vote,
  voteFor,
} from '../test/toy.ts';
import { checkCertificate, makeCertificate } from './certificate.ts';
import { fingerprints } from './fingerprint.ts';
import { idealAuthority, idealKeyring } from './ideal-keyring.ts';

const field = signedField(toy.messages);

test('a signature holds for its message and signer, by reference and by content', () => {
  const authority = idealAuthority();
  const [one, other] = [idealOf(authority, 0), idealOf(authority, 1)];
  const signed = one.sign(voteFor(1));
  expect(other.check(signed)).toBe(true);
  expect(other.counters.cached).toBe(1);
  expect(other.check({ ...signed })).toBe(true);
  expect(other.check(copy(signed))).toBe(true);
  expect(authority.issued()).toBe(1);
});

test('no altered message, signer or signature is accepted', () => {
  const authority = idealAuthority({ rebuilt: true });
  const keyring = idealOf(authority, 0);
  for (let seed = 0; seed < 5000; seed++) {
    const random = randomOf(seed);
    const message = toy.messages.sample(random);
    const signed = keyring.sign(message);
    const other = toy.messages.mutate(message, random);
    const { signature } = signed;
    const same = encode(toy.messages, message).join() === encode(toy.messages, other).join();
    expect(keyring.check({ ...other, from: 0, signature }), `seed ${seed}`).toBe(same);
    expect(keyring.check({ ...signed, from: 1 })).toBe(false);
    const bent = signature.slice() as Signature;
    bent[random.below(8)] = ((bent[random.below(8)] as number) + 1 + random.below(254)) & 255;
    const guess = Uint8Array.from({ length: random.below(12) }, () => random.below(256));
    for (const forged of [bent, guess as Signature]) {
      const untouched = forged.length === 8 && forged.every((byte, i) => byte === signature[i]);
      // A serial number that happens to have signed the very same statement is a good signature.
      if (!untouched && keyring.check({ ...signed, signature: forged }))
        expect(twin(keyring, forged, signed), `seed ${seed}`).toBe(true);
    }
  }
});

/** Whether `forged` is the serial number of an earlier signature over the same statement. */
const twin = (
  keyring: ReturnType<typeof idealOf>,
  forged: Signature,
  signed: Signed<ToyMessage>,
): boolean => {
  const serial = forged.reduceRight((sum, byte) => sum * 256 + byte, 0);
  return (
    serial < keyring.counters.signed &&
    forged.length === 8 &&
    keyring.check({ ...signed, signature: forged })
  );
};

test('authorities and domains do not accept the signatures of others', () => {
  const authority = idealAuthority();
  const signed = idealOf(authority, 0).sign(voteFor(1));
  expect(idealOf(idealAuthority(), 0).check(signed)).toBe(false);
  for (const change of [
    { epoch: 4 },
    { cluster: 'x' },
    { group: 'x' },
    { protocol: 'x' },
    { version: 2 },
  ]) {
    const domain = { ...toyDomain, ...change };
    const elsewhere = idealKeyring({
      authority,
      domain,
      messages: toy.messages,
      protocol: toy,
      self: 0,
    });
    expect(elsewhere.check(signed)).toBe(false);
  }
});

test('a message that went through bytes is recognised by an authority with books', () => {
  const authority = idealAuthority({ rebuilt: true });
  const keyring = idealOf(authority, 3);
  const kept: Uint8Array[] = [];
  for (let seq = 0; seq < 6000; seq++) {
    const signed = keyring.sign(voteFor(seq, `${seq}`));
    if (seq % 500 === 0) kept.push(encode(field, signed));
  }
  for (const bytes of kept) {
    const rebuilt = decode(field, bytes);
    expect(keyring.check(rebuilt)).toBe(true);
    expect(keyring.check({ ...rebuilt, from: 2 })).toBe(false);
    expect(keyring.check({ ...rebuilt, view: 1 } as Signed<ToyMessage>)).toBe(false);
  }
  const forgetful = idealOf(idealAuthority(), 3);
  expect(forgetful.check(decode(field, encode(field, forgetful.sign(voteFor(1)))))).toBe(false);
});

test('certificates and evidence hold, and bent ones do not', () => {
  const authority = idealAuthority();
  const members = toy.members.map((id) => idealOf(authority, id));
  const votes = members.slice(0, 3).map((each) => said(each, voteFor(1)));
  const votesOfAll = makeCertificate(toy.messages, votes as readonly Signed<Vote>[] as never);
  const receiver = idealOf(authority, 3);
  expect(checkCertificate(receiver, votesOfAll, byzantine(4, 1))).toBe(true);
  const commit = { kind: 'commit', seq: 1, votes: votesOfAll } as unknown as ToyMessage;
  expect(receiver.checkEvidence(idealOf(authority, 0).sign(commit))).toBe(true);
  const bent = {
    kind: 'commit',
    seq: 1,
    votes: { ...votesOfAll, body: voteFor(2) },
  } as unknown as ToyMessage;
  expect(receiver.checkEvidence(idealOf(authority, 0).sign(bent))).toBe(false);
  const request = { ...asked(1), from: 65_536, signature: new Uint8Array(8) as Signature };
  const proposal: ToyMessage = { kind: 'propose', view: 0, seq: 1, asked: request };
  expect(receiver.checkEvidence(idealOf(authority, 0).sign(proposal))).toBe(false);
});

test('a message that fits no schema is refused and stops nobody', () => {
  const keyring = idealOf(idealAuthority(), 0);
  const { signature } = keyring.sign(voteFor(1));
  const odd = { kind: 'vote', view: -1, seq: 1, digest: 'zz', from: 0, signature };
  expect(keyring.check(odd)).toBe(false);
  expect(keyring.check({ kind: 'nonsense', from: 0, signature } as never)).toBe(false);
});

test('fingerprints tell statements apart in every part', () => {
  const table = fingerprints();
  const body = Uint8Array.of(1, 2, 3);
  table.set(5000, 1, 2, 'vote', body);
  expect(table.has(5000, 1, 2, 'vote', body)).toBe(true);
  expect(table.has(4999, 1, 2, 'vote', body)).toBe(false);
  expect(table.has(5001, 1, 2, 'vote', body)).toBe(false);
  expect(table.has(-1, 1, 2, 'vote', body)).toBe(false);
  expect(table.has(5000, 2, 2, 'vote', body)).toBe(false);
  expect(table.has(5000, 1, 3, 'vote', body)).toBe(false);
  expect(table.has(5000, 1, 2 + 2 ** 32, 'vote', body)).toBe(false);
  expect(table.has(5000, 1, 2, 'votf', body)).toBe(false);
  expect(table.has(5000, 1, 2, 'vote', Uint8Array.of(1, 2, 4))).toBe(false);
  // Nothing slides from one part into the next, and a place that was never set holds nothing.
  const [letter, none] = [Uint8Array.of(98), new Uint8Array()];
  table.set(1, 0, 0, 'a', letter);
  for (const [kind, rest] of [
    ['ab', none],
    ['', Uint8Array.of(97, 98)],
    ['b', Uint8Array.of(97)],
  ] as const)
    expect(table.has(1, 0, 0, kind, rest)).toBe(false);
  for (const serial of [0, 2, 511, 512, 513, 10_000])
    expect(table.has(serial, 0, 0, '', none)).toBe(false);
  for (const serial of [511, 512, 513, 20_000]) {
    table.set(serial, 0, 0, 'a', letter);
    expect(table.has(serial, 0, 0, 'a', letter)).toBe(true);
  }
  expect(table.has(5000, 1, 2, 'vote', body)).toBe(true);
});
