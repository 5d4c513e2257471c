import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLogger } from './logging.ts';
import { Notices } from './notices.ts';

interface Line {
  readonly msg: string;
  readonly peer?: number;
  readonly reason?: string;
  readonly suppressed?: number;
}

function noticed(periodMs?: number): { readonly lines: Line[]; readonly notices: Notices } {
  const lines: Line[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  return { lines, notices: new Notices(createLogger({ destination }), periodMs) };
}

/** How many records the lines stand for. */
const told = (lines: readonly Line[]): number =>
  lines.reduce((sum, { suppressed = 1 }) => sum + suppressed, 0);

test('a flood becomes a few lines that stand for all of it, for each peer and reason', () => {
  const { lines, notices } = noticed();
  for (let k = 0; k < 1_000; k++) {
    notices.note('warn', { peer: 7, reason: 'malformed' }, 'Refused.');
    if (k % 100 === 0) notices.note('warn', { peer: 8, reason: 'malformed' }, 'Refused.');
  }
  notices.note('warn', { peer: 7, reason: 'overload' }, 'Refused.');
  expect(lines.length).toBeLessThan(15);
  notices.stop();
  const of = (peer: number, reason: string): Line[] =>
    lines.filter((line) => line.peer === peer && line.reason === reason);
  expect(told(of(7, 'malformed'))).toBe(1_000);
  expect(told(of(8, 'malformed'))).toBe(10);
  expect(of(7, 'overload')).toHaveLength(1);
});

test('what was held back is written when a period ends, and then lines come again', async () => {
  const { lines, notices } = noticed(20);
  for (let k = 0; k < 50; k++) notices.note('info', { peer: 1 }, 'Here.');
  while (told(lines) < 50) await sleep(5);
  notices.note('info', { peer: 1 }, 'Here.');
  expect(lines.at(-1)).not.toHaveProperty('suppressed');
  notices.stop();
  expect(told(lines)).toBe(51);
});

test('reasons that never repeat are bounded and counted too', () => {
  const { lines, notices } = noticed();
  for (let k = 0; k < 5_000; k++) notices.note('warn', { reason: `${k} bytes` }, 'Cut.');
  notices.stop();
  expect(lines.length).toBeLessThan(1_100);
  expect(told(lines)).toBe(5_000);
});
