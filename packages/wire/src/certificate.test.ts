import { byzantine, type Certificate, type Signature, sameBytes, threshold } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { randomOf, realKeyring, said, type ToyMessage, toy, voteFor } from '../test/toy.ts';
import { CertificateError, checkCertificate, makeCertificate } from './certificate.ts';

const keyrings = toy.members.map((id) => realKeyring(id));
const client = realKeyring(65_536);
const quorum = byzantine(4, 1);
const votes = keyrings.map((each) => said(each, voteFor(1)));
const receiver = realKeyring(0);
const make = (some: readonly unknown[]): Certificate<ToyMessage> =>
  makeCertificate(toy.messages, some as never);
const good = make([votes[3], votes[0], votes[1]]);

test('equal votes of a quorum make a certificate, in any order', () => {
  expect(good.seals.map(({ from }) => from)).toEqual([0, 1, 3]);
  expect(checkCertificate(receiver, good, quorum)).toBe(true);
  expect(Object.keys(good.body)).not.toContain('signature');
});

test('votes stand in the order of their signers, and only those of members count', () => {
  const [zero, one, two, three] = votes;
  expect(make([three, zero, two]).seals.map(({ from }) => from)).toEqual([0, 2, 3]);
  expect(make([one]).seals).toHaveLength(1);
  const fewer = threshold([0, 1, 2], 2);
  expect(checkCertificate(receiver, make([zero, one]), fewer)).toBe(true);
  // A quorum, and one more whose signature is good and who is no member.
  expect(checkCertificate(receiver, make([zero, one, three]), fewer)).toBe(false);
  expect(() => make([one, { ...zero, kind: 'veto' }])).toThrow(
    /the veto of replica 0 says something/,
  );
});

test('votes that do not fit together make none', () => {
  const [first, second] = votes;
  expect(() => make([])).toThrow(CertificateError);
  expect(() => make([first, second, second])).toThrow(/replica 1 signed twice/);
  const other = said(realKeyring(2), voteFor(1, 'b'));
  expect(() => make([first, second, other])).toThrow(/replica 2 says something else/);
});

const [a, b, c] = good.seals as [
  (typeof good.seals)[0],
  (typeof good.seals)[0],
  (typeof good.seals)[0],
];
const bad: readonly (readonly [string, Certificate<ToyMessage>])[] = [
  ['too few signers', { ...good, seals: [a, b] }],
  ['no signers', { ...good, seals: [] }],
  ['one signer twice', { ...good, seals: [a, a, b] }],
  ['one signer twice beside a quorum', { ...good, seals: [a, b, b, c] }],
  ['signers out of order', { ...good, seals: [b, a, c] }],
  ['a signature under another name', { ...good, seals: [a, b, { ...c, from: 2 }] }],
  ['an index that nobody has', { ...good, seals: [a, b, c, { ...c, from: 4 }] }],
  ['a negative index', { ...good, seals: [{ ...a, from: -1 }, b, c] }],
  ['a broken index', { ...good, seals: [a, b, { ...c, from: Number.NaN }] }],
  [
    'a client among the signers',
    { ...good, seals: [a, b, { from: 65_536, signature: client.sign(voteFor(1)).signature }] },
  ],
  ['another body', { ...good, body: voteFor(2) }],
  ['another digest', { ...good, body: voteFor(1, 'b') }],
  [
    'an empty signature',
    { ...good, seals: [a, b, { ...c, signature: new Uint8Array(0) as Signature }] },
  ],
];

test.each(bad)('a bent certificate is refused: %s', (_, certificate) => {
  expect(checkCertificate(receiver, certificate, quorum)).toBe(false);
});

test('no mutation of a certificate is accepted', () => {
  for (let seed = 0; seed < 150; seed++) {
    const random = randomOf(seed);
    const at = random.below(good.seals.length);
    const seals = good.seals.map((each, i) => {
      if (i !== at) return each;
      const signature = each.signature.slice() as Signature;
      const place = random.below(64);
      signature[place] = (signature[place] as number) ^ (1 << random.below(8));
      return { ...each, signature };
    });
    expect(checkCertificate(receiver, { ...good, seals }, quorum), `seed ${seed}`).toBe(false);
    const body = toy.messages.mutate(good.body, random);
    const same = sameBytes(encoded(body), encoded(good.body));
    expect(checkCertificate(receiver, { ...good, body }, quorum), `seed ${seed}`).toBe(same);
  }
});

const encoded = (message: ToyMessage): Uint8Array =>
  Uint8Array.from(JSON.stringify(message), (each) => each.charCodeAt(0));
