import { Worker } from 'node:worker_threads';
import type { Block, Found } from './blocks.ts';

/** Threads that share blocks of seeds. */
export interface Threads {
  /** Resolves when every block has been run; `take` is told of each as it comes. */
  share(blocks: Iterable<Block>, take: (found: Found) => void): Promise<void>;
  dismiss(): Promise<void>;
}

/** Starts `jobs` threads: worlds of one seed are equal in whichever they run. */
export function hire(jobs: number): Threads {
  const workers = Array.from(
    { length: jobs },
    () => new Worker(new URL('./worker.ts', import.meta.url)),
  );
  const run = (worker: Worker, block: Block): Promise<Found> =>
    new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', (found: Found) => {
        worker.off('error', reject);
        resolve(found);
      });
      worker.postMessage(block);
    });
  return {
    async share(blocks, take) {
      const each = blocks[Symbol.iterator]();
      await Promise.all(
        workers.map(async (worker) => {
          for (let next = each.next(); next.done !== true; next = each.next())
            take(await run(worker, next.value));
        }),
      );
    },
    async dismiss() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
