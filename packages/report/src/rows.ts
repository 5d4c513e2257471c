/** What rows of a result mean, in the same words for every reporter. */
import { attackOf, attacks, type Scenario, type VerdictRow } from '@quorumlab/harness';
import type { Result, SteadyCostRow } from './result.ts';

/** How a verdict stands to what was to be expected of it. */
export type Standing = 'expected' | 'unexpected' | 'open';

/**
 * Whether a row is what was to be expected: by `--expect`, or by what the protocol claims. `open`
 * if it came to no answer, or if its attack never acted, so that it says nothing about it.
 */
export function standingOf(row: VerdictRow, { expect }: Pick<Result, 'expect'>): Standing {
  if (expect !== undefined) return row.word === expect ? 'expected' : 'unexpected';
  if (row.word === 'inconclusive') return 'open';
  if (!row.expected) return 'unexpected';
  return isSilent(row) ? 'open' : 'expected';
}

/** Whether the attack of a row never acted. */
export const isSilent = ({ attack, fired, note }: VerdictRow): boolean =>
  note !== undefined || (fired === 0 && needsToFire(attack));

/** Whether an attack does anything by itself; one that is not known here is taken to. */
const needsToFire = (name: string): boolean =>
  attacks.some((each) => each.name === name) ? attackOf(name).needs !== 'nothing' : name !== 'none';

/** How many rows stand how, and how many runs that were. */
export interface Counts {
  readonly rows: number;
  readonly runs: number;
  readonly unexpected: number;
  readonly open: number;
  /** Expected, and not `ok`: as theory says. */
  readonly broken: number;
  readonly ok: number;
}

/** Counts the rows of a result. */
export function countsOf(result: Result): Counts {
  const standings = result.verdicts.map((row) => ({ row, is: standingOf(row, result) }));
  const count = (is: (each: (typeof standings)[number]) => boolean): number =>
    standings.filter(is).length;
  return {
    rows: standings.length,
    runs: result.verdicts.reduce((sum, { runs }) => sum + runs, 0),
    unexpected: count(({ is }) => is === 'unexpected'),
    open: count(({ is }) => is === 'open'),
    broken: count(({ is, row }) => is === 'expected' && row.word !== 'ok'),
    ok: count(({ is, row }) => is === 'expected' && row.word === 'ok'),
  };
}

/** `1 run`, `2 runs`. */
export const counted = (count: number, what: string): string =>
  `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;

/** 12345 as 12,345. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/** What a result comes to, in one sentence. */
export function sentenceOfResult(result: Result): string {
  const { rows, runs, unexpected, open, broken, ok } = countsOf(result);
  const first =
    unexpected === 0
      ? 'Nothing unexpected'
      : `${grouped(unexpected)} unexpected ${unexpected === 1 ? 'result' : 'results'}`;
  const so = [
    `${grouped(ok)} ok`,
    `${grouped(broken)} broken as predicted`,
    ...(open === 0 ? [] : [`${grouped(open)} without an answer`]),
  ].join(', ');
  const early = result.stopped === undefined ? '' : ' It was stopped early.';
  return `${first} in ${counted(rows, 'cell')} of ${counted(runs, 'run')}: ${so}.${early}`;
}

/** `forked 18/300, 1 named`: what a cell says behind its sign. */
export function cellWords(row: VerdictRow, standing: Standing): string {
  const { word, hits, runs, claimed, counterexample } = row;
  if (hits === 0 && isSilent(row)) return 'did not occur';
  const often = hits === 0 || hits === runs ? '' : ` ${hits}/${runs}`;
  const named = counterexample?.culprits.length ?? 0;
  return [
    `${word}${often}`,
    ...(named === 0 ? [] : [`${named} named`]),
    ...(word === 'ok' && !claimed ? ['not claimed'] : []),
    ...(standing === 'unexpected' ? ['UNEXPECTED'] : []),
  ].join(', ');
}

/** What was seen, in one sentence: of the counterexample, or that there is none. */
export function sentenceOfRow(row: VerdictRow): string {
  const { counterexample, runs, upper95, word, budget } = row;
  if (counterexample !== undefined) return `${counterexample.rule}: ${counterexample.sentence}`;
  if (isSilent(row)) return 'the attack did NOT fire: this says nothing about it';
  if (word === 'inconclusive') return budget ?? 'a budget was spent before an answer';
  if (word !== 'ok') return `${word}, without a counterexample`;
  const bound = runs < 2 ? '' : ` (true rate below ${upper95.toFixed(2)} % with 95 % confidence)`;
  return `no violation in ${counted(runs, 'run')}${bound}`;
}

/** The line that shows a row's counterexample again; nothing if it has none. */
export const replayOf = ({ counterexample }: VerdictRow): string | undefined =>
  counterexample?.first?.replay ?? counterexample?.replay;

/** The scenario of a row. */
export function scenarioOfRow(
  { scenario, verdicts }: Result,
  row: VerdictRow,
): Scenario | undefined {
  const all: readonly Scenario[] = Array.isArray(scenario) ? scenario : [scenario as Scenario];
  const same = (one: unknown, two: unknown): boolean =>
    JSON.stringify(one ?? {}) === JSON.stringify(two ?? {});
  const isOf = (each: Scenario | undefined): boolean =>
    each?.protocol === row.protocol &&
    each.attack === row.attack &&
    each.n === row.n &&
    each.f === row.f &&
    each.mutant === row.mutant &&
    same(each.options, row.options);
  // There is one for each row, unless the command was stopped.
  const own = all.length === verdicts.length ? all[verdicts.indexOf(row)] : undefined;
  return isOf(own) ? own : all.find(isOf);
}

/** The rows of the cost of one commit. */
export const steadyCosts = ({ cost }: Result): readonly SteadyCostRow[] =>
  cost.flatMap((each) => (each.counts === 'one commit' ? [each] : []));
