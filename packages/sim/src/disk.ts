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
  readonly tables: Map<PropertyKey, Table>;
}

/** A table, and bounds that no index lies outside of: what a `drop` has to look at. */
interface Table {
  readonly rows: Map<number, unknown>;
  low: number;
  high: number;
}

type Fields = Record<PropertyKey, unknown>;

/** A disk that would give back `stable`, the state of a machine that has never run. */
export function emptyStorage<S extends Shape>(stable: S['Stable']): Storage<S> {
  const tables = new Map<PropertyKey, Table>();
  for (const [name, value] of Object.entries(stable))
    if (value instanceof Map) tables.set(name, tableOf(value));
  return { stable, written: false, tables };
}

function tableOf(rows: Map<number, unknown>): Table {
  let low = Number.MAX_SAFE_INTEGER;
  let high = -1;
  for (const index of rows.keys()) {
    if (index < low) low = index;
    if (index > high) high = index;
  }
  return { rows, low, high };
}

/** Applies a batch that has become durable. `deep` copies it, so that nobody changes it later. */
export function applyWrites<S extends Shape>(
  storage: Storage<S>,
  writes: readonly Write<S>[],
  deep: boolean,
): void {
  storage.written = true;
  for (let i = 0; i < writes.length; i++) {
    const write = writes[i] as Write<S>;
    if (write.type === 'save') {
      save(storage, deep ? copy(write.registers) : write.registers);
      continue;
    }
    const table = storage.tables.get(write.table) ?? newTable(storage, write.table);
    if (write.type === 'put') {
      const { index } = write;
      if (index < table.low) table.low = index;
      if (index > table.high) table.high = index;
      table.rows.set(index, deep ? copy(write.row) : write.row);
    } else if ('from' in write.rows) dropFrom(table, write.rows.from);
    else dropBelow(table, write.rows.below);
  }
}

function save<S extends Shape>(storage: Storage<S>, registers: Partial<S['Stable']>): void {
  // A disk holds what the protocol's type says; only here is it written by name.
  const fields = storage.stable as Fields;
  const values = registers as Readonly<Fields>;
  for (const name in values) fields[name] = values[name];
}

function newTable<S extends Shape>(storage: Storage<S>, name: PropertyKey): Table {
  const table = tableOf(new Map());
  (storage.stable as Fields)[name] = table.rows;
  storage.tables.set(name, table);
  return table;
}

function dropBelow(table: Table, below: number): void {
  const { rows } = table;
  if (below <= table.low) return;
  const end = Math.min(below, table.high + 1);
  if (end - table.low <= rows.size) {
    for (let index = table.low; index < end; index++) rows.delete(index);
  } else {
    for (const index of rows.keys()) if (index < below) rows.delete(index);
  }
  table.low = below;
}

function dropFrom(table: Table, from: number): void {
  const { rows } = table;
  if (from > table.high) return;
  const start = Math.max(from, table.low);
  if (table.high - start < rows.size) {
    for (let index = table.high; index >= start; index--) rows.delete(index);
  } else {
    for (const index of rows.keys()) if (index >= from) rows.delete(index);
  }
  table.high = from - 1;
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
