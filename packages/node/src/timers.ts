import { randomInt } from 'node:crypto';
import type { Delay } from '@quorumlab/core';
import { microseconds } from './time.ts';

/** A timer that ran out. It counts only if nobody has set or cleared that timer since. */
export interface Due<T> {
  readonly timer: T;
  readonly generation: number;
}

interface Armed {
  readonly generation: number;
  readonly deadline: number;
}

/**
 * The named timers of one machine over a single timer of Node. Replicas set theirs anew with every
 * message; here that costs an entry of a map, because Node's timer is only looked at when it fires.
 */
export class Timers<T extends string> {
  readonly #armed = new Map<T, Armed>();
  readonly #onDue: (due: Due<T>) => void;
  #generation = 0;
  #handle: NodeJS.Timeout | undefined;
  /** When the handle fires. */
  #wakes = Number.POSITIVE_INFINITY;

  constructor(onDue: (due: Due<T>) => void) {
    this.#onDue = onDue;
  }

  /** Sets `timer`; a pair is drawn from the operating system's randomness. */
  set(timer: T, after: Delay): void {
    const deadline = microseconds() + drawn(after);
    this.#armed.set(timer, { generation: ++this.#generation, deadline });
    if (deadline < this.#wakes) this.#wakeAt(deadline);
  }

  /** Disarms `timer`. */
  clear(timer: T): void {
    this.#armed.delete(timer);
  }

  /** Whether this is still the timer that ran out; if so it is over. */
  claim({ timer, generation }: Due<T>): boolean {
    if (this.#armed.get(timer)?.generation !== generation) return false;
    this.#armed.delete(timer);
    return true;
  }

  /** Disarms everything. */
  stop(): void {
    this.#armed.clear();
    clearTimeout(this.#handle);
    this.#wakes = Number.POSITIVE_INFINITY;
  }

  #wakeAt(deadline: number): void {
    clearTimeout(this.#handle);
    this.#wakes = deadline;
    const waitMs = Math.max(1, Math.ceil((deadline - microseconds()) / 1000));
    this.#handle = setTimeout(() => this.#fire(), Math.min(waitMs, 2 ** 31 - 1));
  }

  #fire(): void {
    const now = microseconds();
    const due: (Due<T> & Armed)[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const [timer, armed] of this.#armed) {
      if (armed.deadline <= now) due.push({ timer, ...armed });
      else next = Math.min(next, armed.deadline);
    }
    this.#wakes = Number.POSITIVE_INFINITY;
    if (next !== Number.POSITIVE_INFINITY) this.#wakeAt(next);
    due.sort((first, second) => first.deadline - second.deadline);
    for (const { timer, generation } of due) this.#onDue({ timer, generation });
  }
}

/** Microseconds, drawn uniformly if the delay is a pair. */
function drawn(delay: Delay): number {
  if (typeof delay === 'number') return delay;
  const [min, max] = delay;
  return min >= max ? min : randomInt(min, max + 1);
}
