/** Transcripts, judges and proofs of guilt, by a toy whose votes bind across views. */
import {
  type Breach,
  breachOf,
  type Digest,
  encode,
  SchemaError,
  type Signature,
  type Signed,
  toHex,
} from '@quorumlab/core';
import { expect, test } from 'vitest';
import {
  hashOf,
  publicKeys,
  realKeyring,
  said,
  type ToyMessage,
  toy,
  toyDomain,
  voteFor,
} from '../test/toy.ts';
import { digestOf, digestOfEncoding } from './digest.ts';
import { domainField } from './domain.ts';
import { checkGuiltProof, guiltProof, openGuiltProof, type ProofGroup } from './guilt-proof.ts';
import { type Guilty, type Heard, judge } from './judge.ts';
import { together, transcript } from './transcript.ts';

/** Who has voted in a view votes for nothing smaller in a later one; what it is, contents say. */
const breaches: readonly Breach<ToyMessage>[] = [
  breachOf<ToyMessage>()(
    'vote',
    'vote',
    (one, other, content) =>
      other.view > one.view &&
      (content(other.digest)?.length ?? 9) < (content(one.digest)?.length ?? 0)
        ? `voted for less in view ${other.view} than in view ${one.view}`
        : undefined,
    ({ seq }) => `${seq}`,
  ),
];
const protocol = { ...toy, breaches };
const rings = [0, 1, 2, 3].map((id) => realKeyring(id));
const group: ProofGroup = {
  domain: toyDomain,
  f: 1,
  options: { rules: 'toy', fast: true },
  publicKeys: [0, 1, 2, 3].map((id) => publicKeys.get(id) as Uint8Array),
};
const vote = (from: number, seq: number, what: string, view = 0): Signed<ToyMessage> =>
  said(rings[from] as (typeof rings)[number], voteFor(seq, what, view));
const heardBy = (...messages: readonly Signed<ToyMessage>[]): Heard<ToyMessage> => {
  const kept = transcript<ToyMessage>(protocol);
  for (const each of messages) kept.observe(each);
  return kept.heard();
};
const twoVotes = [vote(2, 1, 'a'), vote(2, 1, 'b'), vote(1, 1, 'a')];
const judged = judge(protocol, heardBy(...twoVotes));
const text = guiltProof(protocol, group, judged);
const verdict = (json: string, trust: Parameters<typeof checkGuiltProof>[2] = {}, by = protocol) =>
  checkGuiltProof<ToyMessage>(openGuiltProof(json), by, trust);
const reasonOf = (json: string, trust = {}, by = protocol): string => {
  try {
    const found = verdict(json, trust, by);
    return found.holds ? 'holds' : found.reason;
  } catch (error) {
    if (error instanceof SchemaError) return error.message;
    throw error;
  }
};

test('a judge convicts who gave two answers, and a stranger agrees', () => {
  expect(judged.map(({ signer }) => signer)).toEqual([2]);
  expect(verdict(text)).toMatchObject({ holds: true, culprits: [{ signer: 2 }] });
  expect(verdict(text, { group })).toMatchObject({ holds: true });
  expect(text).toBe(guiltProof(protocol, group, judged));
});

test('a judge convicts who breaks a rule across views, by what the digests are of', () => {
  const [long, short] = [Uint8Array.of(1, 2, 3), Uint8Array.of(1)];
  const [one, other] = [long, short].map((bytes, view) =>
    said(rings[3] as (typeof rings)[number], {
      ...voteFor(7, '', view),
      digest: digestOfEncoding(bytes),
    }),
  ) as [Signed<ToyMessage>, Signed<ToyMessage>];
  const contents = new Map([long, short].map((bytes) => [digestOfEncoding(bytes), bytes]));
  const found = judge(protocol, { statements: [other, one], contents, forgotten: 0 });
  expect(found).toMatchObject([{ signer: 3, rule: 'voted for less in view 1 than in view 0' }]);
  const proof = guiltProof(protocol, group, found);
  expect(verdict(proof)).toMatchObject({ holds: true });
  // Without what they are of, or the other way round, nothing is wrong with them.
  expect(judge(protocol, { statements: [one, other], contents: new Map(), forgotten: 0 })).toEqual(
    [],
  );
  expect(reasonOf(edited(proof, (all) => ({ ...all, contents: [] })))).toContain('may sign both');
  const turned = edited(proof, (all) => ({
    ...all,
    culprits: all.culprits.map((each) => ({ ...each, first: each.second, second: each.first })),
  }));
  expect(reasonOf(turned)).toContain('may sign both');
});

test('a digest of an encoding is that of the value', () => {
  const value = { ...toyDomain };
  expect(digestOfEncoding(encode(domainField, value))).toBe(digestOf(domainField, value));
});

interface Edited {
  schema: string;
  domain: Record<string, unknown>;
  f: number;
  options: Record<string, unknown>;
  members: string[];
  contents: string[];
  culprits: {
    member: number;
    rule: string;
    first: { signed: string; signature: string };
    second: { signed: string; signature: string };
  }[];
}
const edited = (json: string, change: (all: Edited) => Edited): string =>
  `${JSON.stringify(change(JSON.parse(json)), undefined, 2)}\n`;

test('a bent proof is refused with a sentence', () => {
  const [culprit] = (JSON.parse(text) as Edited).culprits;
  if (culprit === undefined) throw new Error('somebody is convicted');
  const withCulprit = (part: Partial<typeof culprit>): string =>
    edited(text, (all) => ({ ...all, culprits: [{ ...culprit, ...part }] }));
  const stranger = realKeyring(1);
  const signedByOther = toHex(stranger.sign(voteFor(1, 'b')).signature);
  const cases: readonly (readonly [string, string])[] = [
    [text.slice(0, -40), 'cut off'],
    [text.trim(), 'as it was written'],
    ['', 'cut off'],
    ['{}', 'not a proof of the schema'],
    ['null', 'not a proof of the schema'],
    [edited(text, (all) => ({ ...all, schema: 'quorumlab.proof/1' })), 'not a proof of the schema'],
    [edited(text, ({ members: _, ...all }) => all as Edited), 'missing or of the wrong kind'],
    [edited(text, (all) => ({ ...all, culprits: [] })), 'names nobody'],
    [edited(text, (all) => ({ ...all, culprits: [culprit, culprit] })), 'one member twice'],
    [edited(text, (all) => ({ ...all, members: [] })), 'a group of 0 members'],
    [edited(text, (all) => ({ ...all, domain: { ...all.domain, epoch: 4 } })), 'another member'],
    [edited(text, (all) => ({ ...all, domain: { ...all.domain, protocol: 'raft' } })), 'not toy 1'],
    [withCulprit({ member: 3 }), 'was not signed by its key'],
    [withCulprit({ member: 9 }), 'n9, who is no member'],
    [withCulprit({ rule: 'ate the cake' }), 'not what the statements show'],
    [withCulprit({ second: culprit.first }), 'may sign both'],
    [withCulprit({ second: { ...culprit.second, signature: signedByOther } }), 'second statement'],
    [withCulprit({ second: { ...culprit.second, signature: 'zz' } }), ''],
    [withCulprit({ first: { ...culprit.first, signed: '00' } }), 'was not signed by its key'],
  ];
  for (const [json, reason] of cases) {
    expect(reasonOf(json), json.slice(0, 60)).not.toBe('holds');
    expect(reasonOf(json), json.slice(0, 60)).toContain(reason);
  }
});

test('a proof that was signed again by other keys, or of another group, convinces nobody', () => {
  const other = { ...group, domain: { ...toyDomain, cluster: 'other' } };
  expect(reasonOf(text, { group: other })).toContain('another cluster');
  const keys = group.publicKeys.map((_, i) => group.publicKeys[(i + 1) % 4] as Uint8Array);
  expect(reasonOf(text, { group: { ...group, publicKeys: keys } })).toContain('made it up');
  expect(reasonOf(text, { group: { ...group, options: {} } })).toContain('other rules');
  expect(reasonOf(text, { group: { ...group, f: 0 } })).toContain('other rules');
  expect(reasonOf(text, {}, { ...protocol, version: 2 })).toContain('not toy 2');
});

test('no proof with one changed character holds, but for what nobody has signed', () => {
  // Whose keys, how many faults and which options: that is for whoever knows the group.
  const free = /"(f|options|rules|fast|members)"|^ {4}"[0-9a-f]{64}"/;
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    if (free.test(line)) continue;
    for (let at = 0; at < line.length; at += 7) {
      const letter = line[at] === '1' ? '2' : '1';
      const bent = line.slice(0, at) + letter + line.slice(at + 1);
      expect(reasonOf(lines.with(i, bent).join('\n')), bent).not.toBe('holds');
    }
  }
});

test('an empty signature by a key of small order proves nothing', () => {
  const small = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a';
  const signature = Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 1 : 0)) as Signature;
  const forged = judged.map(
    (each): Guilty<ToyMessage> => ({
      ...each,
      first: { ...each.first, signature },
      second: { ...each.second, signature },
    }),
  );
  const proof = edited(guiltProof(protocol, group, forged), (all) => ({
    ...all,
    members: all.members.with(2, small),
  }));
  expect(reasonOf(proof)).toContain('small order');
});

test('a transcript keeps each statement once, those in certificates and messages too', () => {
  const seals = [0, 1, 3].map((from) => ({ from, signature: vote(from, 5, 'a').signature }));
  const votes = { body: voteFor(5), seals };
  const commit = rings[0]?.sign({ kind: 'commit', seq: 5, votes }) as Signed<ToyMessage>;
  const kept = transcript<ToyMessage>(protocol);
  for (let i = 0; i < 3; i++) kept.observe(commit);
  expect(kept.heard().statements.map(({ from }) => from)).toEqual([0, 1, 3]);
  const both = together(protocol, [kept.heard(), heardBy(vote(3, 5, 'b'), vote(0, 5, 'a'))]);
  expect(both.statements.length).toBe(4);
  expect(judge(protocol, both).map(({ signer }) => signer)).toEqual([3]);
});

test('a transcript stays within its bytes, and a flood pushes out only its own signer', () => {
  const maxBytes = 64 * 1024;
  const kept = transcript<ToyMessage>(protocol, { maxBytes });
  kept.observe(vote(1, 1, 'a'));
  const signature = vote(2, 1, 'a').signature;
  for (let seq = 0; seq < 500; seq++) {
    kept.observe({ ...voteFor(seq), from: 2, signature } as Signed<ToyMessage>);
    expect(kept.bytes).toBeLessThanOrEqual(maxBytes);
  }
  expect(kept.forgotten).toBeGreaterThan(400);
  const { statements, forgotten } = kept.heard();
  expect([statements.filter(({ from }) => from === 1).length, forgotten > 400]).toEqual([1, true]);
});

test('what the digests are of has a room of its own', () => {
  const bodies = Array.from({ length: 200 }, (_, i) => Uint8Array.of(i, 1));
  const withContents = {
    ...protocol,
    *contents(message: ToyMessage): Iterable<readonly [Digest, Uint8Array]> {
      if (message.kind === 'vote')
        yield [hashOf(`${message.seq}`), bodies[message.seq] as Uint8Array];
    },
  };
  const kept = transcript<ToyMessage>(withContents, { maxBytes: 64 * 1024 });
  for (let seq = 0; seq < 200; seq++) kept.observe(vote(seq % 4, seq, 'a'));
  const { contents } = kept.heard();
  expect(contents.size).toBeLessThan(70);
  expect(contents.has(hashOf('199'))).toBe(true);
});

test('nobody is guilty of what cannot be proven', () => {
  expect(judge(protocol, heardBy(vote(1, 1, 'a'), vote(1, 2, 'b'), vote(2, 1, 'b')))).toEqual([]);
  expect(() => guiltProof(protocol, group, [])).toThrow(SchemaError);
});
