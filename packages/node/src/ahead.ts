/**
 * Seals what waits for the disk while the disk is at work. The thread has nothing else to do then,
 * and a signature takes about as long as a flush: made afterwards it would be one more delay of
 * every message that has to be durable before it is said. What is sealed leaves no sooner for it.
 */
import type { Signed, Tagged } from '@quorumlab/core';
import { now } from './time.ts';

/** See the head of this file. A message is one object: what equals it is another one. */
export class Ahead<M extends Tagged> {
  readonly #seal: (message: M) => Signed<M> | undefined;
  readonly #waiting = new Set<M>();
  readonly #sealed = new WeakMap<M, Signed<M>>();

  /** `seal` gives nothing for a message that may not be said; what it throws comes out. */
  constructor(seal: (message: M) => Signed<M> | undefined) {
    this.#seal = seal;
  }

  /** Whether something is left to seal. */
  get waits(): boolean {
    return this.#waiting.size > 0;
  }

  /** `message` will be said once the disk is done. */
  add(message: M): void {
    this.#waiting.add(message);
  }

  /** Seals in the order of {@link Ahead.add} until the clock is at `end`, one at least. */
  run(end: number): void {
    for (const message of this.#waiting) {
      this.#waiting.delete(message);
      const sealed = this.#seal(message);
      if (sealed !== undefined) this.#sealed.set(message, sealed);
      if (now() >= end) return;
    }
  }

  /** `message` is to be said now: as it was sealed, or sealed at the call. */
  take(message: M): Signed<M> | undefined {
    this.#waiting.delete(message);
    return this.#sealed.get(message) ?? this.#seal(message);
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting.clear();
  }
}
