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
  /** Microseconds from when it was set. */
  readonly delay: number;
  readonly deadline: number;
}

/** Called at the time that it was set to, or a little later; it is over then. */
type Alarm = () => void;

/** Where several wait, they wake the process at most once in so many microseconds. */
const restMicros = 4_000;

/**
 * One timer of Node for all groups of a process: what is due at about the same time goes off at
 * once.
 */
export class Wheel {
  readonly #deadlines = new Map<Alarm, number>();
  #handle: NodeJS.Timeout | undefined;
  /** When the handle fires. */
  #wakes = Number.POSITIVE_INFINITY;
  #woke = 0;

  /** Sets `alarm`, which has one time only. */
  set(alarm: Alarm, deadline: number): void {
    this.#deadlines.set(alarm, deadline);
    this.#wakeAt(deadline);
  }

  /** Ends `alarm`. */
  clear(alarm: Alarm): void {
    this.#deadlines.delete(alarm);
    if (this.#deadlines.size > 0) return;
    clearTimeout(this.#handle);
    this.#wakes = Number.POSITIVE_INFINITY;
  }

  #wakeAt(deadline: number): void {
    const rested = this.#deadlines.size > 1 ? this.#woke + restMicros : 0;
    const wakes = Math.max(deadline, rested);
    if (wakes >= this.#wakes) return;
    clearTimeout(this.#handle);
    this.#wakes = wakes;
    const waitMs = Math.max(1, Math.ceil((wakes - microseconds()) / 1000));
    this.#handle = setTimeout(() => this.#wake(), Math.min(waitMs, 2 ** 31 - 1));
  }

  #wake(): void {
    const now = microseconds();
    this.#woke = now;
    this.#wakes = Number.POSITIVE_INFINITY;
    const due: Alarm[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const [alarm, deadline] of this.#deadlines)
      if (deadline <= now) due.push(alarm);
      else next = Math.min(next, deadline);
    for (const alarm of due) this.#deadlines.delete(alarm);
    if (next !== Number.POSITIVE_INFINITY) this.#wakeAt(next);
    for (const alarm of due) alarm();
  }
}

/**
 * The named timers of one machine. Replicas set theirs anew with every message; here that costs an
 * entry of a map, because the wheel is only looked at when it fires.
 */
export class Timers<T extends string> {
  readonly #armed = new Map<T, Armed>();
  readonly #onDue: (due: Due<T>) => void;
  readonly #wheel: Wheel;
  #generation = 0;
  #isAsleep = false;
  /** When the wheel calls. */
  #wakes = Number.POSITIVE_INFINITY;

  constructor(onDue: (due: Due<T>) => void, wheel: Wheel = new Wheel()) {
    this.#onDue = onDue;
    this.#wheel = wheel;
  }

  /** Sets `timer`; a pair is drawn from the operating system's randomness. */
  set(timer: T, after: Delay): void {
    const delay = drawn(after);
    const deadline = microseconds() + delay;
    this.#armed.set(timer, { generation: ++this.#generation, delay, deadline });
    if (deadline < this.#wakes && !this.#isAsleep) this.#wakeAt(deadline);
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
    this.#wheel.clear(this.#fire);
    this.#wakes = Number.POSITIVE_INFINITY;
  }

  /** Lets all of them stand still. */
  sleep(): void {
    this.#isAsleep = true;
    this.#wheel.clear(this.#fire);
    this.#wakes = Number.POSITIVE_INFINITY;
  }

  /** Each of them begins anew, with the delay that it had. */
  wake(): void {
    this.#isAsleep = false;
    const now = microseconds();
    for (const [timer, { generation, delay }] of this.#armed) {
      const deadline = now + delay;
      this.#armed.set(timer, { generation, delay, deadline });
      if (deadline < this.#wakes) this.#wakeAt(deadline);
    }
  }

  #wakeAt(deadline: number): void {
    this.#wakes = deadline;
    this.#wheel.set(this.#fire, deadline);
  }

  readonly #fire = (): void => {
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
  };
}

/** Microseconds, drawn uniformly if the delay is a pair. */
function drawn(delay: Delay): number {
  if (typeof delay === 'number') return delay;
  const [min, max] = delay;
  return min >= max ? min : randomInt(min, max + 1);
}
