/**
 * A quorum's votes as one signature: who signs, who makes the certificate, who checks it, and a
 * rogue key that would speak for others if nobody asked for its proof of possession.
 */
import { blsScheme, nobleScheme } from '@quorumlab/bls';
import {
  byzantine,
  certificate,
  certify,
  digest,
  integer,
  message,
  messages,
} from '@quorumlab/core';
import {
  admitCertificateKey,
  aggregatingKeyring,
  checkCertificate,
  domainOf,
  ed25519Keyring,
  envelopes,
  isRefusal,
  provePossession,
  publicKeyOf,
} from '@quorumlab/wire';

// A protocol as far as keyrings see it: votes, and blocks that show the votes for the one before.
const vote = message('vote', { view: integer(), digest });
const block = message('block', { view: integer(), justify: certificate(vote, 4) });
const toy = {
  name: 'toy',
  version: 1,
  members: [0, 1, 2, 3],
  messages: messages(vote, block),
  evidence: (said: object) => ('justify' in said ? [said.justify as never] : []),
};
const domain = domainOf(toy, { cluster: 'example', group: 'main', epoch: 0 });

// Each has one secret; its key for certificates follows from it, and a proof that it has it.
const seeds = toy.members.map((id) => new Uint8Array(32).fill(id + 1)); // Key files, in earnest.
const identities = seeds.map(publicKeyOf);
const scheme = await blsScheme();
const published = seeds.map((seed, id) =>
  provePossession(scheme.secret(seed), identities[id] as Uint8Array),
);
const keys = new Map(
  published.map((key, id) => [
    id,
    admitCertificateKey(scheme, key, identities[id] as Uint8Array, `n${id}`),
  ]),
);

const members = seeds.map((secretKey, self) => {
  const more = { domain, messages: toy.messages, protocol: toy };
  const publicKeys = new Map(identities.entries());
  const keyring = aggregatingKeyring({
    ...more,
    keyring: ed25519Keyring({ ...more, self, secretKey, publicKeys }),
    scheme,
    secret: scheme.secret(secretKey),
    keys,
  });
  return { keyring, envelopes: envelopes(domain, toy.messages, keyring.shares) };
});
const [n0, , , n3] = members as [(typeof members)[0], unknown, unknown, (typeof members)[0]];

// Three vote; n0 hears them and makes the certificate as if there were no aggregates.
const body = { kind: 'vote', view: 1, digest: 'ab'.repeat(32) } as const;
const votes = members.slice(0, 3).map((each) => {
  const heard = n0.envelopes.decode(each.envelopes.encode(each.keyring.sign(body)));
  if (isRefusal(heard) || !n0.keyring.check(heard)) throw new Error('refused');
  return heard;
});
const list = certify(body, votes as never);
const frame = n0.envelopes.encode(n0.keyring.sign({ kind: 'block', view: 2, justify: list }));
const bytes = list.seals.reduce((sum, { signature }) => sum + signature.length, 0);
console.log(`a list of ${list.seals.length} signatures: ${bytes} bytes`);
// n3 gets one signature, and one product of pairings says that all three have voted.
const seen = n3.envelopes.decode(frame);
if (isRefusal(seen) || seen.kind !== 'block') throw new Error('refused');
const sum = seen.justify.seals.reduce((total, { signature }) => total + signature.length, 0);
const holds = checkCertificate(n3.keyring, seen.justify, byzantine(4, 1));
console.log(`an aggregate: ${sum} bytes, ${n3.keyring.counters.pairings} check: ${holds}`);

// n3 lies: it takes the difference of two keys for its own.
const { bls12_381 } = await import('@noble/curves/bls12-381.js');
const point = (id: number) =>
  bls12_381.G1.Point.fromBytes((published[id] as (typeof published)[0]).publicKey);
const text = Uint8Array.of(1, 2, 3);
const rogue = { ...published[3], publicKey: point(3).subtract(point(0)).toBytes() };
const both = [published[0] as never, rogue].map(({ publicKey }) => nobleScheme.admit(publicKey, 3));
const alone = nobleScheme.secret(seeds[3] as Uint8Array).sign(text);
console.log(`n3 alone signs for n0 and itself: ${nobleScheme.verify(both, text, alone)}`);
try {
  admitCertificateKey(scheme, rogue as never, identities[3] as Uint8Array, 'n3');
} catch (error) {
  console.log(
    `unless its key is looked at: ${(error as Error).message.replace(/[0-9a-f]{60,}/, '…')}`,
  );
}
