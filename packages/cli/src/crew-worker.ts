/** A thread of a {@link Crew}: does one task after the other. */
import { parentPort } from 'node:worker_threads';
import { costOfProtocol, ScenarioError, shrink, tallyOf } from '@quorumlab/harness';
import type { Reply, Task } from './crew.ts';

function work(task: Task): unknown {
  switch (task.kind) {
    case 'tally':
      return tallyOf(task.scenario, task.from, task.seeds);
    case 'cost':
      return costOfProtocol(task.options);
    case 'shrink': {
      const found = shrink(task.scenario, {
        ...task.options,
        update: (smaller) => parentPort?.postMessage({ smaller } satisfies Reply),
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

parentPort?.on('message', (task: Task) => parentPort?.postMessage(reply(task)));
