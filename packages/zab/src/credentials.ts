/**
 * What a replica's history is worth: of its own, and of one that it lost with its disk. Chosen by
 * it are leaders (phase 0) and the history of an epoch (step ℓ.1.2).
 */
import type { Group } from './group.ts';
import { type Credentials, lastZxid } from './history.ts';
import { type Context, type Replica, zero } from './state.ts';

/** The credentials of the history that is here. */
export const ownCredentials = (replica: Replica): Credentials => ({
  currentEpoch: replica.currentEpoch,
  zxid: lastZxid(replica),
});

/** Whether it must not take part in anything yet: see `rejoin.ts`. */
export const isWaiting = ({ rejoining }: Replica): boolean =>
  rejoining !== null && rejoining.best === null;

/** Whether its history lacks what it may have acknowledged before its disk was lost. */
export function isBehind(group: Group, replica: Replica): boolean {
  const { rejoining } = replica;
  if (rejoining === null) return false;
  const { best } = rejoining;
  return best === null || !group.rules.isAsGood(ownCredentials(replica), best);
}

/**
 * What it tells a prospective leader: of one that is behind, the best history that it may have had.
 * So nobody leads with its help who lacks what it has acknowledged.
 */
export const credentials = (group: Group, replica: Replica): Credentials =>
  isBehind(group, replica)
    ? (replica.rejoining?.best ?? ownCredentials(replica))
    : ownCredentials(replica);

/** Once the history has been as good as theirs, it is one like any other, even if it is cut. */
export function caughtUp(replica: Replica, ctx: Context): void {
  const { rejoining } = replica;
  if (rejoining === null || rejoining.best?.currentEpoch === 0 || isBehind(ctx.group, replica))
    return;
  ctx.line('rejoin-4');
  ctx.save({ rejoining: { ...rejoining, best: { currentEpoch: 0, zxid: zero } } });
}
