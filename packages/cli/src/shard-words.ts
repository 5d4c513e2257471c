/** How runs of shards look in a terminal: the verdicts first, then counts, then one run. */
import { quoted, timeText } from '@quorumlab/harness';
import {
  boundText,
  isWithinBound,
  type ShardRun,
  type ShardTally,
  shardLinkOf,
  shardSituationNames,
  shardSituations,
  shardWorkloads,
} from '@quorumlab/harness/shards';
import type { Io } from './io.ts';
import { verdictWord } from './words.ts';

/** Runs of one kind: what they were, what they came to, and whether that was to be expected. */
export interface ShardRow extends ShardTally {
  /** Whether the rules are right and clocks within their bound: then nothing may break. */
  readonly claimed: boolean;
  readonly expected: boolean;
  /** What is wrong with the rules. */
  readonly flaw?: string;
  /** The 95 % upper bound on the rate of runs that break something, in percent. */
  readonly upper95: number;
  /** The command line of the first run that breaks something, or of the first one. */
  readonly again: string;
}

/** Rows, and the run that is told if one is. */
export function sayShards(
  io: Io,
  rows: readonly ShardRow[],
  told: ShardRun | undefined,
  trace: string | undefined,
): void {
  const [one] = rows;
  if (one === undefined) return;
  for (const row of rows) io.out(`${verdictWord(io, row.word)}   ${sentenceOf(row)}`);
  const { protocol, workload } = one.scenario;
  const of = protocol === 'both' ? 'raft or multi-paxos, by the seed' : protocol;
  io.out('');
  io.out(io.paint('dim', `two groups of ${of} · ${workload}: ${shardWorkloads[workload]}`));
  io.out('');
  for (const line of tableOf(rows)) io.out(`  ${line}`.trimEnd());
  if (workload === 'swarm') sayReached(io, rows);
  for (const row of rows) sayFirst(io, row);
  if (told !== undefined) sayStory(io, told);
  if (trace !== undefined) {
    io.out(`\n  trace     ${trace}`);
    io.out(`  replay    quorumlab replay ${quoted(trace)}`);
  }
}

const rulesOf = ({ scenario: { mutant } }: ShardRow): string =>
  mutant === undefined ? 'the right rules' : `the mutant ${mutant}`;

function clocksOf({ scenario }: ShardRow): string {
  const { bound, clocks, beyond } = scenario;
  if (beyond === 0) return `clocks ${boundText(scenario)}`;
  return `clocks ${timeText(beyond)} beyond ${clocks ?? timeText(bound)}`;
}

/** What a row came to, in words. */
function sentenceOf(row: ShardRow): string {
  const { runs, outOfOrderRuns, staleRuns, broken } = row;
  const more = broken > Math.max(outOfOrderRuns, staleRuns) ? `, anything in ${broken}` : '';
  return (
    `${rulesOf(row)}, ${clocksOf(row)}: external consistency broken in ${outOfOrderRuns} of ` +
    `${runs} runs, stale reads in ${staleRuns}${more}`
  );
}

function tableOf(rows: readonly ShardRow[]): readonly string[] {
  const head = ['rules', 'clocks', 'runs', 'transactions', 'out of order', 'reads', 'stale'];
  const cells = [
    [...head, 'a commit takes'],
    ...rows.map((row) => [
      row.scenario.mutant ?? 'right',
      clocksOf(row).replace('clocks ', ''),
      `${row.runs}`,
      `${row.transactions}`,
      `${row.outOfOrder}`,
      `${row.reads}`,
      `${row.stale}`,
      `${(row.latency / 1000).toFixed(1)} ms`,
    ]),
  ];
  const widths = [...head, ''].map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  return cells.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
}

/** How often the runs of each row were in rare situations. */
function sayReached(io: Io, rows: readonly ShardRow[]): void {
  io.out('');
  const width = Math.max(...shardSituationNames.map(({ length }) => length));
  for (const name of shardSituationNames) {
    const counts = rows.map(({ reached }) => `${reached[name] ?? 0}`.padStart(7)).join('');
    io.out(`  ${name.padEnd(width)}${counts}  ${shardSituations[name]}`);
  }
}

/** The first run of a row that breaks something, and why it does. */
function sayFirst(io: Io, { scenario, first, flaw, again }: ShardRow): void {
  if (first === undefined) return;
  io.out('');
  io.out(`  ${io.paint('strong', `seed ${first.scenario.seed}`)}    ${first.sentence}`);
  if (flaw !== undefined) io.out(`  because   ${flaw}`);
  if (!isWithinBound(scenario))
    io.out('  because   timestamps are as right as the bound of the clocks');
  io.out(`  again     ${again}`);
  const link = shardLinkOf(first.scenario, first.digest);
  if (link !== undefined) io.out(`  see it    quorumlab play '${link}'`);
}

/** A run, a line for each thing that happened; times in milliseconds, timestamps in µs. */
export function sayStory(io: Io, { story, seats, scenario }: ShardRun): void {
  io.out('');
  io.out(`  what happened with seed ${scenario.seed}`);
  for (const { at, seat, text } of story)
    io.out(`  ${(at / 1000).toFixed(1).padStart(8)} ms  ${(seats[seat] ?? '').padEnd(4)} ${text}`);
}
