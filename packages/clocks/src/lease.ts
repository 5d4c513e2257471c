/**
 * Leases whose intervals never overlap in true time (Corbett et al. 2012, 4.1.1 and 4.2.4): a
 * holder stops while its end has certainly not come, and nobody follows before it has certainly
 * passed.
 */
import type { Instant, Interval, PrincipalId } from '@quorumlab/core';
import { type ClockRules, clockRules } from './rules.ts';

/** Who may act, until when. */
export interface Lease {
  /** Grows by one with each holder: what comes under an older one is refused. */
  readonly number: number;
  readonly holder: PrincipalId;
  /** By true time it begins no earlier. */
  readonly start: Instant;
  /** Its holder does nothing that could be at or after it. */
  readonly end: Instant;
}

/** What was given to whom, or who has it. */
export type Granted =
  | { readonly kind: 'granted'; readonly lease: Lease }
  | { readonly kind: 'held'; readonly lease: Lease };

/**
 * The lease that `asker` gets at `now`: its own one longer, or the next one once the last is over.
 * `now` may be an old answer of the asker's clock: what was over then still is.
 */
export function grant(
  last: Lease | undefined,
  asker: PrincipalId,
  now: Interval,
  length: number,
  rules: ClockRules = clockRules,
): Granted {
  // The end is counted from what is certainly not yet over, and never taken back.
  const end = now.earliest + length;
  if (last === undefined)
    return {
      kind: 'granted',
      lease: { number: 1, holder: asker, start: now.earliest, end },
    };
  if (last.holder === asker && rules.mayAct(last.end, now))
    return { kind: 'granted', lease: { ...last, end: Math.max(last.end, end) } };
  if (!rules.mayFollow(last.end, now)) return { kind: 'held', lease: last };
  const start = Math.max(last.end + 1, now.earliest);
  const lease = { number: last.number + 1, holder: asker, start, end: Math.max(end, start) };
  return { kind: 'granted', lease };
}

/**
 * The lease as its holder gives it back, at `now`: over once `highest`, the latest timestamp that
 * it used, has passed, and no later than it was. Undefined while that has not passed: it waits.
 */
export function giveBack(
  lease: Lease,
  highest: Instant,
  now: Interval,
  rules: ClockRules = clockRules,
): Lease | undefined {
  if (!rules.isOver(highest, now)) return undefined;
  return { ...lease, end: Math.max(lease.start, Math.min(lease.end, highest)) };
}

/** A time of true time in which somebody acted under a lease. */
export interface Acted {
  readonly lease: Lease;
  /** True time. */
  readonly from: Instant;
  readonly to: Instant;
}

/** Two that acted under different leases of one thing at one time, in words, if any did. */
export function overlap(acts: readonly Acted[]): string | undefined {
  const order = [...acts].sort((one, two) => one.lease.number - two.lease.number);
  let last: Acted | undefined;
  for (const each of order) {
    if (last !== undefined && each.lease.number > last.lease.number && each.from <= last.to)
      return (
        `n${last.lease.holder} acted under lease ${last.lease.number} until ${last.to}, ` +
        `and n${each.lease.holder} under lease ${each.lease.number} from ${each.from}`
      );
    if (last === undefined || each.to > last.to) last = each;
  }
  return undefined;
}
