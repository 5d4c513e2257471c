import type { Instant } from '@quorumlab/core';

/** One call of a history: what a client asked, when, and what it was told. */
export interface Call<I, O> {
  /** Who called; only sentences use it, so a process may have several calls open at once. */
  readonly process: number;
  readonly invokedAt: Instant;
  /** Undefined if the outcome is unknown: the call took effect at some later time, or never. */
  readonly returnedAt: Instant | undefined;
  readonly input: I;
  /** Undefined if nobody saw it, or if the operation has no result: every result will do. */
  readonly output: O | undefined;
}

/** A state of a model. Equal states are the same value, so a richer one is written as a string. */
export type ModelState = string | number | boolean | null;

/** What an object does when its calls run one after the other. */
export interface Model<S extends ModelState, I, O> {
  readonly initial: S;
  /**
   * The state after the call, or undefined if a call with this output cannot run here. The output
   * is undefined if it is unknown; there must be one next state then, too.
   */
  step(state: S, input: I, output: O | undefined): S | undefined;
  /** Calls with different keys do not know of each other, and are judged apart. */
  key?(input: I): string;
  /** Whether the call changes nothing: if its outcome is unknown, it says nothing. */
  isRead(input: I): boolean;
  /** The call for people: 'read gave 4'. */
  describe(input: I, output: O | undefined): string;
}

/** A history that no run can have: the recorder is wrong, so no verdict would mean anything. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
}

/** The calls of one key, as numbers into the history, in the order in which they were invoked. */
export interface Partition {
  readonly key: string | undefined;
  /** Calls that returned: each must take effect. */
  readonly returned: readonly number[];
  /** Calls of unknown outcome that would change something: each may take effect. */
  readonly open: readonly number[];
}

/** The calls as they were invoked; most histories were written down in that order. */
function byInvocation(history: readonly Call<unknown, unknown>[]): readonly number[] {
  const order: number[] = [];
  let isSorted = true;
  let last = -Infinity;
  for (let i = 0; i < history.length; i++) {
    const { invokedAt } = history[i] as Call<unknown, unknown>;
    if (invokedAt < last) isSorted = false;
    last = invokedAt;
    order.push(i);
  }
  const at = (i: number): Instant => (history[i] as Call<unknown, unknown>).invokedAt;
  return isSorted ? order : order.sort((one, two) => at(one) - at(two));
}

/**
 * Splits a history by key. Throws {@link HistoryError} if a call returned before it was invoked.
 */
export function partitionsOf<S extends ModelState, I, O>(
  model: Model<S, I, O>,
  history: readonly Call<I, O>[],
): readonly Partition[] {
  const found = new Map<string | undefined, { returned: number[]; open: number[] }>();
  for (const index of byInvocation(history)) {
    const { input, invokedAt, returnedAt } = history[index] as Call<I, O>;
    if (returnedAt !== undefined && !(returnedAt >= invokedAt))
      throw new HistoryError(
        `call ${index} returned at ${returnedAt} and was invoked at ${invokedAt}; ` +
          'record both on one clock',
      );
    if (returnedAt === undefined && model.isRead(input)) continue;
    const key = model.key?.(input);
    let part = found.get(key);
    if (part === undefined) found.set(key, (part = { returned: [], open: [] }));
    (returnedAt === undefined ? part.open : part.returned).push(index);
  }
  return [...found].map(([key, { returned, open }]) => ({ key, returned, open }));
}
