/** Results of several commands as one: shards of a search, or comparisons of other protocols. */
import { upper95, type VerdictWord, worst } from '@quorumlab/checker';
import { engine, type Scenario, type VerdictRow } from '@quorumlab/harness';
import { ResultError } from './read.ts';
import { type Result, resultSchema } from './result.ts';
import { isSilent, scenarioOfRow, standingOf } from './rows.ts';

/** A result to merge, and what it is called. */
export interface NamedResult {
  readonly file: string;
  readonly result: Result;
}

/** A row with what it is of. */
interface Cell {
  readonly file: string;
  readonly row: VerdictRow;
  readonly scenario: Scenario | undefined;
}

/**
 * All rows of several results, each cell once. Where two results have runs of one cell, from other
 * seeds on, their runs are added; of equal seeds the longer search is kept. Throws a
 * {@link ResultError} for seeds that overlap in part, whose runs would count twice, and for results
 * that were told to expect different words.
 */
export function mergeResults(parts: readonly NamedResult[], command: string): Result {
  const cells = new Map<string, readonly Cell[]>();
  for (const { file, result } of parts)
    for (const row of result.verdicts) {
      const scenario = scenarioOfRow(result, row);
      const key = keyOf(row, scenario);
      const known = cells.get(key) ?? [];
      cells.set(key, joined(known, { file, row, scenario }));
    }
  const merged = [...cells.values()];
  const verdicts = merged.map((all) => all.map(({ row }) => row).reduce(added));
  const scenario = merged.flatMap(([{ scenario: one } = {} as Cell]) => one ?? []);
  const all = parts.map(({ result }) => result);
  const expect = expectOf(parts);
  const leftOut = [
    ...new Map(all.flatMap((each) => each.leftOut ?? []).map((each) => [each.attack, each])),
  ].map(([, each]) => each);
  const growth = uniqueCosts(all.flatMap((each) => each.growth ?? []));
  const stopped = parts.flatMap(({ file, result }) =>
    result.stopped === undefined ? [] : [`${file}: ${result.stopped}`],
  );
  const errors = all.flatMap((each) => each.errors ?? []);
  const result: Result = {
    ...{ schema: resultSchema, engine, command, scenario, verdicts },
    crypto: [...new Set(all.map(({ crypto }) => crypto))].join(' and '),
    cost: uniqueCosts(all.flatMap(({ cost }) => cost)),
    ...(growth.length === 0 ? {} : { growth }),
    ...(expect === undefined ? {} : { expect }),
    ...(leftOut.length === 0 ? {} : { leftOut }),
    ...(errors.length === 0 ? {} : { errors }),
    ...(stopped.length === 0 ? {} : { stopped: stopped.join('; ') }),
    exit: 0,
  };
  const unexpected = verdicts.filter((row) => standingOf(row, result) === 'unexpected').length;
  return { ...result, unexpected };
}

/** Runs of one cell: everything but the seed is the same. */
function keyOf(row: VerdictRow, scenario: Scenario | undefined): string {
  const { protocol, mutant, n, f, attack, options, unsafe } = row;
  const { seed: _, ...world } = scenario ?? ({} as Scenario);
  return JSON.stringify([protocol, mutant, n, f, attack, options, unsafe, sorted(world)]);
}

const sorted = (value: object): unknown =>
  Object.entries(value).sort(([one], [two]) => (one < two ? -1 : 1));

/** The seeds of a row, if they are numbers: from one up to before another. */
function seedsOf({ seed, runs }: VerdictRow): readonly [number, number] | undefined {
  return /^\d{1,12}$/.test(seed) ? [Number(seed), Number(seed) + runs] : undefined;
}

/** The parts of a cell with one more. */
function joined(known: readonly Cell[], one: Cell): readonly Cell[] {
  const same = known.find(({ row }) => row.seed === one.row.seed);
  if (same !== undefined)
    return known.map((each) => (each === same && one.row.runs > same.row.runs ? one : each));
  const mine = seedsOf(one.row);
  const other = known.find(({ row }) => {
    const theirs = seedsOf(row);
    return mine && theirs && mine[0] < theirs[1] && theirs[0] < mine[1];
  });
  if (other === undefined) return [...known, one];
  const { protocol, attack } = one.row;
  const name = ({ row }: Cell): string => `seeds ${seedsOf(row)?.join(' to before ')}`;
  throw new ResultError(
    `${other.file} and ${one.file} have runs of ${protocol} under ${attack} in common ` +
      `(${name(other)}, and ${name(one)}), which would count twice; leave out one of them.`,
  );
}

/** Two rows of one cell with different seeds. */
function added(one: VerdictRow, two: VerdictRow): VerdictRow {
  const words: Partial<Record<VerdictWord, number>> = { ...wordsOf(one) };
  for (const [word, count] of Object.entries(wordsOf(two)) as [VerdictWord, number][])
    words[word] = (words[word] ?? 0) + count;
  const runs = one.runs + two.runs;
  const hits = one.hits + two.hits;
  const fired = one.fired + two.fired;
  const word = worst([one.word, two.word]);
  const shown = moreTelling(one, two);
  const { note: _, budget: __, ...rest } = shown;
  const budget = word === 'inconclusive' ? (one.budget ?? two.budget) : undefined;
  const silent = isSilent(one) && isSilent(two) ? (one.note ?? two.note) : undefined;
  return {
    ...rest,
    ...{ seed: one.seed, word, words, runs, hits, fired, upper95: upper95(hits, runs) },
    expected: one.expected && two.expected,
    ...(budget === undefined ? {} : { budget }),
    ...(silent === undefined ? {} : { note: silent }),
  };
}

const wordsOf = ({ words, word, runs, hits }: VerdictRow): VerdictRow['words'] & object =>
  words ??
  (word === 'ok' ? { ok: runs } : { [word]: hits, ...(hits < runs && { ok: runs - hits }) });

/** What was not to be expected says more, then what is worse, then what came first. */
function moreTelling(one: VerdictRow, two: VerdictRow): VerdictRow {
  if (one.expected !== two.expected) return one.expected ? two : one;
  return worst([one.word, two.word]) === one.word ? one : two;
}

function expectOf(parts: readonly NamedResult[]): VerdictWord | undefined {
  const words = [...new Set(parts.map(({ result }) => result.expect))];
  if (words.length < 2) return words[0];
  const told = words.map((each) => each ?? 'what is claimed').join(', ');
  throw new ResultError(
    `these results were told to expect different words (${told}); report them apart.`,
  );
}

/** Costs without repetitions: equal groups cost the same, whoever measures them. */
function uniqueCosts<T>(costs: readonly T[]): readonly T[] {
  return [...new Map(costs.map((each) => [JSON.stringify(each), each])).values()];
}
