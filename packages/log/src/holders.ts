/**
 * What a transfer knows of those it asks: how many chunks each may owe at a time, how long an
 * answer of each takes, and whom not to ask. Nobody here is trusted: whoever answers well is asked
 * for more, and whoever does not for less, so a slow or a silent holder costs a few chunks.
 */
import type { Digest, Instant, ReplicaId } from '@quorumlab/core';
import { ms } from '@quorumlab/core';

/** Most chunks that one holder owes at a time. */
const widest = 16;
const narrowest = 1;
const firstWindow = 4;
/** How long an answer may take of which nobody knows yet how long it takes. */
const firstPatience = ms(500);
const leastPatience = ms(50);
/** Nobody is left alone for longer: a network that has healed is used within this. */
export const longestPatience: number = ms(2000);
/** How soon another holder may be asked for a chunk at the earliest. */
const leastHaste = ms(5);

/** One replica that may hold the snapshot. Plain data. */
export interface Holder {
  readonly id: ReplicaId;
  /** `ready`: it has shown the manifest. `liar`: it sent what does not match its digest. */
  state: 'unheard' | 'ready' | 'absent' | 'liar';
  /** Most chunks that it may owe. */
  window: number;
  /** The chunks that it owes, since when: at most {@link widest}. */
  readonly owes: Map<Digest, Instant>;
  /** Those that it has not sent in time: at most {@link widest}. They may come all the same. */
  readonly late: Map<Digest, Instant>;
  /** When it was last asked for the manifest. */
  askedAt: Instant;
  /** It is asked nothing before this. */
  rest: Instant;
  /** How often in a row it was asked in vain. */
  vain: number;
  /** How long its answers take, and by how much that varies. 0: none has come. */
  trip: number;
  deviation: number;
}

/** A replica of which nothing is known. */
export const newHolder = (id: ReplicaId): Holder => ({
  id,
  state: 'unheard',
  window: firstWindow,
  owes: new Map(),
  late: new Map(),
  askedAt: 0,
  rest: 0,
  vain: 0,
  trip: 0,
  deviation: 0,
});

/** How long to wait for an answer of `holder`: as TCP does (RFC 6298), in whole microseconds. */
export function patienceWith({ trip, deviation }: Holder): number {
  if (trip === 0) return firstPatience;
  return Math.max(leastPatience, Math.min(longestPatience, trip + 4 * deviation));
}

/** How long another may owe a chunk before `holder`, who has nothing to do, is asked for it. */
export const hasteOf = ({ trip }: Holder): number => Math.max(leastHaste, 2 * trip);

/** An answer has come to what it was asked at `since`. */
export function answered(holder: Holder, since: Instant, now: Instant): void {
  const took = Math.max(1, now - since);
  const { trip, deviation } = holder;
  holder.deviation =
    trip === 0 ? Math.floor(took / 2) : Math.floor((3 * deviation + Math.abs(took - trip)) / 4);
  holder.trip = trip === 0 ? took : Math.floor((7 * trip + took) / 8);
  holder.vain = 0;
  holder.rest = 0;
}

/** It sent a chunk in time: it may owe one more. */
export function widen(holder: Holder): void {
  holder.window = Math.min(widest, holder.window + 1);
}

/** It has not answered: it is asked for less, and after each time later. */
export function leaveAlone(holder: Holder, now: Instant): void {
  holder.window = Math.max(narrowest, holder.window >> 1);
  holder.vain += 1;
  const patience = patienceWith(holder) * 2 ** Math.min(holder.vain, 8);
  holder.rest = now + Math.min(longestPatience, patience);
}

/** What `holder` has owed for too long, which it does not owe any more. */
export function overdue(holder: Holder, now: Instant): readonly Digest[] {
  const until = now - patienceWith(holder);
  const names: Digest[] = [];
  for (const [name, since] of holder.owes) {
    if (since > until) continue;
    names.push(name);
    holder.owes.delete(name);
    holder.late.set(name, since);
  }
  for (const name of holder.late.keys()) {
    if (holder.late.size <= widest) break;
    holder.late.delete(name);
  }
  return names;
}

/** An independent copy. */
export const copyHolder = (holder: Holder): Holder => ({
  ...holder,
  owes: new Map(holder.owes),
  late: new Map(holder.late),
});
