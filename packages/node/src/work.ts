/**
 * What peers may make this process do. Work is counted by what it is and not by a clock, so that
 * the same frames cost the same on every machine, also on one that others keep busy.
 */
import { type Output, type PrincipalId, type Shape, weigh } from '@quorumlab/core';
import { isPassedOn, type Payer, payerOf } from './payer.ts';
import { isClient } from './principal.ts';
import { TokenBucket } from './token-bucket.ts';

/** About how many microseconds things take on one core of 2020. */
export const workOf = {
  /** Taking a frame off the channel and decoding it. */
  frame: 12,
  /** Each entry of the lists in it: an operation, a signature, a hash. */
  part: 0.4,
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

/** A step of the machine with a message of so many bytes: it is gone through once more. */
export const costOfStep = (bytes: number): number => workOf.step + bytes * workOf.byte;

/** What it costs to say to `peer` what a step says to it alone. */
export function answersTo<S extends Shape>({ sends, early }: Output<S>, peer: PrincipalId): number {
  let cost = 0;
  for (const list of [sends, early])
    for (const { to, message } of list)
      if (to === peer) cost += workOf.answer + weigh(message) * workOf.byte;
  return cost;
}

/** How much work peers may cause. */
export interface WorkLimits {
  /** Microseconds of work in a second that a member may cause beside what it earns. */
  readonly memberWorkPerSecond: number;
  /** As `memberWorkPerSecond`, for a client, and for what a member passes on of clients. */
  readonly clientWorkPerSecond: number;
  /** Seconds of either that may be saved up. */
  readonly savedWorkSeconds: number;
  /** As `savedWorkSeconds`, of what a member passes on. */
  readonly savedPassedOnSeconds: number;
}

/** What has come of what peers said. */
export interface Done {
  /** Slots that were decided. */
  readonly slots: number;
  /** Requests that have run, with operations and bytes of all of them. */
  readonly requests: number;
  readonly operations: number;
  readonly bytes: number;
}

/**
 * One budget of work a payer. It fills with time, and with what gets done: each slot that is
 * decided pays for what every member has to say about it, and each request that has run for what it
 * takes to hear of it. So whoever takes part in the work of the group is never held up, and whoever
 * only makes work gets no more than the rate. Work is paid after it is done; who is in debt waits.
 */
export class Budgets {
  readonly #limits: WorkLimits;
  readonly #members: readonly PrincipalId[];
  readonly #buckets: Map<Payer, TokenBucket>;

  /** The budgets of a group with these members; groups that share `buckets` share them. */
  constructor(
    limits: WorkLimits,
    members: readonly PrincipalId[],
    buckets: Map<Payer, TokenBucket> = new Map(),
  ) {
    this.#limits = limits;
    this.#members = members;
    this.#buckets = buckets;
  }

  /** `payer` has caused work of `cost`. */
  spend(payer: Payer, cost: number, now: number): void {
    this.#of(payer, now).take(cost, now);
  }

  /** Milliseconds until `payer` is out of debt; 0: it may go on. */
  debt(payer: Payer, now: number): number {
    const bucket = this.#buckets.get(payer);
    return bucket === undefined ? 0 : bucket.take(0, now);
  }

  /** Gives `payer` back what it has earned, or what this process has asked of it. */
  earn(payer: Payer, cost: number, now: number): void {
    this.#buckets.get(payer)?.give(cost, now);
  }

  /** So much was done: every member has told of it. */
  done({ slots, requests, operations, bytes }: Done, now: number): void {
    const votes = slots * (this.#members.length + 2) * workOf.signature;
    const heard = requests * 1.5 * workOf.signature;
    const read = operations * 2 * workOf.part + bytes * 4 * workOf.byte;
    for (const member of this.#members) this.earn(member, votes + heard + read, now);
  }

  /** `peer` was asked for an answer of so many bytes. */
  asked(peer: PrincipalId, bytes: number, now: number): void {
    const { frame, signature, step, byte } = workOf;
    this.earn(peer, frame + signature + step + 3 * bytes * byte, now);
  }

  /** A request of `client` has run for the first time. */
  ran(client: PrincipalId, operations: number, bytes: number, now: number): void {
    const { frame, signature, step, answer, part, byte } = workOf;
    const heard = 2 * (frame + signature + step + answer);
    const read = operations * 2 * part + bytes * 4 * byte;
    this.earn(payerOf(client, true), heard + read, now);
  }

  /** What a released output has done pays for what others have to say about it. */
  released<S extends Shape>(output: Output<S>, now: number): void {
    const { decisions, applied, answers } = output;
    const slots = decisions.length;
    const requests = applied.length + 2 * answers.length;
    if (slots + requests === 0) return;
    let bytes = 0;
    let all = 0;
    for (const { client, fresh, operations } of applied) {
      let size = 0;
      for (const { length } of operations) size += length;
      bytes += size;
      all += operations.length;
      if (fresh) this.ran(client, operations.length, size, now);
    }
    for (const { result } of answers) bytes += result?.length ?? 0;
    this.done({ slots, requests, operations: all, bytes }, now);
  }

  #of(payer: Payer, now: number): TokenBucket {
    let bucket = this.#buckets.get(payer);
    if (bucket === undefined) {
      const { memberWorkPerSecond, clientWorkPerSecond } = this.#limits;
      const { savedWorkSeconds, savedPassedOnSeconds } = this.#limits;
      const asClient = isClient(payer) || isPassedOn(payer);
      const rate = asClient ? clientWorkPerSecond : memberWorkPerSecond;
      const saved = isPassedOn(payer) ? savedPassedOnSeconds : savedWorkSeconds;
      bucket = new TokenBucket(rate, rate * saved, now);
      this.#buckets.set(payer, bucket);
    }
    return bucket;
  }
}
