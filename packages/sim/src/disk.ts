/** Disks of seats: what is synced, what would be lost, and how they fail. */
import { copy, type Shape, type Write } from '@quorumlab/core';
import type { DelayModel } from './network.ts';
import { dropBelow, dropFrom, makeTable, putRow, rowsOf, type Table } from './table.ts';

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
export interface Storage {
  readonly registers: Fields;
  readonly tables: Map<PropertyKey, Table>;
  /** Whether anything was ever synced: a disk that holds nothing gives nothing back. */
  written: boolean;
}

type Fields = Record<PropertyKey, unknown>;

/** A disk that would give back `stable`, the state of a machine that has never run. */
export function emptyStorage<S extends Shape>(stable: S['Stable']): Storage {
  const storage: Storage = { registers: {}, tables: new Map(), written: false };
  for (const [name, value] of Object.entries(stable)) {
    if (value instanceof Map) storage.tables.set(name, makeTable(value));
    else storage.registers[name] = value;
  }
  return storage;
}

/** Applies a batch that has become durable. `deep` copies it, so that nobody changes it later. */
export function applyWrites<S extends Shape>(
  storage: Storage,
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
    let table = storage.tables.get(write.table);
    if (table === undefined) {
      table = makeTable(new Map());
      storage.tables.set(write.table, table);
    }
    if (write.type === 'put') putRow(table, write.index, deep ? copy(write.row) : write.row);
    else if ('from' in write.rows) dropFrom(table, write.rows.from);
    else dropBelow(table, write.rows.below);
  }
}

function save({ registers: fields }: Storage, registers: object): void {
  // A disk holds what the protocol's type says; only here is it written by name.
  const values = registers as Readonly<Fields>;
  for (const name in values) fields[name] = values[name];
}

/**
 * What the disk gives back at a restart: fields and tables of its own, rows shared, because nobody
 * may change a row; with `deep`, nothing is shared.
 */
export function readStorage<S extends Shape>(storage: Storage, deep: boolean): S['Stable'] {
  const fields: Fields = { ...storage.registers };
  for (const [name, table] of storage.tables) fields[name] = rowsOf(table);
  // Exactly the fields that the machine's own stable state had, and what it wrote since.
  return (deep ? copy(fields) : fields) as S['Stable'];
}

/** An independent copy of a disk. */
export function copyStorage<S extends Shape>(storage: Storage, deep: boolean): Storage {
  const other = emptyStorage<S>(readStorage(storage, deep));
  other.written = storage.written;
  return other;
}
