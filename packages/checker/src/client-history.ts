import type { Instant, PrincipalId } from '@quorumlab/core';
import type { Call, Model, ModelState } from './history.ts';
import { checkLinearizable, type LinearizabilityBudget } from './linearizability.ts';
import type { Observer } from './observer.ts';
import type { Violation } from './verdict.ts';

/** An operation as a model knows it; the output is undefined as long as it is unknown. */
export interface Decoded<I, O> {
  readonly input: I;
  readonly output: O | undefined;
}

/** What {@link linearizable} has to know of the application. */
export interface LinearizableOptions<S extends ModelState, I, O> {
  readonly model: Model<S, I, O>;
  /**
   * The operation and, once there is one, its result. 'refused' for a result by which the
   * application says that it has not done the operation: it is judged as one that changed nothing.
   * Undefined for bytes that the model knows nothing of: such operations are left out, such results
   * are violations. With a result comes `input`, what the operation was before it had one, so that
   * nobody has to read it twice.
   */
  decode(
    operation: Uint8Array,
    result: Uint8Array | undefined,
    input?: I,
  ): Decoded<I, O> | 'refused' | undefined;
  readonly budget?: LinearizabilityBudget;
  /** Most calls to remember; a longer run is inconclusive. 1,000,000 unless told. */
  readonly callsMax?: number;
}

/** A call whose times are places in the order of what was heard, so that none are equal. */
interface Heard<I, O> extends Call<I, O> {
  readonly operation: Uint8Array;
  readonly began: Instant;
  /** True time of the return, of the invocation before that. */
  readonly at: Instant;
}

const callsMaxUnlessTold = 1_000_000;
const rule = 'linearizability';

/**
 * Linearizability of what honest clients saw: listens to `invoked` and `returned`, and judges at
 * the end of the run. A read that fits no order is a `stale-read`, any other call is `invalid`; a
 * history that costs more than the budget is `inconclusive`.
 */
export function linearizable<S extends ModelState, I, O>(
  options: LinearizableOptions<S, I, O>,
): Observer {
  const { model, decode, budget, callsMax = callsMaxUnlessTold } = options;
  const calls: Heard<I, O>[] = [];
  const open = new Map<string, number>();
  const failed = new Set<number>();
  let heard = 0;
  let overflowed = false;
  /** The first result that is none; told at the end, because who knows what ran knows better. */
  let nonsense:
    | { readonly client: PrincipalId; readonly what: string; readonly at: Instant }
    | undefined;
  let violation: Violation | undefined;
  const note = (word: Violation['word'], sentence: string, at: Instant): void => {
    violation ??= { word, rule, sentence, at, seats: [] };
  };
  return {
    invoked(at: Instant, client: PrincipalId, id: number, operation: Uint8Array) {
      const name = `${client}/${id}`;
      const decoded = open.has(name) ? undefined : decode(operation, undefined);
      if (decoded === undefined || decoded === 'refused') return;
      overflowed ||= calls.length >= callsMax;
      if (overflowed) return;
      open.set(name, calls.length);
      const invokedAt = heard++;
      calls.push({
        ...decoded,
        process: client,
        operation,
        began: at,
        at,
        invokedAt,
        returnedAt: undefined,
      });
    },
    returned(at: Instant, client: PrincipalId, id: number, result: Uint8Array) {
      const name = `${client}/${id}`;
      const index = open.get(name);
      const call = index === undefined ? undefined : calls[index];
      if (index === undefined || call === undefined) return;
      open.delete(name);
      const decoded = decode(call.operation, result, call.input);
      if (decoded === 'refused') return void failed.add(index);
      if (decoded === undefined) {
        const what = model.describe(call.input, undefined);
        nonsense ??= { client, what, at };
        return;
      }
      calls[index] = { ...call, ...decoded, at, returnedAt: heard++ };
    },
    failed(_at: Instant, client: PrincipalId, id: number) {
      const index = open.get(`${client}/${id}`);
      if (index !== undefined) failed.add(index);
    },
    end(at: Instant) {
      if (nonsense !== undefined) {
        const { client, what } = nonsense;
        const sentence = `process ${client}: ${what} returned bytes that are no result of it`;
        note('invalid', sentence, nonsense.at);
      }
      if (overflowed) {
        note('inconclusive', `more than ${callsMax} calls were made; raise callsMax`, at);
        return;
      }
      // What was refused had no effect, so it is no part of any order.
      const judged = failed.size === 0 ? calls : calls.filter((_, i) => !failed.has(i));
      const found = checkLinearizable(model, judged, budget);
      if (found.verdict === 'unknown') note('inconclusive', found.sentence, at);
      if (found.verdict !== 'not-linearizable') return;
      const { input, began, at: ended } = judged[found.blame.call] as Heard<I, O>;
      const sentence = `${found.blame.sentence} (it ran from ${began} to ${ended} µs)`;
      note(model.isRead(input) ? 'stale-read' : 'invalid', sentence, ended);
    },
    get violation() {
      return violation;
    },
  };
}
