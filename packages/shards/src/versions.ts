/** Values by timestamp. */
import { maxBytesAtOnce, maxStateBytes, maxVersions } from './limits.ts';
import type { Version, Write } from './operations.ts';
import { type ShardState, sizeOf, type Valued } from './state.ts';

/** The place behind the last version at or below `at`. */
function placeOf(versions: readonly Valued[], at: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((versions[middle] as Valued).at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a key is at `at`: with all commits at or below it, and no others. */
function valueAt(state: ShardState, key: string, at: number): Uint8Array | null {
  const versions = state.versions.get(key) ?? [];
  return versions[placeOf(versions, at) - 1]?.value ?? null;
}

/** Adds a version, unless there is one of this timestamp, and forgets those below the horizon. */
export function setVersion(
  state: ShardState,
  key: string,
  at: number,
  value: Uint8Array | null,
): void {
  const versions = state.versions.get(key) ?? [];
  // There is nothing to remove.
  if (versions.length === 0 && value === null) return;
  state.versions.set(key, versions);
  const place = placeOf(versions, at);
  if (versions[place - 1]?.at !== at) {
    versions.splice(place, 0, { at, value });
    state.held += 1;
    state.bytes += sizeOf(key, value);
  }
  prune(state, key, versions);
}

/** Of what was over before the horizon only the last is kept, of a removed key not even that. */
function prune(state: ShardState, key: string, versions: Valued[]): void {
  let useless = Math.max(0, placeOf(versions, state.horizon) - 1);
  if (versions[useless]?.value === null && (versions[useless] as Valued).at <= state.horizon)
    useless += 1;
  if (useless > 0) {
    for (const { value } of versions.splice(0, useless)) state.bytes -= sizeOf(key, value);
    state.held -= useless;
  }
  if (versions.length === 0) state.versions.delete(key);
}

/** Forgets what the horizon lets go of, everywhere. */
export function pruneAll(state: ShardState): void {
  for (const [key, versions] of [...state.versions]) prune(state, key, versions);
}

/** What prepared transactions and commits under way are going to add. */
function pending(state: ShardState): { readonly held: number; readonly bytes: number } {
  let [held, bytes] = [0, 0];
  for (const { writes } of state.transactions.values())
    for (const { key, value } of writes) {
      held += 1;
      bytes += sizeOf(key, value);
    }
  return { held, bytes };
}

/** Whether there is room for these writes. Keys can be removed longer than set, to make some. */
export function hasRoom(state: ShardState, writes: readonly Write[]): boolean {
  const under = pending(state);
  const [held, bytes] = [state.held + under.held, state.bytes + under.bytes];
  const isFull = held >= maxVersions || bytes >= maxStateBytes;
  return isFull
    ? writes.every(({ value }) => value === null) && held + writes.length <= 2 * maxVersions
    : true;
}

/** Removes a key with all its versions. */
export function removeKey(state: ShardState, key: string): void {
  const versions = state.versions.get(key) ?? [];
  state.held -= versions.length;
  for (const { value } of versions) state.bytes -= sizeOf(key, value);
  state.versions.delete(key);
}

/** What the writes of a transaction do at its timestamp. */
export function applyWrites(state: ShardState, writes: readonly Write[], at: number): void {
  for (const { key, value } of writes) setVersion(state, key, at, value);
}

/** Values of some keys, as many as one answer carries; undefined if they do not fit. */
export function valuesAt(
  state: ShardState,
  keys: readonly string[],
  at: number,
): readonly Write[] | undefined {
  const values: Write[] = [];
  let size = 0;
  for (const key of keys) {
    const value = valueAt(state, key, at);
    size += sizeOf(key, value);
    if (size > maxBytesAtOnce) return undefined;
    values.push({ key, value });
  }
  return values;
}

/** The next versions of the keys that `isIn` names, behind `after`, ordered by key and time. */
export function nextVersions(
  state: ShardState,
  isIn: (key: string) => boolean,
  after: { readonly key: string; readonly at: number } | null,
): { readonly versions: readonly Version[]; readonly isLast: boolean } {
  const found: Version[] = [];
  let size = 0;
  const keys = [...state.versions.keys()].filter(
    (key) => isIn(key) && (after === null || key >= after.key),
  );
  for (const key of keys.sort())
    for (const { at, value } of state.versions.get(key) ?? []) {
      if (after !== null && key === after.key && at <= after.at) continue;
      size += sizeOf(key, value);
      if (found.length > 0 && (size > maxBytesAtOnce / 2 || found.length >= 4096))
        return { versions: found, isLast: false };
      found.push({ key, at, value });
    }
  return { versions: found, isLast: true };
}
