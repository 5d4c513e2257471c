/** Mistakes of the channel and of keys: who is taken for whom. */
import { readFileSync } from 'node:fs';
import { fromHex, range, type Signed } from '@quorumlab/core';
import { kv } from '@quorumlab/log';
import { fastCrypto } from '@quorumlab/node';
import { type Raft, type RaftMessage, raft } from '@quorumlab/raft';
import { channelKeyring, domainOf, ed25519Keyring, publicKeyOf, verifier } from '@quorumlab/wire';
import { expect, test } from 'vitest';
import { client, groupOf, request, signature } from '../support/serviced-group.ts';

/** What an outsider puts under the name of replica 1: a term that nobody led, and its entry. */
const forged: RaftMessage = {
  kind: 'append-entries',
  term: 99,
  prevIndex: 0,
  prevTerm: 0,
  entries: [
    {
      term: 99,
      command: { ...request(1, kv.put('who', 'nobody')), from: client, signature },
    },
  ],
  leaderCommit: 1,
  round: 1,
};

test('A-51: over a channel that proves nothing, an outsider commits what it likes', () => {
  const group = groupOf<Raft>(raft({ n: 3 }));
  group.timeout(0, 'election');
  group.hears(0, client, request(1, kv.put('who', 'Ann')));
  expect(group.values('who')[0]).toBe('Ann');
  const alone = groupOf<Raft>(raft({ n: 3 }));
  for (const id of [0, 2]) alone.hears(id, 1, forged);
  expect(alone.values('who')).toEqual(['nobody', undefined, 'nobody']);
});

test('a channel that proves who speaks takes it from nobody but replica 1', () => {
  const members = range(3);
  const keyring = channelKeyring<RaftMessage>({
    self: 0,
    faults: 'crash',
    knows: (principal) => members.includes(principal),
  });
  // The outsider has a key of its own and no other, so its channel says that it is not replica 1.
  const said: Signed<RaftMessage> = { ...forged, from: 77, signature };
  expect(keyring.check(said)).toBe(false);
  expect(keyring.check({ ...said, from: 1 })).toBe(true);
});

/** The keyring of one member of a cluster, and what it signs there. */
function memberOf(cluster: string, self: number, epoch = 0) {
  const { name, version, messages } = raft({ n: 3 });
  const secret = (id: number): Uint8Array => new Uint8Array(32).fill(id + 1);
  return ed25519Keyring<RaftMessage>({
    domain: domainOf({ name, version }, { cluster, group: 'main', epoch }),
    messages,
    protocol: { messages },
    self,
    secretKey: secret(self),
    // The same people run both clusters, with the same keys.
    publicKeys: new Map(range(3).map((id) => [id, publicKeyOf(secret(id))])),
  });
}

const vote: RaftMessage = { kind: 'vote', term: 7, candidate: 0, granted: true };

test('B-57: clusters that share keys and a name take votes from each other', () => {
  const heard = memberOf('payments', 1).sign(vote);
  expect(memberOf('payments', 0).check(heard)).toBe(true);
});

test('with the name of the cluster under each signature they do not', () => {
  const heard = memberOf('test', 1).sign(vote);
  expect(memberOf('payments', 0).check(heard)).toBe(false);
});

test('B-54: where signatures leave the configuration out, who was removed still votes', () => {
  const heard = memberOf('payments', 2).sign(vote);
  expect(memberOf('payments', 0).check(heard)).toBe(true);
});

test('with the epoch of the configuration under each signature it does not', () => {
  const heard = memberOf('payments', 2, 0).sign(vote);
  expect(memberOf('payments', 0, 1).check(heard)).toBe(false);
});

interface Vector {
  readonly pub: string;
  readonly msg: string;
  readonly sig: string;
}

/** Signatures that their signer has made so that libraries disagree about them. */
const crafted: readonly Vector[] = JSON.parse(
  readFileSync(new URL('../fixtures/ed25519/torsion.json', import.meta.url), 'utf8'),
);

test('B-56: where one half verifies by RFC 8032 and one by ZIP-215, a signer splits them', () => {
  for (const { pub, msg, sig } of crafted) {
    const lax = verifier(fromHex(pub));
    const strict = fastCrypto.verifier(fromHex(pub));
    const answers = [lax, strict].map((check) => check(fromHex(sig), fromHex(msg)));
    expect(answers).toEqual([true, false]);
  }
});

test('by one rule all of them give one answer, with fast code and without it', () => {
  for (const { pub, msg, sig } of crafted) {
    const nodes = [verifier(fromHex(pub)), verifier(fromHex(pub), fastCrypto)];
    expect(nodes.map((check) => check(fromHex(sig), fromHex(msg)))).toEqual([true, true]);
  }
});
