/**
 * How often one member may take this replica to a later term. What a member says of terms is
 * believed, and ends the time of whoever leads: Raft §5.1. A member of which that comes more often
 * than elections do is not heard until its next one is due; whoever then leads, and gets something
 * decided, has shown that it was an election.
 */
import type { Machine, Output, PrincipalId, Shape, Signed } from '@quorumlab/core';
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
  /** The message that is stepped next, if it speaks of a later term. */
  #next: Signed<S['Message']> | undefined;

  constructor(limits: RaiseLimits) {
    this.#limits = limits;
  }

  /** Whether `message` speaks of a later term than `machine` is at, once too often. */
  isTooMany(
    machine: Pick<Machine<S>, 'raises'>,
    message: Signed<S['Message']>,
    now: number,
  ): boolean {
    const raises = machine.raises?.(message) === true;
    const isHeld = raises && (this.#buckets.get(message.from)?.take(0, now) ?? 0) > 0;
    this.#next = raises && !isHeld ? message : undefined;
    return isHeld;
  }

  /**
   * A step with a message of `from` is over. What took the machine to a later term is counted; not
   * what only spoke of one. If something was decided and `from` leads, it may raise again.
   */
  stepped(
    machine: Pick<Machine<S>, 'raises' | 'status'>,
    from: PrincipalId,
    { decisions }: Pick<Output<S>, 'decisions'>,
    now: number,
  ): void {
    const message = this.#next;
    this.#next = undefined;
    if (message !== undefined && machine.raises?.(message) === false)
      this.#bucketOf(from, now).take(1, now);
    if (decisions.length > 0 && this.#buckets.has(from) && machine.status().leader === from)
      this.#buckets.delete(from);
  }

  #bucketOf(from: PrincipalId, now: number): TokenBucket {
    let bucket = this.#buckets.get(from);
    if (bucket === undefined) {
      const { savedRaises, raiseEveryMs } = this.#limits;
      // The one that goes below nothing is heard too.
      bucket = new TokenBucket(1000 / raiseEveryMs, savedRaises - 1, now);
      this.#buckets.set(from, bucket);
    }
    return bucket;
  }
}
