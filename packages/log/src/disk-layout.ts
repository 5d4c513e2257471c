/**
 * Where snapshots lie on the disk. A chunk that several of them have is written once and referred
 * to: a new snapshot costs the chunks that are new, however many older ones are kept. Chunks are
 * written in the steps before the one that writes the record of their snapshot: a row that no
 * record refers to is free after a restart.
 */
import type { Digest, DigestOf, Steps, Write } from '@quorumlab/core';
import { assert } from '@quorumlab/core';
import { SnapshotDamagedError } from './errors.ts';
import type { Rows } from './rows.ts';
import { type Kept, manifestOf, nameOf, rootOf } from './snapshots.ts';
import type { LogShape, Serviced, ServiceStable, SnapshotRecord, StoredSnapshot } from './types.ts';

interface Place {
  readonly row: number;
  /** How many refer to it: each chunk of each snapshot that is kept, taken or installed, ... */
  users: number;
}

/** The chunks on the disk. Plain data. */
export interface Shelf {
  readonly places: Map<Digest, Place>;
  readonly used: Set<number>;
  /** No row below is free. */
  low: number;
  /** No row from here up was ever written, or all were dropped. */
  end: number;
}

type ServiceWrite = Write<Serviced<LogShape>>;

/** Where chunks are put: the shelf, the bytes, and what the disk is told. */
export interface Shelving {
  readonly shelf: Shelf;
  readonly rows: Rows;
  readonly writes: ServiceWrite[];
}

/** An independent copy. */
export const copyShelf = ({ places, used, low, end }: Shelf): Shelf => ({
  places: new Map([...places].map(([name, place]) => [name, { ...place }])),
  used: new Set(used),
  low,
  end,
});

/** The row of a chunk that is here. */
export const rowOf = ({ places }: Shelf, name: Digest): number | undefined => places.get(name)?.row;

/** One more refers to this chunk. False: it is not here. */
export function hold({ places }: Shelf, name: Digest): boolean {
  const place = places.get(name);
  if (place !== undefined) place.users++;
  return place !== undefined;
}

/** As {@link hold}, and writes the chunk if it is not here yet. */
export function shelve({ shelf, rows, writes }: Shelving, name: Digest, data: Uint8Array): void {
  if (hold(shelf, name)) return;
  while (shelf.used.has(shelf.low)) shelf.low++;
  const row = shelf.low++;
  shelf.used.add(row);
  shelf.end = Math.max(shelf.end, row + 1);
  shelf.places.set(name, { row, users: 1 });
  rows.put(row, data);
  writes.push({ type: 'put', table: 'serviceChunks', index: row, row: data });
}

/** One less refers to this chunk: if it was the last, its row may be written again. */
export function release(shelf: Shelf, name: Digest): void {
  const place = shelf.places.get(name);
  assert(place !== undefined, 'a chunk was let go that was not held');
  if (--place.users > 0) return;
  shelf.places.delete(name);
  shelf.used.delete(place.row);
  shelf.low = Math.min(shelf.low, place.row);
}

/** Drops the free rows at the end. */
function trim({ shelf, rows, writes }: Shelving): void {
  const before = shelf.end;
  while (shelf.end > 0 && !shelf.used.has(shelf.end - 1)) shelf.end--;
  if (shelf.end === before) return;
  rows.drop(shelf.end);
  writes.push({ type: 'drop', table: 'serviceChunks', rows: { from: shelf.end } });
}

/** The snapshots on the disk and where their chunks are. */
export interface OnDisk {
  /** Newest first. */
  readonly kept: readonly Kept[];
  readonly shelf: Shelf;
}

const stored = (shelf: Shelf, { record, manifest }: Kept): StoredSnapshot => ({
  ...record,
  rows: manifest.chunks.map((name) => rowOf(shelf, name) as number),
});

/** What is on the disk, without rows that nothing refers to. */
export function storedOf({ kept, shelf }: OnDisk, rows: Rows): ServiceStable {
  const [newest, ...older] = kept;
  const serviceChunks = new Map<number, Uint8Array>();
  for (const { row } of shelf.places.values()) {
    const data = rows.get(row);
    if (data !== undefined) serviceChunks.set(row, data);
  }
  return {
    serviceSnapshot: newest === undefined ? null : stored(shelf, newest),
    serviceOlder: new Map(older.map((each) => [each.record.slot, stored(shelf, each)])),
    serviceChunks,
  };
}

/** Takes the chunks of the newest snapshot while they are read, once, in their order. */
export type Taker = (index: number, data: Uint8Array) => void;

/**
 * The snapshots on the disk, checked, in steps that yield the bytes of each chunk that was read.
 * `take` is given the newest one's chunks to start from; they are only known to be right when all
 * is read. Throws {@link SnapshotDamagedError} if that snapshot is not what was written. An older
 * one that is damaged is left out: it is there only for others, who check what they get and have
 * other holders to ask. A replica that stopped for it would be missing as a holder just the same,
 * and as a voter too.
 */
export function* fromDisk(
  { serviceSnapshot, serviceOlder, serviceChunks }: ServiceStable,
  digest: DigestOf,
  take: Taker = () => undefined,
): Steps<OnDisk> {
  const shelf: Shelf = { places: new Map(), used: new Set(), low: 0, end: 0 };
  for (const row of serviceChunks.keys()) shelf.end = Math.max(shelf.end, row + 1);
  if (serviceSnapshot === null) return { kept: [], shelf };
  const names = new Map<number, Digest>();
  const open = (from: StoredSnapshot, taker?: Taker): Steps<Kept | undefined> =>
    opened(from, serviceChunks, names, digest, taker);
  const newest = yield* open(serviceSnapshot, take);
  if (newest === undefined) throw damaged(serviceSnapshot);
  const all: { readonly kept: Kept | undefined; readonly rows: readonly number[] }[] = [
    { kept: newest, rows: serviceSnapshot.rows },
  ];
  for (const each of [...serviceOlder.values()].sort((one, other) => other.slot - one.slot))
    all.push({ kept: yield* open(each), rows: each.rows });
  for (const { kept, rows } of all)
    kept?.manifest.chunks.forEach((name, i) => {
      if (hold(shelf, name)) return;
      const row = rows[i] as number;
      shelf.used.add(row);
      shelf.places.set(name, { row, users: 1 });
    });
  return { kept: all.map(({ kept }) => kept).filter((each) => each !== undefined), shelf };
}

/** The error for a snapshot that is not what was written. */
export const damaged = ({ slot, digest }: Pick<SnapshotRecord, 'slot' | 'digest'>): Error =>
  new SnapshotDamagedError(
    `the snapshot at slot ${slot} does not have its digest ${digest}; ` +
      'restore the disk from a backup, or start this replica with an empty one',
  );

/** A snapshot, unless it is damaged. `names` remembers digests of rows that were looked at. */
function* opened(
  { rows, ...record }: StoredSnapshot,
  all: ServiceStable['serviceChunks'],
  names: Map<number, Digest>,
  digest: DigestOf,
  take?: Taker,
): Steps<Kept | undefined> {
  const digests: Digest[] = [];
  for (const [i, row] of rows.entries()) {
    let name = take === undefined ? names.get(row) : undefined;
    if (name === undefined) {
      const data = all.get(row);
      if (data === undefined) return undefined;
      name = nameOf(data, digest);
      take?.(i, data);
      yield data.length;
    }
    names.set(row, name);
    digests.push(name);
  }
  const manifest = manifestOf(record.slot, record.size, digests);
  return rootOf(manifest, digest) === record.digest ? { record, manifest } : undefined;
}

/**
 * The snapshot `newest`, whose chunks are held, becomes the one to start from. The newest `most`
 * are kept, and of older ones those that must stay. Returns what is kept now.
 */
export function register(
  shelving: Shelving,
  before: readonly Kept[],
  newest: Kept,
  most: number,
  stays: (each: Kept) => boolean = () => false,
): Kept[] {
  const { shelf, writes } = shelving;
  const all = [newest, ...before];
  const older = all.splice(most);
  const left = older.filter((each) => stays(each));
  for (const each of older)
    if (!left.includes(each)) for (const name of each.manifest.chunks) release(shelf, name);
  const put = (each: Kept): void =>
    void writes.push({
      type: 'put',
      table: 'serviceOlder',
      index: each.record.slot,
      row: stored(shelf, each),
    });
  const [, second] = all;
  if (second !== undefined) put(second);
  const oldest = all.at(-1) as Kept;
  if (older.length > 0 && before.length > 1)
    writes.push({ type: 'drop', table: 'serviceOlder', rows: { below: oldest.record.slot } });
  for (const each of left) put(each);
  writes.push({ type: 'save', registers: { serviceSnapshot: stored(shelf, newest) } });
  trim(shelving);
  return [...all, ...left];
}
