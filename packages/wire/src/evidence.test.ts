/** Signatures inside messages: which are checked, in which order, and how many at most. */
import { type Certificate, firstClient, type Signature, type Signed } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { asked, realKeyring, type ToyMessage, toy, toyDomain, voteFor } from '../test/toy.ts';
import { channelKeyring } from './channel-keyring.ts';
import { type IdealAuthority, idealAuthority, idealKeyring } from './ideal-keyring.ts';
import type { EvidenceLimits, Keyring } from './keyring.ts';

type Ring = Keyring<ToyMessage>;
type Of<K extends ToyMessage['kind']> = Extract<ToyMessage, { readonly kind: K }>;

/** Keyrings of one kind: `of` makes that of a principal. */
const kinds: Readonly<
  Record<string, () => (self: number, limits?: EvidenceLimits & { knows?: never }) => Ring>
> = {
  ideal() {
    const authority = idealAuthority();
    return (self, limits) => ideal(authority, self, limits);
  },
  'an ideal one whose messages go through bytes'() {
    const authority = idealAuthority({ rebuilt: true });
    return (self, limits) => ideal(authority, self, limits);
  },
  real() {
    // To check that keys may be used takes longer than all else.
    const made = new Map<number, Ring>();
    return (self, limits) => {
      if (limits !== undefined) return realKeyring(self, limits);
      const ring = made.get(self) ?? realKeyring(self);
      made.set(self, ring);
      return ring;
    };
  },
};
const ideal = (authority: IdealAuthority, self: number, more: object = {}): Ring =>
  idealKeyring({
    authority,
    domain: toyDomain,
    messages: toy.messages,
    protocol: toy,
    self,
    ...more,
  });

function votesOf(of: (self: number) => Ring, seq: number, ...from: readonly number[]) {
  const seals = from.map((each) => {
    const { signature } = of(each).sign(voteFor(seq));
    return { from: each, signature };
  });
  return { body: voteFor(seq), seals } as Certificate<Of<'vote'>>;
}

/** A change by 0 that carries two commits, by 1 and 2, with three votes each: eight signatures. */
function changeOf(of: (self: number) => Ring): Signed<Of<'change'>> {
  const reports = [1, 2].map((from) =>
    of(from).sign({ kind: 'commit', seq: from, votes: votesOf(of, from, 0, 2, 3) }),
  ) as Signed<Of<'commit'>>[];
  return of(0).sign({ kind: 'change', view: 1, reports }) as Signed<Of<'change'>>;
}

/** What the steps come to, and how often others could be served between two of them. */
function inSteps(ring: Ring, message: Signed<ToyMessage>) {
  const steps = ring.checkInSteps(message);
  let pauses = 0;
  for (let next = steps.next(); ; next = steps.next()) {
    if (next.done) return { fault: next.value, pauses };
    pauses++;
  }
}

const spoilt = (signature: Signature): Signature =>
  signature.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) as Signature;

describe.each(Object.entries(kinds))('a keyring: %s', (_, make) => {
  test('finds each signature that is bad, and says whether it is the outer one', () => {
    const of = make();
    const good = changeOf(of);
    expect(inSteps(of(3), good)).toEqual({ fault: undefined, pauses: 8 });
    expect(of(3).checkEvidence(good)).toBe(true);
    const outer = { ...good, signature: spoilt(good.signature) };
    expect(inSteps(of(3), outer)).toEqual({ fault: 'bad-signature', pauses: 0 });
    expect(of(3).check(outer)).toBe(false);
    // The outer signature is made anew, so only one inside is bad.
    const inner: readonly ((commit: Signed<Of<'commit'>>) => Signed<Of<'commit'>>)[] = [
      (commit) => ({ ...commit, signature: spoilt(commit.signature) }),
      (commit) => ({ ...commit, from: 3 }),
      (commit) => ({ ...commit, seq: commit.seq + 1 }),
      ...[0, 1, 2].map((at) => (commit: Signed<Of<'commit'>>) => {
        const seals = commit.votes.seals.map((each, i) =>
          i === at ? { ...each, signature: spoilt(each.signature) } : each,
        );
        return of(commit.from).sign({
          ...unsealed(commit),
          votes: { ...commit.votes, seals },
        }) as Signed<Of<'commit'>>;
      }),
    ];
    for (const at of [0, 1])
      for (const spoil of inner) {
        const reports = good.reports.map((each, i) => (i === at ? spoil(each) : each));
        const bad = of(0).sign({ kind: 'change', view: 1, reports });
        const { fault, pauses } = inSteps(of(3), bad);
        expect([fault, of(3).check(bad), of(3).checkEvidence(bad)]).toEqual([
          'bad-evidence',
          true,
          false,
        ]);
        expect(Math.floor(pauses / 4)).toBe(at);
      }
  });

  test('takes certificates only of replicas that it knows, each once and in order', () => {
    const of = make();
    const any = of(1).sign(voteFor(9));
    const takes = (seals: Certificate<Of<'vote'>>['seals']) =>
      of(0).checkEvidence(any, [{ body: voteFor(1), seals }]);
    const [a, b, c] = votesOf(of, 1, 0, 2, 3).seals;
    const client = votesOf(of, 1, firstClient).seals;
    if (!(a && b && c)) throw new Error('three have voted');
    expect(takes([a, b, c])).toBe(true);
    for (const seals of [
      [a, a],
      [b, a],
      [a, ...client],
      [a, { ...b, from: 1 }],
      [{ ...a, from: -1 }],
    ])
      expect(takes(seals)).toBe(false);
  });

  test('tells a statement from one of another kind that reads the same', () => {
    const of = make();
    const vote = of(1).sign(voteFor(1));
    expect(of(0).check({ ...vote })).toBe(true);
    expect(of(0).check({ ...vote, kind: 'veto' } as typeof vote)).toBe(false);
    expect(of(0).checkSeal(1, vote.signature, voteFor(1))).toBe(true);
    expect(of(0).checkSeal(2, vote.signature, voteFor(1))).toBe(false);
  });

  test('counts what it has signed, found good, known and refused', () => {
    const of = make();
    const [signer, receiver] = [of(1), of(0)];
    const before = { ...receiver.counters };
    const vote = signer.sign(voteFor(77));
    for (const each of [vote, { ...vote }, { ...vote, seq: 78 } as typeof vote])
      receiver.check(each);
    const after = receiver.counters;
    expect(after.verified + after.cached - before.verified - before.cached).toBe(2);
    expect(after.refused - before.refused).toBe(1);
    expect(signer.counters.signed).toBeGreaterThan(0);
    expect(Object.values(after).every((each) => each >= 0)).toBe(true);
  });

  test('computes no more signatures, and goes no deeper, than it may', () => {
    const of = make();
    const good = changeOf(of);
    for (const [maxSignatures, fits] of [
      [8, true],
      [7, false],
    ] as const)
      expect(of(3, { maxSignatures }).checkEvidence(good)).toBe(fits);
    // The commits are one below the change, and their votes two.
    for (const [maxDepth, fits] of [
      [2, true],
      [1, false],
    ] as const)
      expect(inSteps(of(3, { maxDepth }), good).fault).toBe(fits ? undefined : 'bad-evidence');
  });

  test('is told what is signed inside, or finds it where it knows the kind', () => {
    const of = make();
    const request = of(firstClient).sign(asked(1)) as Signed<Of<'request'>>;
    const good = of(0).sign({ kind: 'propose', view: 0, seq: 1, asked: request });
    const forged = { ...request, sequence: 2 };
    const bad = of(0).sign({ kind: 'propose', view: 0, seq: 1, asked: forged });
    expect([good, bad].map((each) => of(1).checkEvidence(each))).toEqual([true, false]);
    expect(of(1).checkEvidence(good, [forged])).toBe(false);
    expect(of(1).checkEvidence(bad, [])).toBe(true);
    expect(of(1).checkEvidence({ ...bad, kind: 'other' } as never)).toBe(true);
  });
});

const unsealed = ({ from: _, signature: __, ...body }: Signed<Of<'commit'>>): Of<'commit'> => body;

test('an ideal keyring takes no word of whom it does not know, inside or outside', () => {
  const authority = idealAuthority();
  const of = (self: number) => ideal(authority, self, { knows: (id: number) => id !== 2 });
  // Copies: what a machine shares is told by the object.
  const vote = { ...of(2).sign(voteFor(1)) };
  expect(of(0).check(vote)).toBe(false);
  const commit = of(1).sign({ kind: 'commit', seq: 1, votes: votesOf(of, 1, 0, 2, 3) });
  expect(of(0).checkEvidence(commit)).toBe(false);
  expect(of(0).knows(2)).toBe(false);
  expect(ideal(authority, 0).checkEvidence(commit)).toBe(true);
});

test('a channel knows who speaks; what is quoted is its word', () => {
  const ring = channelKeyring<ToyMessage>({ self: 0, faults: 'crash', knows: (id) => id < 4 });
  const commit = ring.sign({ kind: 'commit', seq: 1, votes: { body: voteFor(1), seals: [] } });
  expect(inSteps(ring, commit)).toEqual({ fault: undefined, pauses: 0 });
  expect(inSteps(ring, { ...commit, from: 4 }).fault).toBe('bad-signature');
  expect(ring.checkEvidence(commit)).toBe(true);
  expect(ring.checkSeal(1, new Uint8Array() as Signature, commit)).toBe(true);
  expect(ring.checkSeal(1, new Uint8Array(1) as Signature, commit)).toBe(false);
  expect(ring.counters).toEqual({ signed: 1, verified: 2, cached: 0, refused: 2 });
  expect([ring.self, ring.name, ring.knows(3), ring.knows(4)]).toEqual([0, 'channel', true, false]);
});
