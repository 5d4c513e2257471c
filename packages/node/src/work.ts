/**
 * What peers may make this process do. Work is counted by what it is and not by a clock, so that
 * the same frames cost the same on every machine, also on one that others keep busy.
 */
import type { PrincipalId } from '@quorumlab/core';
import { isClient } from './principal.ts';
import { TokenBucket } from './token-bucket.ts';

/** About how many microseconds things take on one core of 2020. */
export const workOf = {
  /** Taking a frame off the channel and decoding it. */
  frame: 12,
  /** Each byte of it; and of an answer. */
  byte: 0.004,
  /** A signature that is computed. */
  signature: 130,
  /** One that is bad: portable code has the last word on what fast code refuses. */
  badSignature: 1_000,
  /** One that is known already. */
  known: 12,
  /** A step of the machine. */
  step: 15,
  /** A message that is said because of it: its signature too. */
  answer: 60,
} as const;

/** How much work peers may cause. */
export interface WorkLimits {
  /** Microseconds of work in a second that a member may cause beside what it earns. */
  readonly memberWorkPerSecond: number;
  /** As `memberWorkPerSecond`, for a client. */
  readonly clientWorkPerSecond: number;
  /** Seconds of either that may be saved up. */
  readonly savedWorkSeconds: number;
}

/**
 * One budget of work a peer. It fills with time, and with what gets done: each slot that is decided
 * pays for what every member has to say about it, and each request that has run for what it takes
 * to hear of it. So whoever takes part in the work of the group is never held up, and whoever
 * only makes work gets no more than the rate. Work is paid after it is done; a peer in debt waits.
 */
export class Budgets {
  readonly #limits: WorkLimits;
  readonly #members: readonly PrincipalId[];
  readonly #buckets = new Map<PrincipalId, TokenBucket>();

  constructor(limits: WorkLimits, members: readonly PrincipalId[]) {
    this.#limits = limits;
    this.#members = members;
  }

  /** `peer` has caused work of `cost`. */
  spend(peer: PrincipalId, cost: number, now: number): void {
    this.#of(peer, now).take(cost, now);
  }

  /** Milliseconds until `peer` is out of debt; 0: it may go on. */
  debt(peer: PrincipalId, now: number): number {
    const bucket = this.#buckets.get(peer);
    return bucket === undefined ? 0 : bucket.take(0, now);
  }

  /** Gives `peer` back what it has earned, or what this process has asked of it. */
  earn(peer: PrincipalId, cost: number, now: number): void {
    this.#buckets.get(peer)?.give(cost, now);
  }

  /** So many slots were decided and so many requests have run, of so many bytes together. */
  done(slots: number, requests: number, bytes: number, now: number): void {
    const votes = slots * (this.#members.length + 2) * workOf.signature;
    const heard = requests * 1.5 * workOf.signature;
    for (const member of this.#members)
      this.earn(member, votes + heard + bytes * 3 * workOf.byte, now);
  }

  /** `peer` was asked for an answer of so many bytes. */
  asked(peer: PrincipalId, bytes: number, now: number): void {
    const { frame, signature, step, byte } = workOf;
    this.earn(peer, frame + signature + step + 2 * bytes * byte, now);
  }

  /** A request of `client` has run for the first time. */
  ran(client: PrincipalId, bytes: number, now: number): void {
    const { frame, signature, step, answer, byte } = workOf;
    this.earn(client, 2 * (frame + signature + step + answer) + bytes * 3 * byte, now);
  }

  #of(peer: PrincipalId, now: number): TokenBucket {
    let bucket = this.#buckets.get(peer);
    if (bucket === undefined) {
      const { memberWorkPerSecond, clientWorkPerSecond, savedWorkSeconds } = this.#limits;
      const rate = isClient(peer) ? clientWorkPerSecond : memberWorkPerSecond;
      bucket = new TokenBucket(rate, rate * savedWorkSeconds, now);
      this.#buckets.set(peer, bucket);
    }
    return bucket;
  }
}
