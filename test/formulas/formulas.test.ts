import {
  type CostOptions,
  costOfProtocol,
  protocols,
  type Subject,
  subjectsOf,
  toleratedBy,
} from '@quorumlab/harness';
import { describe, expect, test } from 'vitest';
import { costOfPair, type PairCost } from './contention.ts';
import { type Formula, formulas, ofTheNext, slowPath } from './formulas.ts';

const sizes = [4, 5, 6, 7, 8, 9, 10, 13, 31];
const macs = { authentication: 'mac' };
const subjects: readonly Subject[] = [
  ...protocols.flatMap(({ name }) => subjectsOf(name)),
  { name: 'pbft with MACs', protocol: 'pbft', options: macs },
];

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

test.each([4, 7, 10])(
  'pbft: a tentative reply takes four delays, and all reply again, n=%i',
  (n) => {
    const f = Math.floor((n - 1) / 3);
    const plain = costOfProtocol({ protocol: 'pbft', n, f, commits: 5 });
    const options = { tentative: true };
    const { kinds, ...cost } = costOfProtocol({ protocol: 'pbft', n, f, options, commits: 5 });
    expect([plain.delaysToReply, cost.delaysToReply]).toEqual([5, 4]);
    expect(kinds.reply?.messages).toBe(2 * n);
    const { reply: _, ...others } = kinds;
    expect(others).toMatchObject(
      Object.fromEntries(Object.entries(plain.kinds).filter(([kind]) => kind !== 'reply')),
    );
  },
);

const crash = Object.keys(formulas).filter((name) => formulas[name]?.flushes !== undefined);

test('the flushes of all protocols for crashes that order many commands are asserted', () => {
  expect(crash).toEqual(['raft', 'zab', 'multi-paxos', 'flexible-paxos', 'epaxos']);
});

describe.each(crash)('%s: flushes and bytes are as many as copies and members', (name) => {
  const costs = [3, 5, 7].map((n) =>
    costOfProtocol({ protocol: name, n, f: (n - 1) / 2, commits: 5 }),
  );

  test('each batch is made durable once by each member, before anything is said of it', () => {
    for (const { n, f, total } of costs)
      expect(total.syncs).toBe((formulas[name] as Formula).flushes?.({ n, f }));
  });

  test('a copy has the same size in a group of any size', () => {
    const sizes = costs.map(({ kinds }) =>
      Object.entries(kinds).map(([kind, { bytes, messages }]) => [kind, bytes / messages]),
    );
    const [first = []] = sizes;
    for (const [i, each] of sizes.entries())
      for (const [at, [kind, size]] of each.entries()) {
        expect(kind).toBe(first[at]?.[0]);
        expect(size, `${kind} of n=${costs[i]?.n}`).toBeCloseTo(Number(first[at]?.[1]), 1);
      }
  });
});

test.each([1, 2])('zab: an observer costs two messages more, and a flush, observers=%i', (o) => {
  const options = { observers: o };
  const { kinds, total } = costOfProtocol({ protocol: 'zab', n: 3 + o, f: 1, options, commits: 5 });
  const sent = Object.entries(kinds).map(([kind, { messages }]) => [kind, messages]);
  const voters = { request: 1, propose: 2, commit: 2, reply: 1 };
  // It answers too, so that the channel loses nothing; its answer counts in no quorum.
  expect(Object.fromEntries(sent)).toEqual({ ...voters, inform: o, ack: 2 + o });
  expect(total.syncs).toBe(3 + o);
});

describe.each([3, 5, 7])('epaxos: two commands that interfere, n=%i', (n) => {
  const pair = costOfPair(n);
  const size = { n, f: (n - 1) / 2 };
  const fast = formulas.epaxos as Formula;

  test('one takes the fast path and one the slow one, and cost what both cost', () => {
    const copies = Object.entries(pair.kinds).map(([kind, each]) => [kind, each.copies]);
    const expected = Object.entries(fast.messages).map(([kind, count]) => [kind, 2 * count(size)]);
    const more = Object.entries(slowPath.messages).map(([kind, count]) => [kind, count(size)]);
    expect(Object.fromEntries(copies)).toEqual(Object.fromEntries([...expected, ...more]));
    expect(pair.flushes).toBe(2 * (fast.flushes?.(size) ?? 0) + slowPath.flushes(size));
  });

  test('the fast path takes 2 delays to the commit, and the slow one 4', () => {
    expect(pair.fast.committed).toBe(fast.delaysToDecision);
    expect(pair.slow.committed).toBe(fast.delaysToDecision + slowPath.delays);
    // And the answer comes when it is executed, one delay later.
    expect([pair.fast.answered, pair.slow.answered]).toEqual([3, 5]);
  });

  test('no copy is larger because the group is', () => {
    const bytesOf = ({ kinds }: PairCost) =>
      Object.fromEntries(Object.entries(kinds).map(([kind, { bytes }]) => [kind, bytes]));
    expect(bytesOf(pair)).toEqual(bytesOf(costOfPair(3)));
    // What is accepted is what was pre-accepted, with a ballot.
    expect(pair.kinds.accept?.bytes).toBe((pair.kinds['pre-accept']?.bytes ?? 0) + 1);
  });
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
      // What is signed per commit is the same from the first one on that is counted.
      const options = { ...optionsOf(subject, 4), warmUp: 2, commits: 1 };
      const { signed, verified } = costOfProtocol(options).total;
      expect(signed).toBeGreaterThan(0);
      expect(costOfProtocol({ ...options, realSignatures: true }).total).toMatchObject({
        signed,
        verified,
      });
    }
  },
);
