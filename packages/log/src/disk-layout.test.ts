import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../test/runs.ts';
import { digestOf } from '../test/world.ts';
import { fromDisk, type OnDisk, register, type Shelving, shelve } from './disk-layout.ts';
import { finished } from './restart.ts';
import { memoryRows } from './rows.ts';
import { type Kept, kept, manifestOf, nameOf } from './snapshots.ts';
import type { ServiceStable } from './types.ts';

type Disk = ServiceStable;
const empty: Disk = { serviceSnapshot: null, serviceOlder: new Map(), serviceChunks: new Map() };

/** A replica that writes snapshots whose chunks are one byte each: equal bytes are equal chunks. */
interface Writer {
  readonly shelving: Shelving;
  kept: readonly Kept[];
  readonly most: number;
}

const writerOn = (disk: Disk, most: number): Writer => {
  const found = finished(fromDisk(disk, digestOf));
  const rows = memoryRows(disk.serviceChunks);
  return { shelving: { shelf: found.shelf, rows, writes: [] }, kept: found.kept, most };
};

/** Writes the chunks, in the steps before the one that writes the record. */
const chunks = ({ shelving }: Writer, content: readonly number[]): string[] =>
  content.map((byte) => {
    const data = Uint8Array.of(byte);
    const name = nameOf(data, digestOf);
    shelve(shelving, name, data);
    return name;
  });

function record(writer: Writer, slot: number, names: readonly string[], fetched = -1): Kept {
  const newest = kept(manifestOf(slot, names.length, names), slot, 'taken', digestOf);
  const stays = (each: Kept): boolean => each.record.slot === fetched;
  writer.kept = register(writer.shelving, writer.kept, newest, writer.most, stays);
  return newest;
}

/** The disk after what the writer wrote since the last time, as a host makes it. */
function flushed(disk: Disk, { shelving }: Writer): Disk {
  const next: Record<string, unknown> = { ...disk };
  for (const write of shelving.writes.splice(0)) {
    if (write.type === 'save') {
      Object.assign(next, write.registers);
      continue;
    }
    const table = new Map(next[write.table] as Map<number, unknown>);
    if (write.type === 'put') table.set(write.index, write.row);
    else
      for (const index of [...table.keys()])
        if ('from' in write.rows ? index >= write.rows.from : index < write.rows.below)
          table.delete(index);
    next[write.table] = table;
  }
  // Only fields of a disk were copied and replaced.
  return next as unknown as Disk;
}

const snapshots = fc.array(
  fc.record({
    content: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 }),
    /** Whether the replica crashes once the chunks are written, and before the record is. */
    crashes: fc.boolean(),
    restarts: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

/** What an order of names has no part in. */
const plain = ({ kept: all, shelf }: OnDisk) => ({
  all,
  places: new Map([...shelf.places].sort(([one], [other]) => (one < other ? -1 : 1))),
  used: new Set([...shelf.used].sort((one, other) => one - other)),
  end: shelf.end,
});

describe('snapshots on the disk', () => {
  test('are all there after a crash at any point, in rows that do not grow without bound', () => {
    fc.assert(
      fc.property(snapshots, fc.integer({ min: 1, max: 5 }), fc.nat(30), (each, most, stays) => {
        let disk = empty;
        let writer = writerOn(disk, most);
        let wanted: Kept[] = [];
        let peak = 0;
        each.forEach(({ content, crashes, restarts }, slot) => {
          const names = chunks(writer, content);
          disk = flushed(disk, writer);
          // Before the record is written, the chunks are nothing but free rows.
          expect(finished(fromDisk(disk, digestOf)).kept).toEqual(wanted);
          const held = new Set([...wanted.flatMap(({ manifest }) => manifest.chunks), ...names]);
          peak = Math.max(peak, held.size);
          if (crashes) {
            writer = writerOn(disk, most);
            return;
          }
          // Somebody fetches one of them, for ever.
          wanted = [record(writer, slot * 3, names, stays * 3), ...wanted].filter(
            ({ record }, i) => i < most || record.slot === stays * 3,
          );
          disk = flushed(disk, writer);
          const read = finished(fromDisk(disk, digestOf));
          expect(read.kept).toEqual(wanted);
          // Going on after a restart is going on without one.
          const { shelf } = writer.shelving;
          expect(plain(read)).toEqual(plain({ kept: writer.kept, shelf }));
          if (restarts) writer = writerOn(disk, most);
          expect(disk.serviceChunks.size).toBeLessThanOrEqual(peak);
          expect(disk.serviceOlder.size).toBe(wanted.length - 1);
        });
      }),
      { numRuns: runs(300) },
    );
  });

  test('of which one is kept cost a write for each new chunk and one for the record', () => {
    const writer = writerOn(empty, 1);
    const take = (slot: number, content: readonly number[]) => {
      record(writer, slot, chunks(writer, content));
      return writer.shelving.writes.splice(0);
    };
    take(0, [1, 2, 3]);
    expect(take(1, [1, 9, 3])).toMatchObject([
      { type: 'put', table: 'serviceChunks', index: 3 },
      { type: 'save' },
    ]);
    // The row of what is not referred to any more is written again, and free ones at the end go.
    expect(take(2, [1, 8])).toMatchObject([
      { type: 'put', table: 'serviceChunks', index: 1 },
      { type: 'save' },
      { type: 'drop', table: 'serviceChunks', rows: { from: 2 } },
    ]);
  });

  test('that are damaged stop a replica only if it would start from them', () => {
    const writer = writerOn(empty, 2);
    record(writer, 0, chunks(writer, [1, 3]));
    record(writer, 1, chunks(writer, [1, 2]));
    const disk = flushed(empty, writer);
    const without = (byte: number): Disk => ({
      ...disk,
      serviceChunks: new Map([...disk.serviceChunks].filter(([, row]) => row[0] !== byte)),
    });
    expect(finished(fromDisk(without(3), digestOf)).kept.map((each) => each.record.slot)).toEqual([
      1,
    ]);
    expect(() => finished(fromDisk(without(2), digestOf))).toThrow(
      /restore the disk from a backup/,
    );
    expect(() => finished(fromDisk(without(1), digestOf))).toThrow(
      /restore the disk from a backup/,
    );
  });
});
