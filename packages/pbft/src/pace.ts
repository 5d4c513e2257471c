/**
 * How fast primaries are, by which one that is slower than others, or serves one client later than
 * others, is told from a slow network: by comparing, as in Aardvark (Clement et al., NSDI '09).
 * Both demands are off unless told: `fair`, and `reign`.
 */
import type { Group } from './group.ts';
import { type Context, countedTime, type Replica } from './state.ts';

/** A request may wait so many times as long as batches usually take. */
const tolerance = 8;
/** But it may always wait for this part of the request timeout. */
const least = 1 / 8;
/** How much one batch counts in the mean: the last few tell how fast a primary is now. */
const weight = 1 / 8;

/** A batch has been executed `wait` microseconds after it was waited for, in this view. */
export function notePace(group: Group, replica: Replica, wait: number): void {
  if (!group.fair) return;
  const { pace } = replica;
  replica.pace = pace === null ? wait : Math.round(pace + (wait - pace) * weight);
}

/** The view ends: what its primary has shown to be possible is asked of the next n ones. */
export function keepPace(group: Group, replica: Replica): void {
  if (replica.pace === null) return;
  replica.paces.push(replica.pace);
  if (replica.paces.length > group.n) replica.paces.shift();
  replica.pace = null;
}

/** How long a request may wait before its primary is given up, view changes left aside. */
export function demandOf({ fair, requestTimeout }: Group, { pace, paces }: Replica): number {
  if (!fair) return requestTimeout;
  const usual = Math.min(...paces, pace ?? Number.POSITIVE_INFINITY);
  const demanded = Math.max(tolerance * usual, Math.ceil(requestTimeout * least));
  return Math.min(demanded, requestTimeout);
}

/**
 * Whether this primary has led long enough: without another nobody knows whether it is slow.
 * While nothing is executed no other one is asked for.
 */
export function isReignOver(replica: Replica, ctx: Context): boolean {
  const { reign } = ctx.group;
  if (reign === 0 || !replica.active || replica.excusedSince !== null) return false;
  if (replica.executedAt === null || replica.executedAt < replica.viewSince) return false;
  return countedTime(replica, ctx.now) - replica.viewCounted >= reign;
}
