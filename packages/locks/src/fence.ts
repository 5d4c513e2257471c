/** The resource's side: where a fencing token protects data. */
import type { Sequencer } from './operations.ts';

/**
 * Lets in whoever holds the newest lock, and nobody who held an older one. Only this makes a lock
 * safe: a client that pauses for longer than its lease believes in its lock until it looks at a
 * clock, and what it sends then comes late. Keep {@link Fence.highest} with the data, as durably.
 */
export class Fence {
  readonly #highest: Map<string, number>;

  /** `highest` is what {@link Fence.highest} gave before a restart. */
  constructor(highest: Iterable<readonly [name: string, generation: number]> = []) {
    this.#highest = new Map(highest);
  }

  /** Whether a request with this token may go on. From then on older ones may not. */
  admits({ name, generation }: Sequencer): boolean {
    if (generation < (this.#highest.get(name) ?? 0)) return false;
    this.#highest.set(name, generation);
    return true;
  }

  /** The highest generation of each name that was let in. */
  get highest(): ReadonlyMap<string, number> {
    return this.#highest;
  }
}
