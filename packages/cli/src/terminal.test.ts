import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { said } from '../test-support/said.ts';
import { asciiJson, asciiOf } from './ascii.ts';
import { columnsOf, type Surroundings, terminal } from './io.ts';
import { lengthOf, wrapped } from './wrap.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-terminal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const trace = join(folder, 'a.trace.ndjson');
const traces = `--traces ${folder}`;

/** One line of every command that says something by itself, good and bad. */
const lines: readonly string[] = [
  '',
  '--help',
  'run --help',
  'attack --help',
  'compare --help',
  'cluster --help',
  'cluster up --help',
  'cluster submit --help',
  'node --help',
  'list protocols',
  'list attacks',
  'list networks',
  'list workloads',
  'list mutants',
  'list verdicts',
  'list options',
  'quorums pbft -n 3 -f 1 --seeds 1',
  'attack raft --mutant figure-8',
  `run raft -n 5 --attack equivocating-leader --net lossy --trace ${trace}`,
  'run pbft --seed é',
  'run multi-paxos -n 7 --attack equivocating-leader --count 4 --verbose',
  `explain ${trace}`,
  `replay ${trace}`,
  `attack raft --seeds 3 --jobs 1 ${traces}`,
  `compare raft pbft --attack none,equivocating-leader,f+1-traitors --seeds 1 --jobs 1 ${traces}`,
  'demo --sim',
  'lesson',
  'lesson 2',
  'lesson 11 --answer 6',
  'quiz',
  'quiz 7',
  'run pbft -n 3 -f 1',
  'run raf',
  'cluster status --folder /nowhere/at/all',
];

/** A line that cannot be shorter: its only word is too long, behind its indentation. */
const isOneWord = (line: string): boolean => /^\s*\S+( \\)?$/.test(line);

const strange = (text: string): string => text.replace(/[\0-\x7f]/g, '');

/** Widths and whether in ASCII alone; all of them in the long form of this test. */
const looks: readonly (readonly [columns: number, ascii: boolean])[] =
  process.env.QUORUMLAB_LONG_TESTS === '1'
    ? [40, 47, 60, 72, 80, 100, 133, 200].flatMap((columns) => [
        [columns, false] as const,
        [columns, true] as const,
      ])
    : [[40, true]];

test('no line is wider than the terminal where it can be broken, in ASCII or not', async () => {
  for (const [columns, ascii] of looks)
    for (const line of lines) {
      const flags = ascii ? '--ascii ' : '';
      const { out, err } = await said(`${flags}${line}`, { COLUMNS: String(columns) });
      const what = `COLUMNS=${columns} quorumlab ${flags}${line}`;
      expect(out + err, what).not.toBe('');
      for (const each of `${out}${err}`.split('\n'))
        if (!isOneWord(each))
          expect(lengthOf(each), `${what}: ${each}`).toBeLessThanOrEqual(columns);
      if (ascii) expect(strange(out + err), what).toBe('');
    }
}, 300_000);

test('for every width, words keep their order, and only spaces and backslashes are added', () => {
  const samples = [
    '✗ forked   position 0: n1 committed Ann, n2 committed Bob, and so on and on and on',
    '  rule      agreement: two honest nodes committed different values at one position',
    "  again     quorumlab run raft -n 3 --option 'a b=c d' --attack equivocating-leader --by 0",
    'a-single-word-that-is-longer-than-any-terminal-of-forty-columns-could-ever-show',
    '   ms  n0⚠        n1         n2',
  ];
  for (let columns = 40; columns <= 200; columns++)
    for (const sample of samples) {
      const found = wrapped(sample, columns);
      const isCommand = sample.includes('again');
      const joined = found.map((line, i) =>
        isCommand && i < found.length - 1 ? line.replace(/ \\$/, '') : line,
      );
      const wordsIn = (text: string): string => text.split(/\s+/).filter(Boolean).join(' ');
      expect(wordsIn(joined.join(' '))).toBe(wordsIn(sample));
      for (const line of found)
        if (!isOneWord(line)) expect(lengthOf(line)).toBeLessThanOrEqual(columns);
      // A quoted word is never broken: the shell would take the backslash for a part of it.
      if (isCommand) expect(found.join('\n')).toContain("'a b=c d'");
    }
});

test('--ascii leaves JSON the same document', async () => {
  const { out } = await said('--json --ascii run raft --seed é');
  expect(strange(out)).toBe('');
  expect(JSON.parse(out).scenario.seed).toBe('é');
  const any = { ключ: ['✓', '😀', '\u00a0'] };
  expect(JSON.parse(asciiJson(JSON.stringify(any)))).toEqual(any);
  expect(asciiOf('✓ ok → é')).toBe('OK ok -> \\u{e9}');
});

/** A terminal that keeps what is written to it. */
function around(
  env: Surroundings['env'],
  isTTY = true,
): Surroundings & { readonly text: string[] } {
  const text: string[] = [];
  const stream = { isTTY, columns: 72, write: (part: string) => text.push(part) };
  return { env, stdout: stream, stderr: stream, text };
}

test('colours, bars and widths follow what the terminal is and what its user has set', () => {
  const colourIn = (env: Surroundings['env'], isTTY?: boolean, color?: string): boolean =>
    terminal(color === undefined ? {} : { color }, around(env, isTTY)).paint('bad', 'x') !== 'x';
  expect(colourIn({})).toBe(true);
  expect(colourIn({}, false)).toBe(false);
  expect(colourIn({ TERM: 'dumb' })).toBe(false);
  expect(colourIn({ NO_COLOR: '1' })).toBe(false);
  expect(colourIn({ NO_COLOR: '' })).toBe(true);
  expect(colourIn({ FORCE_COLOR: '1' }, false)).toBe(true);
  expect(colourIn({ FORCE_COLOR: '0' })).toBe(false);
  expect(colourIn({ NO_COLOR: '1' }, false, 'always')).toBe(true);
  expect(colourIn({}, true, 'never')).toBe(false);
  const progressIn = (env: Surroundings['env'], isTTY?: boolean): string =>
    terminal({}, around(env, isTTY)).progress;
  expect(progressIn({})).toBe('bar');
  expect(progressIn({ CI: 'true' })).toBe('lines');
  expect(progressIn({ TERM: 'dumb' })).toBe('lines');
  expect(progressIn({}, false)).toBe('lines');
  const columns = (COLUMNS: string | undefined, isTTY = true): number | undefined =>
    columnsOf({ COLUMNS }, { isTTY, columns: 72 });
  expect([columns(undefined), columns('60'), columns(undefined, false)]).toEqual([
    72,
    60,
    undefined,
  ]);
  expect([columns('0'), columns('x'), columns('-5'), columns('')]).toEqual([72, 72, 72, 72]);
  expect([columns('1'), columns('100000')]).toEqual([20, 500]);
});

test('a line goes to a file whole, and to a terminal in pieces', () => {
  const sentence = 'word '.repeat(40).trim();
  const file = around({}, false);
  terminal({}, file).out(sentence);
  expect(file.text.join('')).toBe(`${sentence}\n`);
  const screen = around({});
  terminal({}, screen).out(sentence);
  expect(screen.text.join('').split('\n').length).toBeGreaterThan(2);
});

test('the demo stands side by side where there is room, and else below each other', async () => {
  const demo = 'demo multi-paxos raft --sim';
  const titles = (text: string): number =>
    text.split('\n').filter((line) => /RAFT|MULTI-PAXOS/.test(line)).length;
  expect(titles((await said(demo, { COLUMNS: '160' })).out)).toBe(1);
  expect(titles((await said(demo, { COLUMNS: '60' })).out)).toBe(2);
});

test('no command, or one that takes another, shows help, and with --json an error', async () => {
  for (const line of ['', 'cluster', 'keys', '--ascii']) {
    const { out, code } = await said(line);
    expect(code).toBe(0);
    expect(out).toContain('Usage:');
  }
  const { out, code } = await said('--json');
  expect(code).toBe(254);
  expect(JSON.parse(out)).toMatchObject({ code: 'QL100' });
});

test('the README shows what the demo prints, step by step', async () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const shown = readme.slice(
    readme.indexOf('One node lies.'),
    readme.indexOf('The same lie, live.'),
  );
  const rows = shown.split('\n').filter((line) => /^ +\d+ |^ {2}[✗A-Z]/.test(line));
  expect(rows.length).toBeGreaterThan(5);
  const { out } = await said('demo --sim', { COLUMNS: '120' });
  const printed = out.split('\n').map((line) => line.trimEnd());
  for (const row of rows) expect(printed).toContain(row);
});
