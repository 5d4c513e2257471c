/** Disks of seats: what is synced, what would be lost, and how they fail. */
import { copy, type Shape, type Write } from '@quorumlab/core';
import type { DelayModel } from './network.ts';

/** How a disk behaves. Batches are atomic: a half-written one is the log's business, not ours. */
export interface DiskModel {
  /** How long a sync takes. No time at all unless told. */
  readonly sync?: DelayModel;
  /** At a crash the batch under way is kept whole or lost, by coin. It is lost unless told. */
  readonly torn?: boolean;
  /** The next sync fails: the host stops, and what was being synced is lost. */
  readonly fails?: boolean;
  /** There is no room: the host stops at its next write. */
  readonly full?: boolean;
  /** Says that a batch is durable before it is: a crash loses what was acknowledged. */
  readonly lies?: boolean;
}

/** A disk that takes 0.1 to 0.4 ms for a sync, now and then 5: an SSD that means what it says. */
export const ssd: DiskModel = {
  sync: { type: 'table', quantiles: [100, 120, 140, 160, 180, 200, 250, 400, 5_000] },
};

/** What is synced, kept up to date in time proportional to what is written. */
export interface Storage<S extends Shape> {
  readonly stable: S['Stable'];
  /** Whether anything was ever synced: a disk that holds nothing gives nothing back. */
  written: boolean;
  /** Per table, bounds that no index lies outside of: what a `drop` has to look at. */
  readonly bounds: Map<PropertyKey, Bounds>;
}

interface Bounds {
  low: number;
  high: number;
}

type Fields = Record<PropertyKey, unknown>;

/** A disk that would give back `stable`, the state of a machine that has never run. */
export function emptyStorage<S extends Shape>(stable: S['Stable']): Storage<S> {
  const bounds = new Map<PropertyKey, Bounds>();
  for (const [name, value] of Object.entries(stable))
    if (value instanceof Map) bounds.set(name, boundsOf(value));
  return { stable, written: false, bounds };
}

function boundsOf(table: ReadonlyMap<number, unknown>): Bounds {
  let low = Number.MAX_SAFE_INTEGER;
  let high = -1;
  for (const index of table.keys()) {
    if (index < low) low = index;
    if (index > high) high = index;
  }
  return { low, high };
}

/** Applies a batch that has become durable. `deep` copies it, so that nobody changes it later. */
export function applyWrites<S extends Shape>(
  storage: Storage<S>,
  writes: readonly Write<S>[],
  deep: boolean,
): void {
  // A disk holds what the protocol's type says; only here is it written by name.
  const fields = storage.stable as Fields;
  storage.written = true;
  for (const write of writes) {
    if (write.type === 'save') {
      Object.assign(fields, deep ? copy(write.registers) : write.registers);
    } else if (write.type === 'put') {
      const table = tableOf(storage, fields, write.table);
      const bounds = storage.bounds.get(write.table) as Bounds;
      if (write.index < bounds.low) bounds.low = write.index;
      if (write.index > bounds.high) bounds.high = write.index;
      table.set(write.index, deep ? copy(write.row) : write.row);
    } else {
      const table = tableOf(storage, fields, write.table);
      const bounds = storage.bounds.get(write.table) as Bounds;
      if ('from' in write.rows) dropFrom(table, bounds, write.rows.from);
      else dropBelow(table, bounds, write.rows.below);
    }
  }
}

function tableOf<S extends Shape>(
  storage: Storage<S>,
  fields: Fields,
  name: PropertyKey,
): Map<number, unknown> {
  const known = fields[name];
  if (known instanceof Map) return known;
  const made = new Map<number, unknown>();
  fields[name] = made;
  storage.bounds.set(name, { low: Number.MAX_SAFE_INTEGER, high: -1 });
  return made;
}

function dropBelow(table: Map<number, unknown>, bounds: Bounds, below: number): void {
  if (below <= bounds.low) return;
  const end = Math.min(below, bounds.high + 1);
  if (end - bounds.low <= table.size) {
    for (let index = bounds.low; index < end; index++) table.delete(index);
  } else {
    for (const index of table.keys()) if (index < below) table.delete(index);
  }
  bounds.low = below;
}

function dropFrom(table: Map<number, unknown>, bounds: Bounds, from: number): void {
  if (from > bounds.high) return;
  const start = Math.max(from, bounds.low);
  if (bounds.high - start < table.size) {
    for (let index = bounds.high; index >= start; index--) table.delete(index);
  } else {
    for (const index of table.keys()) if (index >= from) table.delete(index);
  }
  bounds.high = from - 1;
}

/**
 * What the disk gives back at a restart: fields of its own, rows shared, because nobody may change
 * a row; with `deep`, nothing is shared.
 */
export function readStorage<S extends Shape>(storage: Storage<S>, deep: boolean): S['Stable'] {
  if (deep) return copy(storage.stable);
  const fields = storage.stable as Fields;
  const fresh: Fields = {};
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    fresh[name] = value instanceof Map ? new Map(value) : value;
  }
  return fresh as S['Stable'];
}

/** An independent copy of a disk. */
export function copyStorage<S extends Shape>(storage: Storage<S>, deep: boolean): Storage<S> {
  const other = emptyStorage<S>(readStorage(storage, deep));
  other.written = storage.written;
  return other;
}
