/**
 * Log time: the only time by which a session ends, the same on every replica at every slot.
 *
 * Keepers, usually the members, say every now and then how much time has passed by their own
 * clocks since they last said so. A clock's reading never counts, only how far it went while its
 * keeper ran, and at most one `stride` of it: while the group was down nobody could have kept its
 * session alive, so that time does not count (the grace of a fail-over, Chubby section 2.9). A
 * keeper's claim is what log time is by its word; log time is the highest claim that `faulty`
 * others reach or pass, so that no clock that lies or runs fast moves it alone.
 */
import type { PrincipalId } from '@quorumlab/core';

/** What one keeper says of the time. */
export interface Claim {
  /** Log time by this keeper's word, in microseconds. */
  time: number;
}

/** The clock of a lock service. */
export interface LogTime {
  /** Log time, in microseconds since the service began. */
  now: number;
  /** By keeper, in the order in which they first spoke. */
  readonly claims: Map<PrincipalId, Claim>;
}

/** A clock that nobody has moved. */
export const logTime = (): LogTime => ({ now: 0, claims: new Map() });

/**
 * A keeper says that `elapsed` microseconds have passed since its last tick, or with null that it
 * has just begun. It is trusted for `stride` of them.
 */
export function tick(
  clock: LogTime,
  keeper: PrincipalId,
  elapsed: number | null,
  { stride, faulty }: { readonly stride: number; readonly faulty: number },
): void {
  const claim = clock.claims.get(keeper);
  const known = claim === undefined || elapsed === null ? clock.now : claim.time;
  // Log time itself has enough witnesses: a keeper that is behind it may count on from there.
  const time = Math.max(known + Math.min(elapsed ?? 0, stride), clock.now);
  if (claim === undefined) clock.claims.set(keeper, { time });
  else claim.time = time;
  const highest = [...clock.claims.values()].map((each) => each.time).sort((a, b) => b - a);
  clock.now = Math.max(clock.now, highest[faulty] ?? 0);
}
