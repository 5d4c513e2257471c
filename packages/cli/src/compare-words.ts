/** What a comparison says to people. */
import {
  type Counterexample,
  flagsOf,
  judgedBy,
  readsWords,
  type Scenario,
  type Tally,
  type VerdictRow,
} from '@quorumlab/harness';
import { type Result, rowName, type SteadyCostRow } from '@quorumlab/report/result';
import { costTable, verdictTable } from './compare-table.ts';
import type { Exit } from './errors.ts';
import { grouped, type Io } from './io.ts';
import { wrapped } from './wrap.ts';

/** A comparison as a result. */
export interface CompareResult extends Result {
  readonly cost: readonly SteadyCostRow[];
  /** Cells whose word the protocol's claims do not allow. */
  readonly unexpected: number;
}

/** That a budget has ended is no counterexample. */
export const hasCounterexample = (tally: Tally | undefined): boolean =>
  (tally?.shown?.word ?? 'inconclusive') !== 'inconclusive';

/** The cells of which something is known, and the traces that could not be written. */
export interface Rows {
  readonly verdicts: readonly VerdictRow[];
  readonly failures: readonly Exit[];
}

/** Says what was compared, the tables, and what is to be looked at. */
export function sayComparison(io: Io, result: CompareResult, seeds: number): void {
  const { verdicts, cost, unexpected } = result;
  const count = (what: readonly string[]): number => new Set(what).size;
  const [{ f } = { f: 0 }] = verdicts;
  const size =
    `${count(verdicts.map(({ protocol }) => protocol))} protocols, ` +
    `${count(verdicts.map(({ attack }) => attack))} attacks, ${grouped(seeds)} seeds each, f=${f}`;
  const head =
    unexpected === 0
      ? io.paint('good', `${io.sign('ok')} 0 unexpected`)
      : io.paint('bad', `${io.sign('fail')} ${unexpected} UNEXPECTED`);
  io.out(`${head}   ${size}`);
  for (const [i, row] of verdicts.entries()) {
    if (row.expected) continue;
    io.out(`  ${rowName(row)} n=${row.n} under ${row.attack}: ${row.word}. Please report it with`);
    // There is a scenario for every row.
    const flags = flagsOf((result.scenario as readonly Scenario[])[i] as Scenario).join(' ');
    const search = `quorumlab attack ${row.protocol} ${flags} --seeds ${seeds}`;
    io.out(`    ${row.counterexample?.first?.replay ?? search}`);
  }
  io.out('');
  for (const line of verdictTable(io, verdicts)) io.out(line);
  sayBounds(io, verdicts, seeds);
  io.out('');
  if (cost.length > 0) {
    io.out('One commit without faults: one client, one write of 100 bytes after the other');
    for (const line of costTable(io, cost)) io.out(line);
    sayCostNotes(io, cost);
  }
  sayCounterexamples(io, verdicts);
}

/** Says a sentence in lines as wide as the tables. */
function sayWrapped(io: Io, sentence: string): void {
  for (const line of wrapped(io.plain(`  ${sentence}`), io.columns)) io.out(line);
}

function sayBounds(io: Io, verdicts: readonly VerdictRow[], seeds: number): void {
  const clean = verdicts.find(({ hits }) => hits === 0);
  if (clean !== undefined)
    sayWrapped(
      io,
      `ok = no violation in ${grouped(seeds)} seeds ` +
        `(true rate below ${clean.upper95.toFixed(2)} % with 95 % confidence); it is no proof.`,
    );
  for (const reads of readsWords)
    if (verdicts.some((row) => row.reads === reads)) sayWrapped(io, `${judgedBy(reads)}.`);
  for (const row of verdicts)
    if (row.budget !== undefined)
      sayWrapped(io, `${rowName(row)} under ${row.attack}: ${row.budget}.`);
  if (verdicts.some(({ claimed, word }) => !claimed && word === 'ok'))
    sayWrapped(
      io,
      'not claimed = more than the protocol says that it survives; nothing broke in these runs.',
    );
  if (verdicts.some(({ counterexample }) => (counterexample?.culprits.length ?? 0) > 0))
    sayWrapped(io, 'named = convicted by two of its own signatures, which anyone can check.');
  const seldom = verdicts.filter(({ attack, fired, runs }) => attack !== 'none' && fired < runs);
  for (const row of seldom)
    sayWrapped(
      io,
      row.fired === 0
        ? `${rowName(row)}: ${row.attack} did not occur in any run, so its cell says nothing.`
        : `${rowName(row)}: ${row.attack} occurred in ${row.fired} of ${row.runs} runs.`,
    );
  if (seldom.length === 0) sayWrapped(io, 'Every attack occurred in every run.');
}

function sayCostNotes(io: Io, costs: readonly SteadyCostRow[]): void {
  sayWrapped(
    io,
    'All nodes and the client together. A delay is one message on its way, to decide from the ' +
      "request's arrival on. New leader: from a crash of the old one to the next answer.",
  );
  const once = costs.filter((cost) => cost.once).map(rowName);
  if (once.length > 0)
    sayWrapped(
      io,
      `${once.join(', ')}: the log has one position, so choosing a leader is in the count.`,
    );
  const leaderless = costs.filter(({ once, replacement, f }) => !once && !replacement && f > 0);
  if (leaderless.length > 0)
    sayWrapped(
      io,
      `${leaderless.map(rowName).join(', ')}: when the leader has crashed, nobody answers within ` +
        '60 s.',
    );
  const chains = costs.filter(({ positions, commits }) => positions > commits);
  const each = chains.map((cost) => `${rowName(cost)} ${positionsOf(cost)}`).join(', ');
  if (chains.length > 0)
    sayWrapped(
      io,
      'Positions of the log per commit when requests come one by one (under load each of them ' +
        `carries requests): ${each}.`,
    );
}

const positionsOf = ({ positions, commits }: SteadyCostRow): number =>
  Math.round((100 * positions) / commits) / 100;

function sayCounterexamples(io: Io, verdicts: readonly VerdictRow[]): void {
  const found = verdicts.filter(({ counterexample }) => counterexample !== undefined);
  if (found.length === 0) return;
  io.out('');
  io.out('Counterexamples, each the smallest that was found');
  for (const row of found) {
    const { rule, sentence, replay, events, first, shrunk } = row.counterexample as Counterexample;
    const rate = row.hits < row.runs ? ` (true rate below ${row.upper95.toFixed(2)} %)` : '';
    io.out(
      `  ${rowName(row)} under ${row.attack}: ${row.word} in ${grouped(row.hits)} of ` +
        `${grouped(row.runs)} seeds${rate}`,
    );
    io.out(`    ${rule}: ${sentence}`);
    io.out(`    ${shrunk?.after ?? events} events  ${replay}`);
    if (first !== undefined) io.out(`    ${first.events} events  ${first.replay}`);
  }
}
