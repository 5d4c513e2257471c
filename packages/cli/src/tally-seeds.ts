/** Many seeds of one scenario, shared among threads, until all have run or somebody says stop. */
import { addTallies, type Scenario, type Tally } from '@quorumlab/harness';
import { unlessStopped } from './stop.ts';
import type { WorkerPool } from './worker-pool.ts';

/** How to tally. */
export interface TallyOptions<T = Tally> {
  /** Parts that are given to the pool at a time. */
  readonly lanes: number;
  readonly signal: AbortSignal;
  /** Called for each part, in the order in which they end. */
  readonly update: (part: T) => void;
}

/** How parts are run and become one. */
export interface Parts<T> {
  /** Seeds that one thread runs in a go. */
  readonly chunk: number;
  /** Runs `size` seeds, `from` after the first. */
  readonly run: (from: number, size: number) => Promise<T>;
  /** Two as one; the first one's seeds come first. */
  readonly add: (one: T, other: T) => T;
}

/** The tally of `seeds` seeds of a scenario: see {@link tallyParts}. */
export const tallySeeds = (
  pool: WorkerPool,
  scenario: Scenario,
  seeds: number,
  options: TallyOptions,
): Promise<Tally | undefined> =>
  tallyParts(
    seeds,
    { chunk: 10, run: (from, size) => pool.tally(scenario, from, size), add: addTallies },
    options,
  );

/**
 * The tally of `seeds` seeds, the same however many threads there are; of as many as have run if
 * the signal is aborted, and nothing if none has.
 */
export async function tallyParts<T>(
  seeds: number,
  { chunk, run, add }: Parts<T>,
  { lanes, signal, update }: TallyOptions<T>,
): Promise<T | undefined> {
  const chunks = Math.ceil(seeds / chunk);
  // Parts that ended before one that comes before them: at most one per lane.
  const early = new Map<number, T>();
  let total: T | undefined;
  let merged = 0;
  let next = 0;
  const merge = (part: T): void => {
    total = total === undefined ? part : add(total, part);
  };
  const lane = async (): Promise<void> => {
    while (next < chunks && !signal.aborted) {
      const i = next++;
      const size = Math.min(chunk, seeds - i * chunk);
      const part = await unlessStopped(run(i * chunk, size), signal);
      if (part === undefined) return;
      early.set(i, part);
      for (let ready = early.get(merged); ready !== undefined; ready = early.get(++merged)) {
        merge(ready);
        early.delete(merged);
      }
      update(part);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, chunks) }, lane));
  for (const [, part] of [...early].sort(([one], [two]) => one - two)) merge(part);
  return total;
}
