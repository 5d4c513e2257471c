import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import {
  type CostOptions,
  type ProtocolCost,
  type QuorumRow,
  type QuorumTrial,
  type Scenario,
  ScenarioError,
  type ShrinkOptions,
  type Shrunk,
  type Tally,
} from '@quorumlab/harness';
import { loadedModules } from '@quorumlab/harness/modules';
import type { ShardScenario, ShardTally } from '@quorumlab/harness/shards';

/** One piece of work. Every task is a pure function of itself, so any thread may do it. */
export type Task =
  | {
      readonly kind: 'tally';
      readonly scenario: Scenario;
      readonly from: number;
      readonly seeds: number;
    }
  | { readonly kind: 'cost'; readonly options: CostOptions }
  | { readonly kind: 'quorums'; readonly trial: QuorumTrial }
  | { readonly kind: 'shrink'; readonly scenario: Scenario; readonly options: ShrinkOptions }
  | {
      readonly kind: 'shards';
      readonly scenario: ShardScenario;
      readonly from: number;
      readonly seeds: number;
    };

/** What a thread answers. */
export interface Reply {
  /** What there is so far, and more is to come: the smallest run, or the next row. */
  readonly part?: unknown;
  readonly result?: unknown;
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly stack: string;
    /** Of a ScenarioError. */
    readonly code?: string;
  };
}

/** A shrunk run without its result, which stays in the thread that made it. */
export type SmallRun = Omit<Shrunk, 'result'>;

/** Threads that share tasks, in the order in which they are given. */
export interface WorkerPool {
  tally(scenario: Scenario, from: number, seeds: number): Promise<Tally>;
  cost(options: CostOptions): Promise<ProtocolCost>;
  /** `update` is told whenever a smaller run was found. */
  shrink(
    scenario: Scenario,
    options: ShrinkOptions,
    update?: (found: SmallRun) => void,
  ): Promise<SmallRun | undefined>;
  /** `update` is told each row. */
  quorums(trial: QuorumTrial, update: (row: QuorumRow) => void): Promise<void>;
  shards(scenario: ShardScenario, from: number, seeds: number): Promise<ShardTally>;
  /** Ends the threads; tasks that are not done yet never end. */
  dismiss(): Promise<void>;
}

/** How many threads there are unless told. */
export const usualJobs = (): number => Math.min(availableParallelism(), 16);

interface Waiting {
  readonly task: Task;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly update?: ((part: unknown) => void) | undefined;
}

/** The program of a thread: source or build, as this file is. */
const program = import.meta.url.endsWith('.ts')
  ? new URL('./worker.ts', import.meta.url)
  : new URL('./worker.js', import.meta.url);

/** Starts `jobs` threads. */
export function workerPool(jobs: number): WorkerPool {
  const waiting: Waiting[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Waiting>();
  const next = (): void => {
    while (idle.length > 0 && waiting.length > 0) {
      const worker = idle.pop() as Worker;
      const one = waiting.shift() as Waiting;
      busy.set(worker, one);
      worker.postMessage(one.task);
    }
  };
  const workers = Array.from({ length: jobs }, () => {
    const worker = new Worker(program, { workerData: loadedModules() });
    worker.on('message', ({ result, error, part }: Reply) => {
      const one = busy.get(worker);
      if (part !== undefined) return void one?.update?.(part);
      busy.delete(worker);
      idle.push(worker);
      if (error === undefined) one?.resolve(result);
      else one?.reject(rebuilt(error));
      next();
    });
    worker.on('error', (error: Error) => busy.get(worker)?.reject(error));
    idle.push(worker);
    return worker;
  });
  const give = (task: Task, update?: (part: unknown) => void): Promise<unknown> =>
    new Promise((resolve, reject) => {
      waiting.push({ task, resolve, reject, update });
      next();
    });
  // What comes back is what the worker's function for that kind of task returns.
  return {
    tally: (scenario, from, seeds) =>
      give({ kind: 'tally', scenario, from, seeds }) as Promise<Tally>,
    cost: (options) => give({ kind: 'cost', options }) as Promise<ProtocolCost>,
    shrink: (scenario, options, update) =>
      give({ kind: 'shrink', scenario, options }, (part) => update?.(part as SmallRun)) as Promise<
        SmallRun | undefined
      >,
    async quorums(trial, update) {
      await give({ kind: 'quorums', trial }, (part) => update(part as QuorumRow));
    },
    shards: (scenario, from, seeds) =>
      give({ kind: 'shards', scenario, from, seeds }) as Promise<ShardTally>,
    async dismiss() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** The error of a thread, so that it teaches here what it would have taught there. */
function rebuilt({ name, message, stack, code }: NonNullable<Reply['error']>): Error {
  if (code !== undefined) return new ScenarioError(code, message);
  const error = new Error(message);
  error.name = name;
  error.stack = stack;
  return error;
}
