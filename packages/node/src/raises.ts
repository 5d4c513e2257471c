/**
 * How often one member may take this replica to a later term. What a member says of terms is
 * believed, and ends the time of whoever leads: Raft §5.1. A member of which that comes more often
 * than elections do is not heard until its next one is due; whoever then leads, and gets something
 * decided, has shown that it was an election.
 */
import type { Machine, PrincipalId, Shape, Signed } from '@quorumlab/core';
import { TokenBucket } from './token-bucket.ts';

/** How often a member may. */
export interface RaiseLimits {
  /** So many times at once. */
  readonly savedRaises: number;
  /** Milliseconds until one more. */
  readonly raiseEveryMs: number;
}

/** See the module's comment. Times are milliseconds of the loop's clock. */
export class Raises<S extends Shape> {
  readonly #limits: RaiseLimits;
  readonly #buckets = new Map<PrincipalId, TokenBucket>();

  constructor(limits: RaiseLimits) {
    this.#limits = limits;
  }

  /** Whether `message` would take `machine` to a later term once too often. */
  isTooMany(
    machine: Pick<Machine<S>, 'raises'>,
    message: Signed<S['Message']>,
    now: number,
  ): boolean {
    if (machine.raises?.(message) !== true) return false;
    const { from } = message;
    let bucket = this.#buckets.get(from);
    if (bucket === undefined) {
      const { savedRaises, raiseEveryMs } = this.#limits;
      bucket = new TokenBucket(1000 / raiseEveryMs, savedRaises, now);
      this.#buckets.set(from, bucket);
    }
    return !bucket.tryTake(now);
  }

  /** Something was decided in a step with a message of `from`: if it leads, it may raise again. */
  decided(from: PrincipalId, machine: Pick<Machine<S>, 'status'>): void {
    if (this.#buckets.has(from) && machine.status().leader === from) this.#buckets.delete(from);
  }
}
