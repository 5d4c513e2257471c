/** A lab: a task in code, marked by running what somebody has written. */
import {
  nthSeed,
  type ProtocolEntry,
  runScenario,
  type Scenario,
  search,
  shrink,
} from '@quorumlab/harness';
import { traceBuffer } from '@quorumlab/sim';

/** What came of a solution. */
export interface Graded {
  readonly passed: boolean;
  /** What the runs say to it, and what to look at next, in sentences. */
  readonly sentences: readonly string[];
  /** Seeds that were run. */
  readonly runs: number;
  /** Events of the first violation, made small; and its trace. */
  readonly events?: number;
  readonly trace?: string;
}

/** What a file of a solution exports. */
export type Solution = Readonly<Record<string, unknown>>;

/** One lab. */
export interface Lab {
  readonly number: number;
  readonly title: string;
  /** What is to be done, in sentences. */
  readonly task: readonly string[];
  /** The file to begin with. */
  readonly skeleton: string;
  /** Marks a solution, whose text counts too, under so many seeds. */
  grade(solution: Solution, text: string, seeds: number): Graded;
}

/** How a lab says that a solution cannot be run at all. */
export const unfit = (...sentences: readonly string[]): Graded => ({
  ...{ passed: false, runs: 0 },
  sentences,
});

/** What a search under seeds that nobody was told has shown. */
export interface Found {
  readonly runs: number;
  readonly hits: number;
  readonly sentence?: string;
  readonly events?: number;
  readonly trace?: string;
}

/** Looks for violations, and makes the first one small. */
export function foundIn(scenario: Scenario, seeds: number, entry?: ProtocolEntry): Found {
  let runs = 0;
  let hits = 0;
  let first: Scenario | undefined;
  let unanswered: string | undefined;
  for (const { word, violation, answered, scenario: ran } of search(scenario, seeds, entry)) {
    runs++;
    if (word === 'ok') continue;
    hits++;
    if (violation !== undefined) first ??= ran;
    unanswered ??= `${answered} of ${ran.count} operations were answered until its time was over`;
  }
  if (first === undefined)
    return { runs, hits, ...(unanswered === undefined ? {} : { sentence: unanswered }) };
  const more = entry === undefined ? {} : { entry };
  const small = shrink(first, more);
  if (small === undefined) return { runs, hits };
  const trace = traceBuffer();
  const { violation } = runScenario(small.scenario, { trace, ...more });
  return {
    ...{ runs, hits, events: small.after, trace: trace.text() },
    sentence: violation?.sentence ?? '',
  };
}

/** A seed that no skeleton names. */
export const hidden = (lab: number, i = 0): string => nthSeed(`lab ${lab} unseen`, i);
