/**
 * Batches that a stable checkpoint has made dispensable (section 4.3), kept while a member lags. It
 * fetches the state of a checkpoint, and others come meanwhile: without the batches between, each
 * state would be too old when it has come, and the next one too.
 */
import { bytesOf, type Instant } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Decided, Replica } from './state.ts';

/** Most that is kept. A member that lags by more has to wait for less load. */
const mostKept = { batches: 8192, bytes: 64 << 20 };
/** A member that lags reports each period; after so many without a report it is gone. */
const patience = 10;

const bytesIn = ({ batch }: Decided): number =>
  batch.reduce((sum, request) => sum + bytesOf(request), 0);

/** Takes over what was executed up to `last`, if somebody needs it, and lets go of what is old. */
export function putAway(group: Group, replica: Replica, last: number, now: Instant): void {
  const { archive, committed } = replica;
  if (!isNeeded(group, replica, now)) {
    archive.clear();
    replica.archiveBytes = 0;
    return;
  }
  for (const [n, decided] of committed) {
    if (n > last || n > replica.lastExecuted || archive.has(n)) continue;
    archive.set(n, decided);
    replica.archiveBytes += bytesIn(decided);
  }
  for (const [n, decided] of archive) {
    if (archive.size <= mostKept.batches && replica.archiveBytes <= mostKept.bytes) return;
    archive.delete(n);
    replica.archiveBytes -= bytesIn(decided);
  }
}

/** Whether a member has said lately that it lacks what is below the checkpoint. */
function isNeeded(group: Group, replica: Replica, now: Instant): boolean {
  for (const { at, lags } of replica.answered.values())
    if (lags && now - at < patience * group.statusPeriod) return true;
  return false;
}
