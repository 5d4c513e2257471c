/**
 * Where snapshots lie on the disk. Chunks that several of them have are written once and referred
 * to: a new snapshot costs the chunks that are new, however many older ones are kept. Everything
 * happens in the step that takes the snapshot, all or nothing, so what an old snapshot leaves may
 * be overwritten by the one that takes its place.
 */
import type { Digest, DigestOf, Write } from '@quorumlab/core';
import { SnapshotDamagedError } from './errors.ts';
import { type Kept, manifestOf, nameOf, rootOf } from './snapshots.ts';
import type { LogShape, Serviced, ServiceStable, SnapshotRecord, StoredSnapshot } from './types.ts';

/** A snapshot and the rows of its chunks. */
export interface Placed {
  readonly kept: Kept;
  readonly rows: readonly number[];
}

/** The snapshots on the disk. Plain data. */
export interface OnDisk {
  /** Newest first. */
  readonly snapshots: readonly Placed[];
  /** No row from here up was ever written, or all were dropped. */
  readonly end: number;
}

type ServiceWrite = Write<Serviced<LogShape>>;

/** The newest snapshot on the disk. */
export const newestOf = ({ snapshots }: OnDisk): SnapshotRecord | undefined =>
  snapshots[0]?.kept.record;

const stored = ({ kept, rows }: Placed): StoredSnapshot => ({ ...kept.record, rows });

/** What is on the disk, without rows that nothing refers to. */
export function storedOf({
  snapshots,
}: OnDisk): Pick<ServiceStable, 'serviceSnapshot' | 'serviceOlder' | 'serviceChunks'> {
  const [newest, ...older] = snapshots;
  const serviceChunks = new Map<number, Uint8Array>();
  for (const { kept, rows } of snapshots)
    rows.forEach((row, i) => void serviceChunks.set(row, kept.chunks[i] as Uint8Array));
  return {
    serviceSnapshot: newest === undefined ? null : stored(newest),
    serviceOlder: new Map(older.map((each) => [each.kept.record.slot, stored(each)])),
    serviceChunks,
  };
}

/**
 * The snapshots on the disk, checked. Throws {@link SnapshotDamagedError} if the newest, which the
 * replica is to start from, is not what was written. An older one that is damaged is left out: it
 * is there only for others, who check what they get and have other holders to ask. A replica that
 * stopped for it would be missing as a holder just the same, and as a voter too.
 */
export function fromDisk(
  {
    serviceSnapshot,
    serviceOlder,
    serviceChunks,
  }: Pick<ServiceStable, 'serviceSnapshot' | 'serviceOlder' | 'serviceChunks'>,
  digest: DigestOf,
): OnDisk {
  let end = 0;
  for (const row of serviceChunks.keys()) end = Math.max(end, row + 1);
  if (serviceSnapshot === null) return { snapshots: [], end };
  const names = new Map<number, Digest>();
  const open = (from: StoredSnapshot): Placed | undefined =>
    opened(from, serviceChunks, names, digest);
  const newest = open(serviceSnapshot);
  if (newest === undefined)
    throw new SnapshotDamagedError(
      `the snapshot at slot ${serviceSnapshot.slot} does not have its digest ` +
        `${serviceSnapshot.digest}; restore the disk from a backup, or start this replica with ` +
        'an empty one',
    );
  const older = [...serviceOlder.values()]
    .sort((one, other) => other.slot - one.slot)
    .map(open)
    .filter((each) => each !== undefined);
  return { snapshots: [newest, ...older], end };
}

/** A snapshot, unless it is damaged. `names` remembers digests of rows that were looked at. */
function opened(
  { rows, ...record }: StoredSnapshot,
  all: ServiceStable['serviceChunks'],
  names: Map<number, Digest>,
  digest: DigestOf,
): Placed | undefined {
  const chunks: Uint8Array[] = [];
  const digests: Digest[] = [];
  for (const row of rows) {
    const data = all.get(row);
    if (data === undefined) return undefined;
    const name = names.get(row) ?? nameOf(data, digest);
    names.set(row, name);
    chunks.push(data);
    digests.push(name);
  }
  const manifest = manifestOf(record.slot, record.size, digests);
  if (rootOf(manifest, digest) !== record.digest) return undefined;
  return { kept: { record, manifest, chunks }, rows };
}

/**
 * What changes on the disk so that it holds `wanted`, newest first and at least one, in place of
 * what was there `before`.
 */
export function arrange(
  before: OnDisk,
  wanted: readonly Kept[],
): { readonly writes: readonly ServiceWrite[]; readonly onDisk: OnDisk } {
  const placed = new Map(before.snapshots.map((each) => [each.kept.record.slot, each]));
  const known = new Map<Digest, number>();
  for (const { kept, rows } of before.snapshots)
    rows.forEach((row, i) => void known.set(kept.manifest.chunks[i] as Digest, row));
  // First what stays is marked, and then what is new takes the rows that are free.
  const used = new Set<number>();
  for (const { record, manifest } of wanted) {
    const rows = placed.get(record.slot)?.rows;
    for (const row of rows ?? manifest.chunks.map((name) => known.get(name)))
      if (row !== undefined) used.add(row);
  }
  const writes: ServiceWrite[] = [];
  let free = 0;
  const place = (kept: Kept): Placed => {
    const rows = kept.manifest.chunks.map((name, i) => {
      const same = known.get(name);
      if (same !== undefined) return same;
      while (used.has(free)) free++;
      used.add(free);
      known.set(name, free);
      writes.push({ type: 'put', table: 'serviceChunks', index: free, row: kept.chunks[i] });
      return free;
    });
    return { kept, rows };
  };
  const snapshots = wanted.map((each) => placed.get(each.record.slot) ?? place(each));
  let end = 0;
  for (const row of used) end = Math.max(end, row + 1);
  if (end < before.end) writes.push({ type: 'drop', table: 'serviceChunks', rows: { from: end } });
  writes.push(...registered(before.snapshots, snapshots));
  return { writes, onDisk: { snapshots, end } };
}

/** The records of the snapshots: the newest in its register, each other one in its row. */
function registered(before: readonly Placed[], after: readonly Placed[]): ServiceWrite[] {
  const writes: ServiceWrite[] = [];
  const slotOf = ({ kept }: Placed): number => kept.record.slot;
  const wereOlder = new Set(before.slice(1).map(slotOf));
  for (const each of after.slice(1))
    if (!wereOlder.delete(slotOf(each)))
      writes.push({ type: 'put', table: 'serviceOlder', index: slotOf(each), row: stored(each) });
  const oldest = after.at(-1);
  if (wereOlder.size > 0 && oldest !== undefined)
    writes.push({ type: 'drop', table: 'serviceOlder', rows: { below: slotOf(oldest) } });
  const [newest] = after;
  if (newest !== undefined)
    writes.push({ type: 'save', registers: { serviceSnapshot: stored(newest) } });
  return writes;
}
