/**
 * Proofs of guilt: of forks by more than f liars, and of every rule by statements made by hand. The
 * checker of quorumlab and the one of `examples/`, which shares no code with it, agree on each.
 */
import type { Signature, Signed, Tagged } from '@quorumlab/core';
import {
  completeScenario,
  guiltFileOf,
  prepare,
  proofGroupOf,
  protocolOf,
  type RunResult,
  runScenario,
  type Scenario,
  variantsOf,
} from '@quorumlab/harness';
import { serviced } from '@quorumlab/log';
import {
  checkGuiltProof,
  domainOf,
  ed25519Keyring,
  type Guilty,
  guiltProof,
  judge,
  openGuiltProof,
  type ProofGroup,
  publicKeyOf,
  transcript,
} from '@quorumlab/wire';
import { describe, expect, test } from 'vitest';
// @ts-expect-error: a program for strangers, in plain JavaScript.
import { check } from '../../examples/check-proof.mjs';

const scenarios = ['pbft', 'hotstuff', 'tendermint', 'streamlet'].flatMap((protocol) =>
  variantsOf(
    completeScenario({
      protocol,
      attack: 'f+1-traitors',
      by: [0, 1],
      count: 4,
      crypto: 'ed25519',
    }),
  ),
);
/** Of f+1 liars it takes none, but a trusted counter that somebody has set back. */
const counted = (by: number): Scenario =>
  completeScenario({
    protocol: 'minbft',
    attack: 'rollback-counter',
    by: [by],
    count: 4,
    crypto: 'ed25519',
  });
const nameOf = ({ protocol, options = {} }: Scenario): string =>
  [protocol, ...Object.values(options)].join(' ');

/** Whom the two checkers convict, each; nobody if the proof is refused. */
function verdicts(
  prepared: ReturnType<typeof prepare>,
  text: string,
): readonly (readonly number[])[] {
  const ours = (): readonly number[] => {
    const verdict = checkGuiltProof(openGuiltProof(text), prepared.group);
    return verdict.holds ? verdict.culprits.map(({ signer }) => signer) : [];
  };
  return [ours, () => check(text) as readonly number[]].map((convicted) => {
    try {
      return convicted();
    } catch (error) {
      // Every refusal is a sentence.
      expect(error).toBeInstanceOf(Error);
      return [];
    }
  });
}

/** Ways to bend the text of a proof that neither checker may take. */
const bends: Readonly<Record<string, (text: string, other: string) => string>> = {
  'cut off': (text) => text.slice(0, -100),
  'another signature': (text) =>
    text.replace(/("signature": ")(.)/, (_, a, b) => `${a}${b === '0' ? '1' : '0'}`),
  'no signature': (text) => text.replace(/"signature": "\w+"/, '"signature": ""'),
  'another statement': (text) =>
    text.replace(/("signed": "\w+)(\w)"/, (_, a, b) => `${a}${b === '0' ? '1' : '0'}"`),
  'the same twice': (text) =>
    bent(text, ({ culprits }) => {
      for (const each of culprits) each.second = each.first;
    }),
  'somebody else': (text) =>
    bent(text, ({ culprits }) => {
      for (const each of culprits) each.member = 3;
    }),
  nobody: (text) => bent(text, (all) => void (all.culprits = [])),
  'twice the same one': (text) =>
    bent(text, (all) => void all.culprits.push(all.culprits[0] as (typeof all.culprits)[number])),
  'keys of others': (text) => bent(text, ({ members }) => void members.reverse()),
  'another cluster': (text) => bent(text, ({ domain }) => void (domain.cluster = 'other')),
  'another epoch': (text) => bent(text, ({ domain }) => void (domain.epoch = 7)),
  'another schema': (text) => text.replace('quorumlab.proof/2', 'quorumlab.proof/1'),
  'statements of another group': (text, other) =>
    bent(text, (all) => void (all.culprits = JSON.parse(other).culprits)),
};

interface ProofText {
  members: string[];
  domain: Record<string, unknown>;
  culprits: { member: number; first: unknown; second: unknown }[];
}
function bent(text: string, change: (all: ProofText) => void): string {
  const all: ProofText = JSON.parse(text);
  change(all);
  return `${JSON.stringify(all, undefined, 2)}\n`;
}

describe.each(scenarios.map((each) => [nameOf(each), each] as const))('%s', (_, scenario) => {
  const prepared = prepare(scenario);
  let result: RunResult;
  let text: string;

  test('a fork by f+1 liars convicts them, by what honest nodes have kept', () => {
    result = runScenario(scenario, { proofs: true });
    expect([result.word, result.expected]).toEqual(['forked', true]);
    expect(result.guilt.culprits.map(({ signer }) => signer)).toEqual([0, 1]);
    expect(result.guilt.notProvable).toBeUndefined();
    text = guiltFileOf(prepared, result.guilt) ?? '';
    expect(verdicts(prepared, text)).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  test('a lying leader whose accomplices vote for both its values forks it too', () => {
    const led: Scenario = { ...scenario, attack: 'equivocating-leader', crypto: 'ideal' };
    const { word, expected, guilt } = runScenario(led, { proofs: true });
    expect([word, expected]).toEqual(['forked', true]);
    expect(guilt.culprits.map(({ signer }) => signer)).toEqual([0, 1]);
    // One liar alone is what the group is made for.
    const alone = runScenario({ ...led, by: [0] }, { proofs: true });
    expect([alone.word, alone.guilt.culprits.map(({ signer }) => signer)]).toEqual(['ok', [0]]);
  });

  test('both checkers refuse a bent proof', () => {
    const elsewhere = {
      ...(proofGroupOf(prepared) as NonNullable<ReturnType<typeof proofGroupOf>>),
      domain: { ...prepared.domain, cluster: 'elsewhere' },
    };
    const other = guiltProof(prepared.group, elsewhere, result.guilt.culprits);
    for (const [name, bend] of Object.entries(bends)) {
      const changed = bend(text, other);
      expect(changed, name).not.toBe(text);
      expect(verdicts(prepared, changed), name).toEqual([[], []]);
    }
  });
});

test('a fork of MinBFT convicts whose trusted counter was set back', () => {
  const { word, guilt } = runScenario(counted(0), { proofs: true });
  expect([word, guilt.culprits.map(({ signer }) => signer)]).toEqual(['forked', [0]]);
  const prepared = prepare(counted(0));
  expect(verdicts(prepared, guiltFileOf(prepared, guilt) ?? '')).toEqual([[0], [0]]);
});

const one = 'a'.repeat(64);
const two = 'b'.repeat(64);
const vote = (view: number, justifyView: number, block = one) => ({
  kind: 'vote',
  set: 1,
  view,
  block,
  justifyView,
});
const timeout = (view: number, highView: number) => ({ kind: 'timeout', set: 1, view, highView });
const placed = (kind: string, view: number, digest: string, sequence = 5) => ({
  kind,
  epoch: 1,
  view,
  sequence,
  digest,
  ...(kind === 'pre-prepare' ? { batch: [] } : {}),
});
const report = (
  view: number,
  prepared: readonly object[] = [],
  checkpoint: object | null = null,
) => ({
  kind: 'view-change',
  epoch: 1,
  view,
  checkpoint,
  prepared,
});
const reached = (digest: string, group: string | null = null) => ({
  kind: 'checkpoint',
  ...{ epoch: 1, sequence: 128, digest, group },
});
const claim = (view: number, digest: string) => ({ view, sequence: 5, digest });
const stable = (sequence: number) => ({ sequence, digest: two });
const prevote = (round: number, value: string | null, validRound: number | null = null) => ({
  kind: 'prevote',
  height: 3,
  round,
  set: 1,
  value,
  validRound,
});
const precommit = (round: number, value: string | null) => ({
  kind: 'precommit',
  height: 3,
  round,
  set: 1,
  value,
});
/** A vote of Streamlet. */
const ballot = (epoch: number, height: number, id: string) => ({ kind: 'vote', epoch, height, id });
const block = (view: number, height: number, parent: string) => ({
  kind: 'proposal',
  block: { set: 1, view, height, parent, batch: [] },
  justify: null,
  timeouts: null,
});

/** A statement under a number of MinBFT's counter. */
const counting = (number: number, digest: string, view?: number) => ({
  ...(view === undefined ? { kind: 'checkpoint' } : { kind: 'prepare', view }),
  number,
  sequence: 5,
  digest,
});
const asks = (view: number) => ({ kind: 'req-view-change', view });

/** The same in a later epoch of PBFT, and under a later set of validators of HotStuff. */
const later = <T extends object>(statement: T) => ({ ...statement, epoch: 2 });
const inSet = <T extends object>(statement: T) => ({ ...statement, set: 41 });

/** Two statements and, by protocol and rule set, whether no honest member signs both. */
const cases: readonly (readonly [string, Tagged, Tagged, boolean])[] = [
  ['pbft', placed('commit', 1, one), placed('commit', 1, two), true],
  ['pbft', placed('commit', 1, one), placed('commit', 2, two), false],
  ['pbft', placed('prepare', 1, one), placed('commit', 1, two), true],
  ['pbft', placed('pre-prepare', 1, one), placed('commit', 1, two), true],
  ['pbft', placed('prepare', 1, one), placed('commit', 1, one), false],
  ['pbft', placed('commit', 1, one), report(2), true],
  ['pbft', placed('commit', 1, one), report(1), false],
  ['pbft', placed('commit', 1, one), report(2, [claim(0, one)]), true],
  ['pbft', placed('commit', 1, one), report(2, [claim(1, one)]), false],
  ['pbft', placed('commit', 1, one), report(2, [claim(1, two)]), true],
  ['pbft', placed('commit', 1, one), report(3, [claim(2, two)]), false],
  ['pbft', placed('commit', 1, one), report(2, [], stable(4)), true],
  ['pbft', placed('commit', 1, one), report(2, [], stable(5)), false],
  ['pbft', report(2, [claim(1, one)]), report(2), true],
  // An epoch begins anew, also its views.
  ['pbft', placed('commit', 1, one), { ...report(2), epoch: 2 }, false],
  ['pbft', placed('prepare', 1, one), { ...placed('commit', 1, two), epoch: 2 }, false],
  ['pbft', later(placed('commit', 1, one)), later(placed('commit', 1, two)), true],
  ['pbft', later(placed('prepare', 1, one)), later(placed('commit', 1, two)), true],
  ['pbft', later(placed('commit', 1, one)), later(report(2)), true],
  ['pbft', later(placed('commit', 1, one)), later(report(2, [claim(1, one)])), false],
  ['pbft', later(reached(one)), later(reached(two)), true],
  ['pbft', reached(one), reached(two), true],
  ['pbft', reached(one), reached(one, two), true],
  ['pbft', reached(one, two), reached(one, two), false],
  ['hotstuff jolteon', vote(4, 3), vote(4, 3, two), true],
  ['hotstuff jolteon', vote(4, 3), vote(4, 2), false],
  ['hotstuff jolteon', vote(4, 3), vote(6, 2), false],
  ['hotstuff jolteon', vote(4, 3), timeout(4, 2), true],
  ['hotstuff jolteon', vote(4, 3), timeout(3, 2), false],
  ['hotstuff jolteon', timeout(4, 3), timeout(5, 2), true],
  ['hotstuff jolteon', timeout(4, 3), timeout(5, 3), false],
  ['hotstuff jolteon', block(4, 1, one), block(4, 1, two), true],
  ['hotstuff jolteon', block(4, 1, one), block(5, 1, two), false],
  ['hotstuff jolteon', inSet(vote(4, 3)), inSet(vote(4, 3, two)), true],
  ['hotstuff jolteon', inSet(vote(4, 3)), inSet(timeout(4, 2)), true],
  ['hotstuff jolteon', vote(4, 3), inSet(vote(4, 3, two)), false],
  ['hotstuff jolteon', vote(4, 3), inSet(timeout(4, 2)), false],
  ['hotstuff hotstuff-2', inSet(vote(4, 3)), inSet(vote(6, 2)), true],
  ['hotstuff hotstuff-2', vote(4, 3), inSet(vote(6, 2)), false],
  ['hotstuff hotstuff-2', vote(4, 3), vote(6, 2), true],
  ['hotstuff hotstuff-2', vote(4, 3), vote(6, 3), false],
  ['hotstuff chained', vote(4, 3), vote(6, 2), false],
  ['tendermint', precommit(1, one), prevote(2, two), true],
  ['tendermint', precommit(1, one), prevote(2, two, 0), true],
  ['tendermint', precommit(1, one), prevote(2, two, 1), false],
  ['tendermint', precommit(1, one), prevote(2, one), false],
  ['tendermint', precommit(1, one), prevote(2, null), false],
  ['tendermint', precommit(1, null), prevote(2, two), false],
  ['tendermint', prevote(1, one), prevote(1, null), true],
  ['tendermint', precommit(2, one), precommit(2, two), true],
  ['streamlet', ballot(4, 3, one), ballot(4, 3, two), true],
  ['streamlet', ballot(4, 3, one), ballot(6, 2, two), true],
  ['streamlet', ballot(4, 3, one), ballot(6, 3, two), false],
  ['streamlet', ballot(4, 3, one), ballot(6, 4, two), false],
  ['minbft', counting(7, one, 1), counting(7, two, 1), true],
  ['minbft', counting(7, one, 1), counting(7, one), true],
  ['minbft', counting(7, one, 1), counting(8, two, 1), false],
  ['minbft', counting(7, one, 1), asks(7), false],
  ['minbft', asks(7), asks(7), false],
];

test.each(cases)('%s: %o and %o: both checkers say of each whether it is a lie', (...each) => {
  const [name, first, second, isLie] = each;
  const made = byHand(name, [first, second]);
  expect(made.found.length > 0).toBe(isLie);
  // A prover who claims it all the same convinces nobody.
  const claimed: Guilty<Tagged> = {
    signer: 2,
    rule: made.found[0]?.rule ?? 'lied',
    first: made.signed[0] as Signed<Tagged>,
    second: made.signed[1] as Signed<Tagged>,
    contents: [],
  };
  expect(verdicts(made.prepared, made.proofOf([claimed]))).toEqual(isLie ? [[2], [2]] : [[], []]);
});

test('chained HotStuff convicts who votes below its lock, by the blocks that it voted for', () => {
  const scenario = scenarios.find((each) => nameOf(each) === 'hotstuff chained') as Scenario;
  const { protocol } = prepare(scenario);
  const blocks: Tagged[] = [];
  let parent = '0'.repeat(64);
  for (const view of [4, 5, 6]) {
    blocks.push(block(view, view - 3, parent));
    const [[name] = ['']] = protocol.contents?.(blocks.at(-1) as never) ?? [];
    parent = name;
  }
  for (const [justifyView, isLie] of [
    [3, true],
    [4, false],
  ] as const) {
    const made = byHand('hotstuff chained', [...blocks, vote(6, 5, parent), vote(8, justifyView)]);
    expect(made.found.length > 0).toBe(isLie);
    if (!isLie) continue;
    const text = made.proofOf(made.found);
    expect(verdicts(made.prepared, text)).toEqual([[2], [2]]);
    const without = bent(text, (all) => Object.assign(all, { contents: [] }));
    expect(verdicts(made.prepared, without)).toEqual([[], []]);
  }
});

/** What a judge finds of statements that member 2 has signed, with real keys. */
function byHand(name: string, said: readonly Tagged[]) {
  const scenario = [...scenarios, counted(2)].find((each) => nameOf(each) === name) as Scenario;
  const prepared = prepare(scenario);
  const source = prepared.group;
  const keyring = prepared.keyring(2, 2);
  const signed = said.flatMap((each) => keyring.sign(each as never) ?? []);
  const kept = transcript(source);
  for (const each of signed) kept.observe(each);
  const group = proofGroupOf(prepared);
  if (group === undefined) throw new Error('these have real keys');
  return {
    prepared,
    signed,
    found: judge(source, kept.heard()),
    proofOf: (guilty: readonly Guilty<Tagged>[]) => guiltProof(source, group, guilty as never),
  };
}

test('a proof whose statements hold certificates says how wide these are', () => {
  const size = { n: 4, f: 1 };
  const entry = protocolOf('tendermint');
  const wide = serviced(entry.create({ ...size, seats: 68 }));
  const secretKeys = [1, 2, 3, 4].map((id) => new Uint8Array(32).fill(id));
  const publicKeys = secretKeys.map(publicKeyOf);
  const domain = domainOf(wide, { cluster: 'grows', group: 'log', epoch: 0 });
  const keyring = ed25519Keyring({
    domain,
    messages: wide.messages,
    protocol: wide,
    self: 2,
    secretKey: secretKeys[2] as Uint8Array,
    publicKeys: new Map(publicKeys.map((key, id) => [id, key])),
  });
  const seals = [0, 1, 3].map((from) => ({ from, signature: new Uint8Array(64) as Signature }));
  const polka = { body: prevote(0, one), seals };
  const place = { kind: 'proposal', height: 3, round: 1, set: 1, batch: [] };
  const kept = transcript<Tagged>(wide as never);
  for (const shown of [
    { validRound: 0, polka },
    { validRound: null, polka: null },
  ])
    kept.observe(keyring.sign({ ...place, ...shown } as never) as never);
  const group = { domain, f: 1, options: {}, publicKeys, seats: 68 };
  const found = judge<Tagged>(wide as never, kept.heard());
  expect(found.map(({ signer }) => signer)).toEqual([2]);
  const opened = openGuiltProof(guiltProof(wide as never, group, found as never));
  const holds = (seats: number | undefined, trusted: ProofGroup) =>
    checkGuiltProof(opened, entry.create({ ...size, ...(seats && { seats }) }), { group: trusted })
      .holds;
  expect([holds(opened.seats, group), holds(undefined, group)]).toEqual([true, false]);
  const { seats: _, ...narrow } = group;
  expect(holds(opened.seats, narrow)).toBe(false);
});
