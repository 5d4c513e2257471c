/** Certificates that aggregate, from the votes to the frame that a stranger sends. */
import type { Certificate, Seal, Signature, Signed } from '@quorumlab/core';
import { byzantine, certify, decode, encode, SchemaError, seal } from '@quorumlab/core';
import {
  checkCertificate,
  checkGuiltProof,
  detector,
  guiltProof,
  judge,
  KeyringError,
  openGuiltProof,
  statementsIn,
  transcript,
} from '@quorumlab/wire';
import { expect, test } from 'vitest';
import {
  admitted,
  aggregatingOver,
  type Block,
  domain,
  heard,
  infinity,
  type Member,
  member,
  plainKeyring,
  publicKeys,
  seeded,
  signatureWithTorsion,
  type ToyMessage,
  taken,
  toy,
  type Vote,
  voteFor,
} from '../test/group.ts';
import { blsScheme } from './index.ts';

const scheme = await blsScheme();
const keys = admitted(scheme);
const group = (): readonly Member[] => toy.members.map((id) => member(scheme, id, { keys }));

/** What `from` has put into a frame. */
const said = (from: Member, message: ToyMessage): Uint8Array =>
  from.envelopes.encode(from.keyring.sign(message));

/** The votes of `signers` as `to` has heard them; its own it has by itself. */
const votesAt = (to: Member, signers: readonly Member[], vote: Vote): Signed<Vote>[] =>
  signers.map((each) =>
    each === to
      ? (to.keyring.sign(vote) as Signed<Vote>)
      : (taken(heard(to, said(each, vote))) as Signed<Vote>),
  );

const blockOf = (view: number, votes: readonly Signed<Vote>[]): Block => ({
  kind: 'block',
  view: view + 1,
  justify: certify(voteFor(view), votes),
});

/** A certificate of view 1 by n0, n1 and n2 as others see it, and the frame that it came in. */
function certified(members = group()): {
  readonly frame: Uint8Array;
  readonly block: Signed<Block> & { readonly justify: Certificate<Vote> };
} {
  const [n0, n1, n2, n3] = members as [Member, Member, Member, Member];
  const frame = said(n0, blockOf(1, votesAt(n0, [n0, n1, n2], voteFor(1))));
  // It holds a certificate: it was just made.
  return { frame, block: taken(heard(n3, frame)) as never };
}

test('votes are lists in the protocol, and one signature on the wire', () => {
  const [n0, n1, n2, n3] = group() as [Member, Member, Member, Member];
  const votes = votesAt(n0, [n2, n0, n1], voteFor(1));
  // What a protocol sees and keeps are signatures of one's own, as without aggregates.
  expect(votes.map(({ signature }) => signature.length)).toEqual([64, 64, 64]);
  const frame = said(n0, blockOf(1, votes));
  const lists = plainKeyring(0).sign(blockOf(1, votes));
  // Bitmap, length, aggregate, bitmap of those beside it; not 65 bytes a signature.
  const saved = encode(toy.messages, lists).length + 64 + 12 - frame.length;
  expect(saved).toBeGreaterThanOrEqual(3 * 65 - (1 + 96 + 1));
  const block = taken(heard(n3, frame)) as typeof lists & Block;
  expect(block.justify?.seals.map(({ from }) => from)).toEqual([0, 1, 2]);
  expect(block.justify?.seals.map(({ signature }) => signature.length)).toEqual([96, 0, 0]);
  expect(n3.keyring.counters).toMatchObject({ pairings: 1, refused: 0 });
  // Shown again, by whomever, nothing is computed again, and the bytes are the same.
  const again = said(n3, { kind: 'block', view: 3, justify: block.justify });
  expect(heard(n3, again)).toMatchObject({ view: 3, justify: block.justify });
  expect(n3.keyring.counters.pairings).toBe(1);
  expect(n3.envelopes.encode(taken(heard(n3, frame)))).toEqual(frame);
  // What was kept on a disk is read back as it was.
  expect(decode(toy.messages, encode(toy.messages, block))).toEqual({
    ...blockOf(1, votes),
    justify: block.justify,
  });
  const quorum = byzantine(4, 1);
  expect(checkCertificate(n2.keyring, block.justify as Certificate<Vote>, quorum)).toBe(true);
  // Without aggregates they are refused, and nothing is computed.
  expect(checkCertificate(plainKeyring(2), block.justify as never, quorum)).toBe(false);
});

test('an aggregate that is not one of all who are named is refused, and counted', () => {
  const { block } = certified();
  const { body, seals } = block.justify;
  const [first, second, third] = seals as [Seal, Seal, Seal];
  const none = second.signature;
  const with3 = { from: 3, signature: none };
  const sum = (signature: Uint8Array): Seal => ({ ...first, signature: signature as Signature });
  const forged: Readonly<Record<string, Certificate<Vote>>> = {
    'one short': { body, seals: [first, third] },
    'one too many': { body, seals: [...seals, with3] },
    'another signer': { body, seals: [first, second, with3] },
    'another statement': { body: voteFor(2), seals },
    'the point at infinity': { body, seals: [sum(infinity(96)), second, third] },
    'outside the group': { body, seals: [sum(signatureWithTorsion), second, third] },
    'no point': { body, seals: [sum(new Uint8Array(96)), second, third] },
  };
  const honest = member(scheme, 1, { keys });
  for (const [how, justify] of Object.entries(forged)) {
    const before = honest.keyring.counters.refused;
    // The liar's own signature is good: it is the certificate that is not.
    const frame = honest.envelopes.encode(plainKeyring(3).sign({ ...block, justify }));
    expect(heard(honest, frame), how).toBe('bad-aggregate');
    expect(honest.keyring.counters.refused, how).toBe(before + 1);
  }
  // Over an equal statement of another cluster, too.
  const elsewhere = member(scheme, 1, { keys, place: { ...domain, cluster: 'other' } });
  expect(heard(elsewhere, certified().frame)).toBe('bad-aggregate');
});

test('forms that no honest member writes are refused before anything is computed', () => {
  const { block } = certified();
  const { body, seals } = block.justify;
  const [first, second, third] = seals as [Seal, Seal, Seal];
  const own = (from: number): Seal => ({ from, signature: new Uint8Array(64) as Signature });
  const bad: readonly (readonly Seal[])[] = [
    [first], // An aggregate of one.
    [own(0), first], // Out of order, or twice.
    [own(0), { ...first, from: 1 }], // Of one, beside another.
    [second, { ...first, from: 2 }], // The aggregate is not at the first of them.
    [first, { ...first, from: 1 }], // Two of them.
    [first, second, { ...third, from: 4 }], // A stranger.
    [first, second, second], // Twice.
  ];
  for (const each of bad)
    expect(() => encode(toy.messages, { ...block, justify: { body, seals: each } })).toThrow(
      SchemaError,
    );
  // The same in bytes: bitmap, 96, aggregate, bitmap of those beside.
  const bytes = encode(toy.messages, block);
  const honest = member(scheme, 1, { keys });
  const at = bytes.length - 99;
  expect([...bytes.subarray(at, at + 2), bytes.at(-1)]).toEqual([0b0111, 96, 0]);
  const bent = (places: Readonly<Record<number, number>>, cut = 0): Uint8Array => {
    const other = bytes.slice(0, bytes.length - cut);
    for (const [place, value] of Object.entries(places)) other[Number(place)] = value;
    return other;
  };
  const last = bytes.length - 1;
  for (const each of [
    bent({ [at]: 0b1_0111 }), // A signer who is no member.
    bent({ [at]: 0b0001 }), // An aggregate of one.
    bent({ [at]: 0 }), // Of nobody.
    bent({ [last]: 0b1000 }), // Beside it stands one who has not signed.
    bent({ [last]: 0b0110 }), // Of one again, and two signatures are missing.
    bent({ [last]: 0b1_0000 }), // Beside it stands a stranger.
    bent({ [at + 1]: 97 }), // Another length.
    bent({}, 1), // A bitmap is missing.
    bent({}, 50),
    Uint8Array.from([...bytes, 0]), // A byte too many.
  ])
    expect(() => decode(toy.messages, each)).toThrow(SchemaError);
  expect(honest.keyring.counters.pairings).toBe(0);
});

/** The frame of a vote with another share behind it. */
const withShare = (frame: Uint8Array, share: Uint8Array): Uint8Array =>
  Uint8Array.from([...frame.subarray(0, -96), ...share]);

test('a bad share leaves its signature beside the aggregate, and is looked at from then on', () => {
  const members = group();
  const [n0, n1, n2, liar] = members as [Member, Member, Member, Member];
  const rubbish = scheme.secret(new Uint8Array(32).fill(99)).sign(Uint8Array.of(1));
  const votes = votesAt(n0, [n0, n1, n2], voteFor(1));
  const bad = taken(heard(n0, withShare(said(liar, voteFor(1)), rubbish))) as Signed<Vote>;
  const frame = said(n0, blockOf(1, [...votes, bad]));
  const block = taken(heard(n1, frame)) as Block;
  expect(block.justify?.seals.map(({ signature }) => signature.length)).toEqual([96, 0, 0, 64]);
  expect(n0.keyring.counters).toMatchObject({ badShares: 1 });
  expect(n1.keyring.counters).toMatchObject({ pairings: 1, refused: 0 });
  // Its signature beside the aggregate is checked as ever.
  const forged = {
    ...block,
    justify: {
      body: voteFor(1),
      seals: (block.justify?.seals ?? []).map((each) =>
        each.from === 3 ? { ...each, signature: new Uint8Array(64) as Signature } : each,
      ),
    },
  };
  expect(heard(n1, n1.envelopes.encode(plainKeyring(3).sign(forged)))).toBe('bad-evidence');
  // The next bad one is refused as it comes; a good one is as good as anybody's.
  expect(heard(n0, withShare(said(liar, voteFor(2)), rubbish))).toBe('bad-share');
  const good = votesAt(n0, [n0, n1, liar], voteFor(3));
  const next = taken(heard(n2, said(n0, blockOf(3, good)))) as Block;
  expect(next.justify?.seals.map(({ signature }) => signature.length)).toEqual([96, 0, 0]);
});

test('who passes on a vote with another share takes nothing from its signer', () => {
  const [n0, n1, n2, n3] = group() as [Member, Member, Member, Member];
  const frame = said(n1, voteFor(1));
  const other = said(n2, voteFor(9)).slice(-96);
  const votes = votesAt(n0, [n0, n1, n2], voteFor(1));
  taken(heard(n0, withShare(frame, other)));
  const block = taken(heard(n3, said(n0, blockOf(1, votes)))) as Block;
  expect(block.justify?.seals.map(({ signature }) => signature.length)).toEqual([96, 0, 0]);
});

test('without shares certificates are lists: after a restart, and of members without a key', () => {
  const [n0, n1, n2, n3] = group() as [Member, Member, Member, Member];
  const block = blockOf(1, votesAt(n0, [n0, n1, n2], voteFor(1)));
  const again = member(scheme, 0, { keys });
  const found = taken(heard(n3, said(again, block))) as Block;
  expect(found.justify?.seals.map(({ signature }) => signature.length)).toEqual([64, 64, 64]);
  // n2 has no certificate key here: it signs for itself, and has no part in an aggregate.
  const some = admitted(scheme, [0, 1]);
  const one = member(scheme, 0, { keys: some });
  const two = member(scheme, 1, { keys: some });
  const votes = votesAt(one, [one, n1, n2], voteFor(1));
  const mixed = taken(heard(two, said(one, blockOf(1, votes)))) as Block;
  expect(mixed.justify?.seals.map(({ signature }) => signature.length)).toEqual([96, 0, 64]);
  expect(heard(two, said(n0, block))).toBe('bad-aggregate');
});

test('frames with shares: only of votes, and only where there are aggregates', () => {
  const [n0, n1] = group() as [Member, Member];
  const frame = said(n0, voteFor(1));
  expect(n1.envelopes.glance(frame)).toEqual({ kind: 'vote', from: 0 });
  expect(heard(n1, frame)).toMatchObject({ kind: 'vote', from: 0 });
  const hello = said(n0, { kind: 'hello', view: 1 });
  expect(hello[0]).toBe(1);
  const shared = Uint8Array.from([2, ...hello.slice(1), ...new Uint8Array(96)]);
  expect(heard(n1, shared)).toBe('malformed');
  for (const cut of [1, 60, 96, frame.length - 1])
    expect(['malformed', 'bad-signature']).toContain(heard(n1, frame.slice(0, -cut)));
  expect(heard(n1, new Uint8Array())).toBe('malformed');
  // Whatever a stranger makes of such a frame, it is refused or has one encoding.
  const random = seeded(5);
  for (let i = 0; i < 3000; i++) {
    const bent = frame.slice(0, random.below(6) === 0 ? random.below(frame.length) : frame.length);
    if (bent.length === 0) continue;
    const at = random.below(random.below(2) === 0 ? Math.min(24, bent.length) : bent.length);
    bent[at] = (bent[at] as number) ^ (1 << random.below(8));
    const found = n1.envelopes.decode(bent);
    if ('kind' in found) expect(n1.envelopes.encode(found)).toEqual(bent);
  }
});

test('who votes twice is convicted by its own signatures, and by no aggregate', () => {
  const members = group();
  const [n0, n1, n2, n3] = members as [Member, Member, Member, Member];
  const { block } = certified();
  // n3 has seen an aggregate only: nobody in it can be held to it before a stranger.
  expect([...statementsIn(toy, block)].map(({ kind }) => kind)).toEqual(['block']);
  // n0 has heard the votes themselves.
  const kept = transcript(toy);
  const watch = detector(toy);
  for (const each of votesAt(n0, [n1, n2, n3], voteFor(1))) kept.observe(each);
  const second = taken(heard(n0, said(n2, voteFor(1, 'b'))));
  kept.observe(second);
  for (const each of votesAt(n0, [n2], voteFor(1))) watch.observe(each);
  expect(watch.observe(second)?.signer).toBe(2);
  const place = { domain, f: 1, options: {}, publicKeys: [...publicKeys.values()] };
  const file = guiltProof(toy, place, judge(toy, kept.heard()));
  const verdict = checkGuiltProof(openGuiltProof(file), toy, { group: place });
  expect(verdict).toMatchObject({ holds: true, culprits: [{ signer: 2 }] });
});

test('bent bytes: nothing is thrown, and what is taken says what was certified', () => {
  const { block } = certified();
  const bytes = encode(toy.messages, block);
  const honest = member(scheme, 1, { keys });
  const random = seeded(11);
  let refused = 0;
  for (let i = 0; i < 400; i++) {
    const bent = bytes.slice(0, random.below(8) === 0 ? random.below(bytes.length) : bytes.length);
    for (let flips = 1 + random.below(3); flips > 0 && bent.length > 0; flips--) {
      // Half of them near the bitmaps, where the form is.
      const place =
        random.below(2) === 0 ? bent.length - 1 - random.below(3) : random.below(bent.length);
      const at = Math.max(0, place);
      bent[at] = (bent[at] as number) ^ (1 << random.below(8));
    }
    let message: ToyMessage;
    try {
      message = decode(toy.messages, bent);
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaError);
      continue;
    }
    expect(encode(toy.messages, message)).toEqual(bent);
    // Who says it is of no importance: its own signature would be good.
    const sealed = seal<ToyMessage>(message, 3, new Uint8Array(64) as Signature);
    if (!honest.keyring.checkEvidence(sealed)) refused++;
    else if (message.kind === 'block' && message.justify !== null)
      expect(message.justify).toEqual(block.justify);
  }
  expect(refused).toBeGreaterThan(20);
});

test('a protocol without certificates has nothing to aggregate', () => {
  const make = () => member(scheme, 0, { keys });
  expect(make().keyring.shares.kinds).toEqual(new Set(['vote']));
  const { certifies: _, ...messages } = toy.messages;
  expect(toy.messages.certifies).toEqual(['vote']);
  expect(() => aggregatingOver(scheme, messages as typeof toy.messages)).toThrow(KeyringError);
});
