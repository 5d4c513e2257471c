/** Many seeds of one scenario, shared among threads, until all have run or somebody says stop. */
import { addTallies, type Scenario, type Tally } from '@quorumlab/harness';
import { unlessStopped } from './stop.ts';
import type { WorkerPool } from './worker-pool.ts';

/** How to tally. */
export interface TallyOptions {
  /** Parts that are given to the pool at a time. */
  readonly lanes: number;
  readonly signal: AbortSignal;
  /** Called for each part, in the order in which they end. */
  readonly update: (part: Tally) => void;
}

/** Seeds that one thread runs in a go. */
const chunk = 10;

/**
 * The tally of `seeds` seeds, the same however many threads there are; of as many as have run if
 * the signal is aborted, and nothing if none has.
 */
export async function tallySeeds(
  pool: WorkerPool,
  scenario: Scenario,
  seeds: number,
  { lanes, signal, update }: TallyOptions,
): Promise<Tally | undefined> {
  const chunks = Math.ceil(seeds / chunk);
  // Parts that ended before one that comes before them: at most one per lane.
  const early = new Map<number, Tally>();
  let total: Tally | undefined;
  let merged = 0;
  let next = 0;
  const add = (part: Tally): void => {
    total = total === undefined ? part : addTallies(total, part);
  };
  const lane = async (): Promise<void> => {
    while (next < chunks && !signal.aborted) {
      const i = next++;
      const size = Math.min(chunk, seeds - i * chunk);
      const part = await unlessStopped(pool.tally(scenario, i * chunk, size), signal);
      if (part === undefined) return;
      early.set(i, part);
      for (let ready = early.get(merged); ready !== undefined; ready = early.get(++merged)) {
        add(ready);
        early.delete(merged);
      }
      update(part);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, chunks) }, lane));
  for (const [, part] of [...early].sort(([one], [two]) => one - two)) add(part);
  return total;
}
