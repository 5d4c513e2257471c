import { expect, test } from 'vitest';
import {
  claimOf,
  completeScenario,
  prepare,
  type QuorumRow,
  quorumRows,
  runScenario,
  unsafeMark,
} from './index.ts';

const outcomes = (protocol: string, n: number, f: number, seeds = 1): readonly QuorumRow[] => {
  const rows = [...quorumRows({ protocol, n, f, seeds })];
  for (const row of rows) expect(row, JSON.stringify(row)).toMatchObject({ expected: true });
  return rows;
};

/** What arithmetic says of every size: too small forks, too large stalls. */
const byArithmetic = ({ honest, lives }: QuorumRow): string =>
  honest > 0 ? (lives ? 'ok' : 'stalls') : lives ? 'forks' : 'forks and stalls';

for (const [protocol, variants] of [['pbft', 1] as const, ['hotstuff', 4] as const])
  test(`${protocol}: any quorum of three with one liar breaks, and one of four does not`, () => {
    for (const n of [3, 4]) {
      const rows = outcomes(protocol, n, 1);
      expect(rows).toHaveLength(n * variants);
      for (const row of rows) expect(row.outcome).toBe(byArithmetic(row));
      const good = rows.filter(({ outcome }) => outcome === 'ok').map(({ quorum }) => quorum);
      expect(good).toEqual(n === 3 ? [] : Array.from({ length: variants }, () => 3));
      // What it says can be run again, and shows it.
      const fork = rows.find(({ outcome }) => outcome === 'forks') as QuorumRow;
      expect(runScenario(fork.parted.scenario).word).toBe('forked');
    }
  });

test('two liars of six fork quorums of four, and of seven do not fork those of five', () => {
  const row = (n: number, quorum: number): QuorumRow | undefined =>
    outcomes('pbft', n, 2).find((each) => each.quorum === quorum);
  expect(row(6, 4)).toMatchObject({ outcome: 'forks', shared: 2, honest: 0, lives: true });
  expect(row(7, 5)).toMatchObject({ outcome: 'ok', shared: 3, honest: 1, lives: true });
});

test('crash protocols fork where quorums share nobody, and stop where a crash leaves none', () => {
  for (const protocol of ['raft', 'zab', 'multi-paxos', 'flexible-paxos', 'basic-paxos']) {
    const rows = outcomes(protocol, 3, 1, 6);
    expect(rows.map(({ outcome }) => outcome)).toEqual(['forks', 'ok', 'stalls']);
  }
});

test('quorums set by hand are marked, and claimed only where the numbers would do', () => {
  const given = { protocol: 'pbft', n: 4 } as const;
  for (const quorum of [1, 2, 3, 4]) {
    const scenario = completeScenario({ ...given, quorum });
    expect(claimOf(scenario).claimed).toBe(quorum === 3);
    expect(unsafeMark(scenario)).toBe(`UNSAFE: quorums of ${quorum} set by hand`);
  }
  expect(unsafeMark(completeScenario(given))).toBeUndefined();
  for (const quorum of [0, 5, 1.5])
    expect(() => prepare(completeScenario({ ...given, quorum }))).toThrow('give 1 to 4');
  expect(() => prepare(completeScenario({ protocol: 'pbft', n: 3, f: 1, quorum: 2 }))).toThrow(
    '--unsafe-n',
  );
});
