/**
 * What all groups of a process share: its loop, its timer, and what each peer may have of it. A
 * peer is one process whatever it has to say to how many groups, so it has one budget of work, and
 * one bound for what waits of it.
 */
import type { PrincipalId } from '@quorumlab/core';
import type { HostLimits } from './host-limits.ts';
import { type InboxLoad, Loads } from './loads.ts';
import { Loop, patienceMs, type Turn } from './loop.ts';
import { type Payer, payerOf } from './payer.ts';
import { now } from './time.ts';
import { Wheel } from './timers.ts';
import type { TokenBucket } from './token-bucket.ts';
import { Budgets, workOf } from './work.ts';

/** See the module's comment. */
export class Commons {
  readonly limits: HostLimits;
  readonly loop: Loop;
  readonly wheel: Wheel = new Wheel();
  /** What waits in the inboxes of all groups. */
  readonly loads: Loads;
  /** What each may cause. */
  readonly buckets: Map<Payer, TokenBucket> = new Map();
  /** What peers cause that is of no group. */
  readonly budgets: Budgets;
  /** Bytes of all outputs that wait for the disk. */
  #outputBytes = 0;
  readonly #full = new Set<Turn>();

  constructor(limits: HostLimits) {
    this.limits = limits;
    this.loop = new Loop(limits.sliceMs);
    this.loads = new Loads(limits);
    this.budgets = new Budgets(limits, [], this.buckets);
  }

  /** Whether so much waits for the disk that inputs have to wait too. */
  get isFull(): boolean {
    return this.#outputBytes >= this.limits.waitingOutputBytes;
  }

  /** `turn` has something to do once there is room for its outputs. */
  whenRoom(turn: Turn): void {
    this.#full.add(turn);
  }

  /** So many bytes more wait for the disk, or less. */
  outputs(bytes: number): void {
    this.#outputBytes += bytes;
    if (bytes >= 0 || this.isFull) return;
    for (const turn of this.#full) this.loop.schedule(turn);
    this.#full.clear();
  }

  /** `turn` does not come any more. */
  leave(turn: Turn): void {
    this.loop.leave(turn);
    this.#full.delete(turn);
  }

  /**
   * For how many milliseconds nothing is to be read of `peer`: it has spent what it may, or so much
   * of it waits that there is no room for more. It waits, and loses nothing.
   */
  busyMs(peer: PrincipalId): number {
    const debt = this.budgets.debt(peer, now());
    if (debt === 0 && this.#hasRoomFor(peer)) return 0;
    return Math.min(250, Math.max(patienceMs, debt));
  }

  /** A frame of `peer` was read, and is for no machine: it pays for that. */
  paid(peer: PrincipalId, bytes: number): void {
    this.budgets.spend(peer, workOf.frame + bytes * workOf.byte, now());
  }

  /** Frames of `peer` that wait to be checked and stepped, and their bytes. */
  waitingOf(peer: PrincipalId): InboxLoad {
    const own = this.loads.of(peer);
    const payer = payerOf(peer, true);
    if (payer === peer) return own;
    const other = this.loads.of(payer);
    return { items: own.items + other.items, bytes: own.bytes + other.bytes };
  }

  /** What it says for itself has bounds, and what it passes on of clients. */
  #hasRoomFor(peer: PrincipalId): boolean {
    const { waitingPerPeer, waitingBytesPerPeer, passedOnPerPeer, passedOnBytesPerPeer } =
      this.limits;
    const own = { items: waitingPerPeer, bytes: waitingBytesPerPeer };
    if (!this.loads.hasRoomFor(peer, own)) return false;
    const passedOn = { items: passedOnPerPeer, bytes: passedOnBytesPerPeer };
    return this.loads.hasRoomFor(payerOf(peer, true), passedOn);
  }
}
