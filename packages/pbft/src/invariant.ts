/** What one replica can check by itself after every step. */
import type { Group } from './group.ts';
import type { Replica } from './state.ts';
import { lowWatermark } from './watermarks.ts';

/**
 * What must hold after every step. Constant time: each rule about one number is kept where it is
 * written.
 */
export function invariant(group: Group, replica: Replica): string | undefined {
  if (replica.viewChange !== null && replica.viewChange.view > replica.view)
    return `is in view ${replica.view} after its view-change for ${replica.viewChange.view}`;
  if (!group.rules.keepsWatermarks) return undefined;
  const { prePrepares, prepared, progress, committed } = replica;
  const most = Math.max(
    prePrepares.size,
    prepared.size,
    progress.size,
    Math.ceil(committed.size / 2),
  );
  if (most > group.window) return `logs ${most} numbers, more than the window of ${group.window}`;
  if (replica.next > lowWatermark(replica) + group.window + 1)
    return `would order ${replica.next}, which is above the high watermark`;
  return undefined;
}
