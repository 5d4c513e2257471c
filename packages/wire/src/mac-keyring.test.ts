/** Keyrings of groups whose replicas sign nothing: what the channel proves, and what it cannot. */
import { firstClient, type Signature, type Signed, type Tagged } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { asked, realKeyring, said, type ToyMessage, toy, voteFor } from '../test/toy.ts';
import type { EvidenceLimits } from './keyring.ts';
import { macKeyring } from './mac-keyring.ts';

type Proposal = Extract<ToyMessage, { readonly kind: 'propose' }>;
type Asked = Proposal['asked'];

const signing = [0, 1, firstClient].map((self) => realKeyring(self));
const [ring, peer, client] = signing.map((clients) => macKeyring({ clients, protocol: toy }));
if (!(ring && peer && client)) throw new Error('three keyrings are made');

const ask = (sequence: number): Asked => client.sign(asked(sequence)) as Asked;
const propose = (request: Asked): Signed<ToyMessage> =>
  ring.sign({ kind: 'propose', view: 0, seq: 1, asked: request });

/** Why `message` is refused, or nothing. */
function faultOf(message: Signed<ToyMessage>, limits: EvidenceLimits = {}) {
  const clients = realKeyring(1);
  const steps = macKeyring({ clients, protocol: toy, limits }).checkInSteps(message);
  for (let next = steps.next(); ; next = steps.next()) if (next.done) return next.value;
}

test('a replica signs nothing, and its peers take that from replicas that they know', () => {
  const before = { ...ring.counters };
  const vote = said(ring, voteFor(1));
  expect([vote.from, vote.signature.length]).toEqual([0, 0]);
  expect(ring.counters).toEqual(before);
  expect([peer.name, peer.check(vote), faultOf(vote)]).toEqual(['mac', true, undefined]);
  expect(faultOf({ ...vote, from: 77 })).toBe('bad-signature');
  expect(peer.check({ ...vote, from: 77 })).toBe(false);
});

test('a signature of a replica is refused, a good one too: its group has none', () => {
  const signed = said(realKeyring(0), voteFor(1));
  expect(realKeyring(1).check(signed)).toBe(true);
  expect([peer.check(signed), faultOf(signed)]).toEqual([false, 'bad-signature']);
  expect(peer.checkSeal(0, signed.signature, voteFor(1) as Tagged)).toBe(false);
});

test('a client signs, and whoever it reaches through another replica can check that', () => {
  const request = ask(1);
  expect(request.signature.length).toBe(64);
  expect([peer.check(request), faultOf(propose(request))]).toEqual([true, undefined]);
  expect(peer.checkEvidence(propose(request))).toBe(true);
  const silent = { ...request, signature: new Uint8Array(0) as Signature };
  for (const bad of [silent, { ...request, sequence: 2 }, { ...request, from: firstClient + 1 }]) {
    expect([peer.check(bad), faultOf(propose(bad))]).toEqual([false, 'bad-evidence']);
    expect(peer.checkEvidence(propose(bad))).toBe(false);
  }
});

test('what another replica is said to have said proves nothing, signed or not', () => {
  for (const clients of [realKeyring(2), macKeyring({ clients: realKeyring(2), protocol: toy })]) {
    const { signature } = said(clients, voteFor(1));
    const votes = { body: voteFor(1), seals: [{ from: 2, signature }] };
    const quoting = ring.sign({ kind: 'commit', seq: 1, votes });
    expect([peer.check(quoting), faultOf(quoting)]).toEqual([true, 'bad-evidence']);
    expect(peer.checkEvidence(quoting)).toBe(false);
  }
});

test('one message makes its receiver compute no more signatures than the cap', () => {
  expect(faultOf(propose(ask(1)), { maxSignatures: 1 })).toBeUndefined();
  expect(faultOf(propose(ask(1)), { maxSignatures: 0 })).toBe('bad-evidence');
});
