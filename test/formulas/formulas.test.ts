import {
  type CostOptions,
  costOfProtocol,
  protocols,
  type Subject,
  subjectsOf,
  toleratedBy,
} from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import { type Formula, formulas, ofTheNext } from './formulas.ts';

const sizes = [4, 5, 6, 7, 8, 9, 10, 13, 31];
const subjects = protocols.flatMap(({ name }) => subjectsOf(name));

function optionsOf(
  { protocol, options }: Subject,
  n: number,
): Required<Pick<CostOptions, 'f'>> & CostOptions {
  const claims = protocols.find(({ name }) => name === protocol)?.claims;
  if (claims === undefined) throw new Error(`${protocol} is not registered`);
  return { protocol, n, f: toleratedBy(claims, n), options };
}

test('every protocol and every rule set has formulas', () => {
  const names = subjects.map(({ name }) => name);
  expect(names.filter((name) => formulas[name] === undefined)).toEqual([]);
});

describe.each(subjects)('$name costs per commit what its paper says', (subject) => {
  test.each(sizes)('n=%i', (n) => {
    const formula = formulas[subject.name] as Formula;
    const options = optionsOf(subject, n);
    const size = { n, f: options.f };
    const cost = costOfProtocol({ ...options, commits: 5 });
    const kinds = Object.entries(cost.kinds)
      .filter(([kind]) => !(cost.once && ofTheNext.includes(kind)))
      .map(([kind, { messages }]) => [kind, messages] as const);
    const expected = Object.entries(formula.messages)
      .map(([kind, count]) => [kind, count(size)] as const)
      .sort(([one], [two]) => (one < two ? -1 : 1));
    expect(kinds).toEqual(expected);
    expect({
      signed: cost.total.signed,
      verified: cost.total.verified,
      positions: cost.positions / cost.commits,
      delaysToReply: cost.delaysToReply,
      delaysToDecision: cost.delaysToDecision,
    }).toEqual({
      signed: formula.signed(size),
      verified: formula.verified(size),
      positions: formula.positions,
      delaysToReply: formula.delaysToReply,
      delaysToDecision: formula.delaysToDecision,
    });
  });
});

test.each(sizes)('pbft: a read that is not ordered takes two delays, n=%i', (n) => {
  const f = Math.floor((n - 1) / 3);
  const options = { readOnly: true };
  const cost = costOfProtocol({ protocol: 'pbft', n, f, options, reads: true, commits: 5 });
  const sent = Object.entries(cost.kinds).map(([kind, { messages }]) => [kind, messages]);
  expect(sent).toEqual([
    ['query', n],
    ['query-reply', n],
  ]);
  expect(cost.delaysToReply).toBe(2);
});

test.each([3, 5, 7])('zab: three messages to each of the others, n=%i', (n) => {
  const { kinds } = costOfProtocol({ protocol: 'zab', n, f: (n - 1) / 2, commits: 5 });
  const { propose, ack, commit } = kinds;
  const sent = [propose, ack, commit].map((kind) => kind?.messages ?? 0);
  expect(sent).toEqual([n - 1, n - 1, n - 1]);
});

test.each(['pbft', 'hotstuff', 'tendermint', 'streamlet', 'minbft'])(
  '%s: signatures that are counted are those that are made',
  (name) => {
    for (const subject of subjectsOf(name)) {
      const options = { ...optionsOf(subject, 4), commits: 2 };
      const { signed, verified } = costOfProtocol(options).total;
      expect(signed).toBeGreaterThan(0);
      expect(costOfProtocol({ ...options, realSignatures: true }).total).toMatchObject({
        signed,
        verified,
      });
    }
  },
);
