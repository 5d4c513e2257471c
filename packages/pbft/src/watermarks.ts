/** h and H of section 4.2: which numbers may be used. */
import type { Group } from './group.ts';
import type { Replica, Stable } from './state.ts';

/** h, the low watermark: the last stable checkpoint. */
export const lowWatermark = (replica: Readonly<Stable>): number =>
  replica.stableCheckpoint?.body.sequence ?? 0;

/** h < n ≤ H. */
export const betweenWatermarks = (group: Group, replica: Replica, sequence: number): boolean =>
  !group.rules.keepsWatermarks ||
  (sequence > lowWatermark(replica) && sequence <= lowWatermark(replica) + group.window);
