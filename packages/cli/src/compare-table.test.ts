import type { VerdictRow } from '@quorumlab/harness';
import { expect, test } from 'vitest';
import { verdictTable } from './compare-table.ts';
import { terminal } from './io.ts';

const io = terminal({ ascii: true, color: 'never' });

const row = (attack: string, more: Partial<VerdictRow> = {}): VerdictRow => ({
  protocol: 'raft',
  n: 3,
  f: 1,
  attack,
  word: 'ok',
  expected: true,
  claimed: true,
  runs: 300,
  hits: 0,
  fired: 300,
  upper95: 1,
  digest: '',
  seed: '42',
  ...more,
});

test('a cell says in words what happened, how often, and whether that was to be expected', () => {
  const table = verdictTable(io, [
    row('none'),
    row('split', { word: 'stalled', expected: false, hits: 18 }),
    row('double-voter', { word: 'forked', hits: 300 }),
    row('silent-leader', { fired: 0, note: 'the attack did NOT fire' }),
  ]);
  expect(table.join('\n')).toMatchInlineSnapshot(`
    "                                                 double-
            n  none   split                          voter        silent-leader
      raft  3  OK ok  ... stalled 18/300 UNEXPECTED  FAIL forked  ? did not occur"
  `);
});

test('attacks that do not fit beside each other stand below, under the same names', () => {
  const attacks = Array.from({ length: 9 }, (_, i) => `an-attack-number-${i}`);
  const rows = ['raft', 'pbft'].flatMap((protocol) =>
    attacks.map((attack) => row(attack, { protocol, word: 'forked', hits: 18, expected: false })),
  );
  const table = verdictTable(io, rows);
  expect(Math.max(...table.map(({ length }) => length))).toBeLessThanOrEqual(100);
  const blocks = table.join('\n').split('\n\n');
  expect(blocks.length).toBeGreaterThan(1);
  for (const block of blocks) {
    expect(block).toContain('raft');
    expect(block).toContain('pbft');
  }
  expect(table.join('\n').match(/UNEXPECTED/g)).toHaveLength(18);
});

test('variants are named by their word alone, other options as they are written', () => {
  const table = verdictTable(io, [
    row('none', { protocol: 'hotstuff', options: { rules: 'chained' } }),
    row('none', { protocol: 'flexible-paxos', options: { q1: 3, q2: 1 } }),
  ]);
  expect(table.join('\n')).toContain('hotstuff chained ');
  expect(table.join('\n')).toContain('flexible-paxos q1=3 q2=1');
});
