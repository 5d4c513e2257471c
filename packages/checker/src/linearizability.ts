import { type Call, type Model, type ModelState, type Partition, partitionsOf } from './history.ts';
import { advance, finish, type Search, searchOf } from './search.ts';
import type { Memory } from './seen.ts';

/** How much a check may cost before its verdict is 'unknown'. */
export interface LinearizabilityBudget {
  /** Steps of the search over all keys; a million take about a second. 20,000,000 unless told. */
  readonly steps?: number;
  /**
   * Memory of what the search has seen, over all keys, in bytes; the history itself and 60 bytes a
   * call come on top. 128 MiB unless told.
   */
  readonly bytes?: number;
}

/** An order of the calls of one key, as numbers into the history. */
export interface WitnessOrder {
  readonly key: string | undefined;
  readonly order: readonly number[];
}

/** Why a history is not linearizable. */
export interface Blame {
  readonly key: string | undefined;
  /**
   * The longest part of the key's history, counted by returns, that an order explains; calls that
   * returned later may be in it with what they returned.
   */
  readonly prefix: readonly number[];
  /** The call that returned next: together with the calls before it no order is left. */
  readonly call: number;
  readonly sentence: string;
}

/** What {@link checkLinearizable} found, and at which cost. */
export type Linearizability = { readonly steps: number } & (
  | { readonly verdict: 'linearizable'; readonly witness: readonly WitnessOrder[] }
  | { readonly verdict: 'not-linearizable'; readonly blame: Blame }
  | { readonly verdict: 'unknown'; readonly sentence: string }
);

const stepsUnlessTold = 20_000_000;
const bytesUnlessTold = 128 * 1024 * 1024;
const firstTurnSteps = 1_000;
const turnGrowth = 4;

/**
 * Whether some order of the calls, each at one moment between its invocation and its return, is
 * one that the model allows (Herlihy and Wing, "Linearizability", 1990). Keys are judged apart
 * (Horn and Kroening, "Faster linearizability checking via P-compositionality", 2015), by turns of
 * growing length: a key that is hard must not hide one that is wrong.
 *
 * Never throws for size: a check that would cost more than `budget` is 'unknown'. Throws
 * {@link HistoryError} for a history that no run can have.
 *
 * @example
 * ```ts
 * import { checkLinearizable, keyValueModel } from '@quorumlab/checker';
 *
 * const put = (value: string, invokedAt: number, returnedAt: number) => ({
 *   ...{ process: 1, invokedAt, returnedAt, output: undefined },
 *   input: { kind: 'put' as const, key: 'x', value },
 * });
 * const stale = {
 *   ...{ process: 2, invokedAt: 40, returnedAt: 50, output: 'Ann' },
 *   input: { kind: 'get' as const, key: 'x' },
 * };
 * const calls = [put('Ann', 0, 10), put('Bob', 20, 30), stale];
 * console.log(checkLinearizable(keyValueModel(), calls).verdict); // not-linearizable
 * ```
 */
export function checkLinearizable<S extends ModelState, I, O>(
  model: Model<S, I, O>,
  history: readonly Call<I, O>[],
  budget: LinearizabilityBudget = {},
): Linearizability {
  const memory: Memory = { bytesLeft: budget.bytes ?? bytesUnlessTold };
  const stepsMax = budget.steps ?? stepsUnlessTold;
  const witness: WitnessOrder[] = [];
  const tooLarge: Partition[] = [];
  let open: readonly Open<S, I, O>[] = partitionsOf(model, history).map((partition) => ({
    partition,
    search: undefined,
  }));
  let steps = 0;
  for (let turn = firstTurnSteps; open.length > 0 && steps < stepsMax; turn *= turnGrowth) {
    const still: Open<S, I, O>[] = [];
    for (const { partition, search = searchOf(model, history, partition, memory) } of open) {
      const before = search?.steps ?? 0;
      const outcome = search ? advance(search, Math.min(turn, stepsMax - steps)) : 'full';
      steps += (search?.steps ?? 0) - before;
      if (outcome === 'open') still.push({ partition, search });
      if (outcome === 'full') tooLarge.push(partition);
      if (outcome === 'found' && search) witness.push(witnessOf(search));
      const blame = outcome === 'impossible' && search ? blameOf(search) : undefined;
      if (outcome !== 'open' && search) finish(search);
      if (blame !== undefined) return { verdict: 'not-linearizable', blame, steps };
    }
    open = still;
  }
  const left = [...open.map(({ partition }) => partition), ...tooLarge];
  if (left.length === 0) return { verdict: 'linearizable', witness, steps };
  return { verdict: 'unknown', sentence: undecided(left, tooLarge.length, steps), steps };
}

/** A key that is not decided; its search begins when its turn first comes. */
interface Open<S extends ModelState, I, O> {
  readonly partition: Partition;
  readonly search: Search<S, I, O> | undefined;
}

const undecided = (left: readonly Partition[], tooLarge: number, steps: number): string =>
  `${left.length} keys (first: ${left[0]?.key ?? 'the only one'}) are undecided after ${steps} ` +
  `steps, ${tooLarge} of them for want of memory; raise the budget or record fewer calls at once`;

/** The number in the history of a call of the search. */
function numberIn({ partition }: { readonly partition: Partition }, call: number): number {
  const { returned, open } = partition;
  return (call < returned.length ? returned[call] : open[call - returned.length]) as number;
}

/** As {@link numberIn}, of the first `depth` calls of a stack. */
function numbersIn(
  search: { readonly partition: Partition },
  stack: Int32Array,
  depth: number,
): readonly number[] {
  const numbers: number[] = [];
  for (let i = 0; i < depth; i++) numbers.push(numberIn(search, stack[i] as number));
  return numbers;
}

function witnessOf<S extends ModelState, I, O>(search: Search<S, I, O>): WitnessOrder {
  return { key: search.partition.key, order: numbersIn(search, search.stack, search.depth) };
}

function blameOf<S extends ModelState, I, O>(search: Search<S, I, O>): Blame {
  const { model, partition, furthestStack, furthestDepth } = search;
  const blamed = search.callAt[search.furthest] as number;
  const call = search.calls[blamed] as Call<I, O>;
  const prefix = numbersIn(search, furthestStack, furthestDepth);
  const last = search.calls[furthestStack[furthestDepth - 1] ?? -1];
  const state = JSON.stringify(search.stateValues[search.furthestState]);
  return {
    key: partition.key,
    prefix,
    call: numberIn(search, blamed),
    sentence:
      `process ${call.process}: ${model.describe(call.input, call.output)} fits no order of the ` +
      `calls; the longest order without it has ${prefix.length} of them, ` +
      (last === undefined ? '' : `ends with ${model.describe(last.input, last.output)} `) +
      `and leaves the state ${state.length > 80 ? `…${state.slice(-80)}` : state}`,
  };
}

/**
 * Whether the orders show that the history is linearizable, checked without any of the search:
 * every call that returned is in the order of its key, each call only once, no call comes after
 * one that was invoked when it had returned already, and the model allows the order.
 */
export function verifyWitness<S extends ModelState, I, O>(
  model: Model<S, I, O>,
  history: readonly Call<I, O>[],
  witness: readonly WitnessOrder[],
): boolean {
  const placed = new Set<number>();
  const keys = new Set<string | undefined>();
  for (const { key, order } of witness) {
    if (keys.has(key)) return false;
    keys.add(key);
    let state: S | undefined = model.initial;
    let lastInvokedAt = -Infinity;
    for (const index of order) {
      const call = history[index];
      if (call === undefined || placed.has(index) || model.key?.(call.input) !== key) return false;
      placed.add(index);
      if (call.returnedAt !== undefined && call.returnedAt < lastInvokedAt) return false;
      lastInvokedAt = Math.max(lastInvokedAt, call.invokedAt);
      state = model.step(state, call.input, call.output);
      if (state === undefined) return false;
    }
  }
  return history.every(({ returnedAt }, index) => returnedAt === undefined || placed.has(index));
}
