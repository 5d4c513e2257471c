/** A thread of a {@link WorkerPool}: does one task after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { costOfProtocol, quorumRows, ScenarioError, shrink, tallyOf } from '@quorumlab/harness';
import { loadModule } from '@quorumlab/harness/modules';
import { tallyShards } from '@quorumlab/harness/shards';
import type { Reply, Task } from './worker-pool.ts';

function work(task: Task): unknown {
  switch (task.kind) {
    case 'tally':
      return tallyOf(task.scenario, task.from, task.seeds);
    case 'cost':
      return costOfProtocol(task.options);
    case 'shards':
      return tallyShards(task.scenario, task.from, task.seeds);
    case 'quorums':
      for (const part of quorumRows(task.trial)) parentPort?.postMessage({ part } satisfies Reply);
      return undefined;
    case 'shrink': {
      const found = shrink(task.scenario, {
        ...task.options,
        update: (part) => parentPort?.postMessage({ part } satisfies Reply),
      });
      if (found === undefined) return undefined;
      // Results of runs hold what cannot be sent to another thread.
      const { result: _, ...plain } = found;
      return plain;
    }
  }
}

function reply(task: Task): Reply {
  try {
    return { result: work(task) };
  } catch (error) {
    const { name, message, stack = '' } = error instanceof Error ? error : new Error(String(error));
    const code = error instanceof ScenarioError ? error.code : undefined;
    return { error: { name, message, stack, ...(code === undefined ? {} : { code }) } };
  }
}

// What scenarios may name here is what they may name where they come from.
for (const file of workerData as readonly string[]) await loadModule(file);
parentPort?.on('message', (task: Task) => parentPort?.postMessage(reply(task)));
