import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../test/world.ts';
import { arrange, fromDisk, type OnDisk } from './disk-layout.ts';
import { type Kept, kept, manifestOf, nameOf } from './snapshots.ts';
import type { ServiceStable } from './types.ts';

type Disk = Pick<ServiceStable, 'serviceSnapshot' | 'serviceOlder' | 'serviceChunks'>;
const empty: Disk = { serviceSnapshot: null, serviceOlder: new Map(), serviceChunks: new Map() };

/** A snapshot whose chunks are one byte each: equal bytes are equal chunks. */
function snapshot(slot: number, content: readonly number[]): Kept {
  const chunks = content.map((byte) => Uint8Array.of(byte));
  const names = chunks.map((each) => nameOf(each, digestOf));
  return kept(manifestOf(slot, chunks.length, names), chunks, slot, 'taken', digestOf);
}

type Writes = ReturnType<typeof arrange>['writes'];

/** The disk after `writes`, as a host makes them. */
function written(disk: Disk, writes: Writes): Disk {
  const next: Record<string, unknown> = { ...disk };
  for (const write of writes) {
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

const contents = fc.array(
  fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 }),
  { minLength: 1, maxLength: 30 },
);

describe('snapshots on the disk', () => {
  test('are all there after a restart, in rows that do not grow without bound', () => {
    fc.assert(
      fc.property(contents, fc.integer({ min: 1, max: 5 }), (each, most) => {
        let disk = empty;
        let onDisk: OnDisk = fromDisk(disk, digestOf);
        let wanted: Kept[] = [];
        let peak = 0;
        each.forEach((content, slot) => {
          wanted = [snapshot(slot * 3, content), ...wanted].slice(0, most);
          const step = arrange(onDisk, wanted);
          disk = written(disk, step.writes);
          const read = fromDisk(disk, digestOf);
          expect(read.snapshots.map((placed) => placed.kept)).toEqual(wanted);
          // Going on after a restart is going on without one.
          expect(read).toEqual(step.onDisk);
          onDisk = slot % 2 === 0 ? read : step.onDisk;
          const names = wanted.flatMap(({ manifest }) => manifest.chunks);
          peak = Math.max(peak, new Set(names).size);
          expect(disk.serviceChunks.size).toBeLessThanOrEqual(peak);
          expect(disk.serviceOlder.size).toBe(wanted.length - 1);
        });
      }),
      { numRuns: 300 },
    );
  });

  test('of which one is kept cost a write for each new chunk and one for the record', () => {
    const first = arrange(fromDisk(empty, digestOf), [snapshot(0, [1, 2, 3])]).onDisk;
    const changed = arrange(first, [snapshot(1, [1, 9, 3])]);
    expect(changed.writes).toMatchObject([
      { type: 'put', table: 'serviceChunks', index: 1 },
      { type: 'save' },
    ]);
    const shorter = arrange(changed.onDisk, [snapshot(2, [1])]);
    expect(shorter.writes).toMatchObject([
      { type: 'drop', table: 'serviceChunks', rows: { from: 1 } },
      { type: 'save' },
    ]);
  });

  test('that are damaged stop a replica only if it would start from them', () => {
    const { writes } = arrange(fromDisk(empty, digestOf), [
      snapshot(1, [1, 2]),
      snapshot(0, [1, 3]),
    ]);
    const disk = written(empty, writes);
    const without = (byte: number): Disk => ({
      ...disk,
      serviceChunks: new Map([...disk.serviceChunks].filter(([, row]) => row[0] !== byte)),
    });
    expect(fromDisk(without(3), digestOf).snapshots.map(({ kept }) => kept.record.slot)).toEqual([
      1,
    ]);
    expect(() => fromDisk(without(2), digestOf)).toThrow(/restore the disk from a backup/);
    expect(() => fromDisk(without(1), digestOf)).toThrow(/restore the disk from a backup/);
  });
});
