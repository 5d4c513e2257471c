/** What a replica with MACs reports when it leaves a view: TOCS 2002, section 3.2.4, figure 3. */
import type { MacViewChange } from './mac-messages.ts';
import type { Claim, Reached } from './messages.ts';
import type { Replica } from './state.ts';
import { lowWatermark } from './watermarks.ts';

/** ⟨VIEW-CHANGE, v+1, h, C, P, Q, i⟩ of this replica. */
export const reportOf = (replica: Replica, view: number, prepared: Claim[]): MacViewChange => ({
  kind: 'mac-view-change',
  view,
  low: lowWatermark(replica),
  checkpoints: checkpointsOf(replica),
  prepared,
  prePrepared: prePreparedOf(replica),
});

/** C: the stable checkpoint, which is known to be right, and the own ones above it. */
function checkpointsOf({ stableCheckpoint, checkpoints }: Replica): Reached[] {
  const own = [...checkpoints].map(([sequence, { digest }]) => ({ sequence, digest }));
  if (stableCheckpoint === null) return own.sort(bySequence);
  const { sequence, digest } = stableCheckpoint.body;
  return [{ sequence, digest }, ...own.sort(bySequence)];
}

const bySequence = (one: Reached, other: Reached): number => one.sequence - other.sequence;

/**
 * Q: what was pre-prepared, with the last view in which it was. The paper lists every batch that a
 * number has ever had. Two are enough: the last one, and the last that is another one, because
 * whoever pre-prepared two after a view vouches that nothing was committed up to then (see
 * `mac-decision.ts`). What was pre-prepared in earlier views is in the report with which they were
 * left.
 */
function prePreparedOf(replica: Replica): Claim[] {
  const { viewChange, prePrepares } = replica;
  const all = new Map<number, Claim[]>();
  const low = lowWatermark(replica);
  const add = (claim: Claim): void => {
    if (claim.sequence <= low) return;
    all.set(claim.sequence, lastTwo(all.get(claim.sequence) ?? [], claim));
  };
  if (viewChange?.kind === 'mac-view-change')
    for (const claim of viewChange.prePrepared) add(claim);
  for (const [sequence, { view, digest }] of prePrepares) add({ view, sequence, digest });
  return [...all].sort(([one], [other]) => one - other).flatMap(([, claims]) => claims);
}

/** The last claim, and the last one of another digest. */
function lastTwo(claims: readonly Claim[], claim: Claim): Claim[] {
  const byView = [...claims, claim].sort((one, other) => other.view - one.view);
  const [last] = byView as [Claim, ...Claim[]];
  const before = byView.find(({ digest }) => digest !== last.digest);
  return before === undefined ? [last] : [last, before];
}
