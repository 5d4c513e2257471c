/** The demo's picture: two protocols side by side, the same for simulated and real runs. */
import {
  columns,
  protocolOf,
  type Scenario,
  type StoryLine,
  sideBySide,
  type VerdictRow,
} from '@quorumlab/harness';
import type { SteadyCostRow } from '@quorumlab/report/result';
import type { Io } from './io.ts';
import { plainStory, sayProofs, verdictWord } from './words.ts';

/** One half of the demo's picture. */
export interface DemoSide {
  readonly title: string;
  readonly n: number;
  readonly traitors: readonly number[];
  readonly story: readonly StoryLine[];
  /** `n1=Ann, n2=Bob` at the contested position. */
  readonly values: string;
  /** Whose votes committed them, in sentences. */
  readonly votes: readonly string[];
}

/** The heading of a half: `RAFT  n=3, built for f=1 crash`. */
export const titleOf = ({ protocol, n, f }: Pick<Scenario, 'protocol' | 'n' | 'f'>): string =>
  `${protocol.toUpperCase()}  n=${n}, built for f=${f} ${
    protocolOf(protocol).claims.faults === 'crash' ? 'crash' : 'traitor'
  }`;

/** Whether the liar fooled just those who never claimed to stand a liar. */
export const wentAsClaimed = (protocol: string, word: string | undefined): boolean =>
  word === (protocolOf(protocol).claims.faults === 'crash' ? 'forked' : 'ok');

/** What is about the contested position: the lie, what is accepted, committed, who leads next. */
export function tellable(story: readonly StoryLine[], slot: number): readonly StoryLine[] {
  const lie = story.findIndex(({ kind }) => kind === 'says');
  const seen = new Set<string>();
  return story.slice(Math.max(0, lie)).filter(({ kind, seat, slot: about, text }) => {
    if (kind === 'says') return !seen.has('says') && Boolean(seen.add('says'));
    if (kind === 'commits') return about === slot;
    const once = `${seat} ${kind} ${kind === 'leads' ? text : ''}`;
    return !seen.has(once) && Boolean(seen.add(once));
  });
}

/** Both halves, their verdicts, the cost of not being fooled, and the proof. */
export function sayTwoColumns(
  io: Io,
  heading: string,
  sides: readonly DemoSide[],
  rows: readonly VerdictRow[],
  costs: readonly SteadyCostRow[],
): void {
  const blocks = sides.map((side, i) => {
    const row = rows[i] as VerdictRow;
    const lines = columns(plainStory(io, markFork(side, row, io)), {
      n: side.n,
      traitors: side.traitors,
      traitorSign: io.sign('traitor'),
      more: io.plain('…'),
      width: 20,
      most: 14,
      // The columns are narrow; whose votes they were is said below.
      votes: false,
      hint: '--verbose',
      room: io.columns - 2,
    });
    return {
      title: side.title,
      lines,
      verdict: `${io.sign(row.word === 'ok' ? 'ok' : 'fail')} ${row.word}`,
      values: side.values,
    };
  });
  const [left, right] = blocks as [(typeof blocks)[number], (typeof blocks)[number]];
  const rest = Math.max(left.lines.length, right.lines.length);
  const pad = (lines: readonly string[]): readonly string[] => [
    ...lines,
    ...Array.from({ length: rest - lines.length }, () => ''),
  ];
  const block = (
    { title, lines, verdict, values }: (typeof blocks)[number],
    cost: string,
  ): readonly string[] => [title, ...pad(lines), '', `${verdict}   ${values}`, cost];
  const cheap = costs[0]?.messagesPerCommit;
  const dear = costs[1]?.messagesPerCommit;
  const costLine =
    cheap !== undefined && dear !== undefined
      ? `cost: ${dear} messages per commit, not ${cheap}`
      : '';
  io.out(io.paint('strong', heading));
  io.out('');
  const sure = 'both honest, both sure';
  const under = (i: number, cost: string): string => (rows[i]?.word === 'forked' ? sure : cost);
  const halves = [block(left, under(0, '')), block(right, under(1, costLine))] as const;
  for (const line of sideBySide(...halves, io.columns - 2)) io.out(line === '' ? '' : `  ${line}`);
  io.out('');
  for (const [i, { votes }] of sides.entries())
    for (const [k, sentence] of votes.entries())
      io.out(`  ${(k === 0 ? (rows[i]?.protocol ?? '') : '').padEnd(10)}${sentence}`);
  const proven = rows.find(({ counterexample }) => (counterexample?.proofs.length ?? 0) > 0);
  if (proven !== undefined) sayProofs(io, proven);
  io.out(`  ${rows.map((row) => `${row.protocol}: ${verdictWord(io, row.word)}`).join('   ')}`);
}

/** Marks the commits of a fork, so that they stand out without colour. */
const markFork = ({ story }: DemoSide, { word }: VerdictRow, io: Io): readonly StoryLine[] => {
  if (word !== 'forked') return story;
  let first: string | undefined;
  return story.map((line) => {
    if (line.kind !== 'commits') return line;
    first ??= line.text;
    return line.text === first ? line : { ...line, text: `${line.text} ${io.sign('fail')}` };
  });
};
