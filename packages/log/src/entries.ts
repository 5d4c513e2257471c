/** What has run, for readers that follow it. */
import {
  type Applied,
  decode,
  type Field,
  type PrincipalId,
  SchemaError,
  type Slot,
} from '@quorumlab/core';
import { AbortedError, LaggingReaderError } from './errors.ts';
import type { Signal } from './log-port.ts';

/** One operation that was ordered and has run. */
export interface Entry<C> {
  /** Where in the log: the same on every replica. Operations of one slot come in their order. */
  readonly slot: Slot;
  readonly client: PrincipalId;
  readonly sequence: number;
  readonly operation: Uint8Array;
  /** Nothing if the operation is no command of the codec: an ordered read, a stranger's bytes. */
  readonly command: C | undefined;
}

/** What was run, or "everything up to `gap` came as a snapshot". */
type Step = Applied | { readonly gap: Slot };

/** The last requests, numbered from the first that was seen. */
interface Keeper {
  add(applied: readonly Applied[]): void;
  skip(upTo: Slot): void;
  /** The place of the first entry from slot `from` on. */
  find(from: Slot | undefined): number;
  /** Throws {@link LaggingReaderError}, with `reached`, if `place` is no longer kept. */
  at(place: number, reached: Slot): Step | undefined;
  last(): Slot;
  isStopped(): boolean;
  /** Resolves when there may be more. */
  more(signal: Signal | undefined): Promise<void>;
  stop(): void;
}

/** Keeps the last `keep` requests of a log of which all from slot `complete` on are seen. */
export function keeper(keep: number, complete: Slot): Keeper {
  let steps: Step[] = [];
  let dropped = 0;
  /** All entries from this slot on are kept. */
  let lost = complete;
  let last = complete - 1;
  let stopped = false;
  const waiting = new Set<() => void>();

  function wake(): void {
    const all = [...waiting];
    waiting.clear();
    for (const each of all) each();
  }

  function trim(): void {
    if (steps.length < 2 * keep) return;
    const cut = steps.length - keep;
    const edge = steps[cut - 1] as Step;
    lost = Math.max(lost, ('gap' in edge ? edge.gap : edge.slot) + 1);
    steps = steps.slice(cut);
    dropped += cut;
  }

  return {
    add(applied) {
      const before = steps.length;
      for (const each of applied) if (each.fresh) steps.push(each);
      if (steps.length === before) return;
      last = Math.max(last, (applied.at(-1) as Applied).slot);
      trim();
      if (waiting.size > 0) wake();
    },
    skip(upTo) {
      steps.push({ gap: upTo });
      lost = upTo + 1;
      last = upTo;
      wake();
    },
    find(from) {
      const start = from ?? lost;
      if (start < lost) throw new LaggingReaderError(start, lost);
      const place = steps.findIndex((each) => !('gap' in each) && each.slot >= start);
      return dropped + (place < 0 ? steps.length : place);
    },
    at(place, reached) {
      if (place < dropped) throw new LaggingReaderError(reached, lost);
      return steps[place - dropped];
    },
    last: () => last,
    isStopped: () => stopped,
    more: (signal) =>
      new Promise((resolve) => {
        const wakeUp = () => {
          signal?.removeEventListener('abort', wakeUp);
          waiting.delete(wakeUp);
          resolve();
        };
        signal?.addEventListener('abort', wakeUp);
        waiting.add(wakeUp);
      }),
    stop() {
      stopped = true;
      wake();
    },
  };
}

/** What `history` keeps from slot `from` on, and then what comes. */
export async function* readable<C>(
  history: Keeper,
  field: Field<C>,
  from: Slot | undefined,
  signal: Signal | undefined,
): AsyncGenerator<Entry<C>, void, undefined> {
  let place = history.find(from);
  let reached = from ?? 0;
  for (;;) {
    if (signal?.aborted) throw new AbortedError('the reader was aborted', { cause: signal.reason });
    const step = history.at(place, reached);
    if (step === undefined) {
      if (history.isStopped()) return;
      await history.more(signal);
      continue;
    }
    if ('gap' in step) throw new LaggingReaderError(reached, step.gap + 1);
    place++;
    const { slot, client, sequence, operations } = step;
    if (from !== undefined && slot < from) continue;
    for (const operation of operations)
      yield { slot, client, sequence, operation, command: commandOf(field, operation) };
    reached = slot;
  }
}

function commandOf<C>(field: Field<C>, operation: Uint8Array): C | undefined {
  try {
    return decode(field, operation);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
