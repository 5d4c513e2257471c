import { upper95, type VerdictWord, worst } from '@quorumlab/checker';
import type { ProtocolEntry } from './protocol-entry.ts';
import { type RunResult, runScenario } from './run.ts';
import type { Scenario } from './scenario.ts';

/** What many runs of one scenario with different seeds showed. */
export interface SearchResult {
  readonly word: VerdictWord;
  readonly expected: boolean;
  readonly runs: number;
  /** Runs with any word but `ok`. */
  readonly hits: number;
  /** Runs in which the attack really acted. */
  readonly fired: number;
  /** 95 % upper bound on the rate of hits, in percent. */
  readonly upper95: number;
  /** Digest of the first hit, or of the last run. */
  readonly digest: string;
  /** The first run that violated something. */
  readonly first: RunResult | undefined;
  /** The first run whose budget ended before an answer, and how many there are of them. */
  readonly unfinished: RunResult | undefined;
  readonly inconclusive: number;
  readonly events: number;
}

/** How far a search has come. */
export interface SearchProgress {
  readonly runs: number;
  readonly of: number;
  readonly hits: number;
  readonly events: number;
}

/** The `i`-th seed of a search: from seed 42 on it is 42, 43, …; a word gets a number behind it. */
export const nthSeed = (seed: string, i: number): string =>
  i === 0 ? seed : /^\d{1,12}$/.test(seed) ? String(Number(seed) + i) : `${seed}.${i}`;

/**
 * Runs a scenario under `seeds` seeds, one result at a time, so that a caller can show progress or
 * stop. Runs that differ only in the seed share nothing. The protocol may be `entry`, which is not
 * registered.
 */
export function* search(
  scenario: Scenario,
  seeds: number,
  entry?: ProtocolEntry,
): Generator<RunResult> {
  const options = { lines: false, ...(entry ? { entry } : {}) };
  for (let i = 0; i < seeds; i++)
    yield runScenario({ ...scenario, seed: nthSeed(scenario.seed, i) }, options);
}

/** Gathers results of {@link search}; `progress` is called after each run. */
export function summarise(
  results: Iterable<RunResult>,
  of: number,
  progress?: (state: SearchProgress) => void,
): SearchResult {
  const words: VerdictWord[] = [];
  let runs = 0;
  let hits = 0;
  let fired = 0;
  let events = 0;
  let expected = true;
  let inconclusive = 0;
  let first: RunResult | undefined;
  let unfinished: RunResult | undefined;
  let digest = '';
  for (const result of results) {
    runs++;
    events += result.events;
    if (result.fired > 0) fired++;
    if (result.word !== 'ok') {
      hits++;
      words.push(result.word);
      expected &&= result.expected;
      if (result.word === 'inconclusive') {
        unfinished ??= result;
        inconclusive++;
      } else first ??= result;
    }
    digest = first?.digest ?? result.digest;
    progress?.({ runs, of, hits, events });
  }
  const upper = upper95(hits, runs);
  return {
    ...{ word: worst(words), expected, runs, hits, fired, upper95: upper, digest, events },
    ...{ first, unfinished, inconclusive },
  };
}
