/**
 * Where the commands are that clients asked this replica for: each waits, or is in an own instance.
 * After a restart one may be in two: the first came to nothing, and the second was opened for it.
 */
import { type Request, requestKey } from '@quorumlab/core';
import type { Replica } from './state.ts';

/** `command` is in one more place. */
export function addPlace({ places }: Replica, command: Request): void {
  const key = requestKey(command);
  places.set(key, (places.get(key) ?? 0) + 1);
}

/** `command` is in one place less. Returns in how many it is left. */
export function removePlace({ places }: Replica, command: Request): number {
  const key = requestKey(command);
  const left = (places.get(key) ?? 0) - 1;
  if (left > 0) places.set(key, left);
  else places.delete(key);
  return Math.max(0, left);
}
