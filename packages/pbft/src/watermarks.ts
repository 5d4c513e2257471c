/** h and H of section 4.2: which numbers may be used. */
import type { Configuration } from './epochs.ts';
import type { Group } from './group.ts';
import type { Replica, Stable } from './state.ts';

/** h, the low watermark: the last stable checkpoint. */
export const lowWatermark = (replica: Readonly<Stable>): number =>
  replica.stableCheckpoint?.body.sequence ?? 0;

/** H, the high watermark: a window above the other one, and no higher than the epoch goes. */
export function highWatermark(group: Group, replica: Replica): number {
  const high = lowWatermark(replica) + group.window;
  return Math.min(high, lastOfEpoch(replica) ?? high);
}

/** h < n ≤ H. */
export const betweenWatermarks = (group: Group, replica: Replica, sequence: number): boolean =>
  !group.rules.keepsWatermarks ||
  (sequence > lowWatermark(replica) && sequence <= highWatermark(group, replica));

/** The checkpoint with which the epoch in force ends; nothing: no other epoch is known. */
function lastOfEpoch(replica: Replica): number | undefined {
  const low = lowWatermark(replica);
  const after = newestConfiguration(replica)?.next?.after;
  return after !== undefined && after > low ? after : undefined;
}

/** The newest configuration that this replica knows; null: that with which the group was made. */
export const newestConfiguration = (replica: Replica): Configuration | null =>
  replica.lastExecuted >= lowWatermark(replica)
    ? replica.configuration
    : replica.stableConfiguration;

/** Whether numbers are given out until the epoch ends, whether or not anybody asks for anything. */
export const isEnding = (replica: Replica): boolean =>
  replica.lastExecuted < (lastOfEpoch(replica) ?? 0);
