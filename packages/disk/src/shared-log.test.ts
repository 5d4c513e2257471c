/** One log for many groups: what they share, and what each keeps to itself. */
import { integer, type Shape } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { openCells } from './cells.ts';
import { crashImages } from './crash-images.ts';
import { type Disk, openDisk } from './disk.ts';
import { type TestMedium, testDisk } from './disk-suite.ts';
import { openLog } from './log.ts';
import { openSharedLog, type SharedLog, type SharedLogOptions } from './shared-log.ts';
import { type FaultyFiles, faultyFiles } from './testing.ts';

const folder = '/log';

interface Sample extends Shape {
  readonly Stable: { readonly term: number; readonly rows: ReadonlyMap<number, number> };
}
type SampleDisk = Disk<Sample>;

const shared = (files: FaultyFiles, options: Partial<SharedLogOptions> = {}): Promise<SharedLog> =>
  openSharedLog({
    folder,
    open: (replay) =>
      openLog(folder, { owner: 'process', files, replay, segmentBytes: 4096, preallocateBytes: 0 }),
    ...options,
  });

const group = (log: SharedLog, name: string, more = {}): Promise<SampleDisk> =>
  openDisk<Sample>({
    open: (replay, live) => log.open(name, { owner: 'raft', replay, live, ...more }),
    stored: { term: integer(), rows: integer() },
    initial: { term: 0, rows: new Map() },
  });

const save = (disk: SampleDisk, term: number): Promise<void> =>
  disk.commit([{ type: 'save', registers: { term } }]);
const put = (disk: SampleDisk, index: number, row: number): Promise<void> =>
  disk.commit([{ type: 'put', table: 'rows', index, row }]);

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `g${i}`);
const flushes = ({ journal }: FaultyFiles): number =>
  journal.filter(({ kind, path }) => kind === 'datasync' && path.endsWith('.log')).length;

/** A disk in a log where another group writes with every commit. */
function sharedMedium(files: FaultyFiles): TestMedium {
  return {
    async open(fields) {
      const log = await shared(files, { compactAboveBytes: 6_000 });
      const other = await group(log, 'other');
      let commits = 0;
      const disk = await openDisk({
        ...fields,
        open: (replay, live) => log.open('suite', { owner: 'suite', replay, live }),
        cells: () => openCells(folder, files),
      }).catch(async (error: unknown) => {
        await log.close();
        throw error;
      });
      return {
        ...disk,
        async commit(writes) {
          const both = [put(other, commits % 5, commits++), disk.commit(writes)] as const;
          await both[0].catch(() => undefined);
          await both[1];
        },
        async close() {
          try {
            await disk.close();
          } finally {
            await log.close();
          }
        },
      };
    },
    power: {
      changes: () => files.journal.length,
      *after(count) {
        const images = [...crashImages(files, count)];
        const step = Math.max(1, images.length);
        for (let i = count % step; i < images.length; i += step)
          yield sharedMedium(faultyFiles(images[i]?.image));
      },
    },
  };
}

describe('a group of a shared log is a disk', () => {
  for (const { name, run } of testDisk(() => sharedMedium(faultyFiles()))) test(name, run);
});

test('one flush makes durable what many groups have committed', async () => {
  const files = faultyFiles();
  const log = await shared(files);
  const disks = await Promise.all(names(50).map((name) => group(log, name)));
  const before = flushes(files);
  await Promise.all(disks.map((disk, i) => save(disk, i)));
  expect(flushes(files) - before).toBeLessThanOrEqual(2);
  await log.close();
});

test('each group finds its own after a restart, and one that nobody opens keeps it', async () => {
  let files = faultyFiles();
  for (let life = 0; life < 3; life++) {
    const log = await shared(files, { compactAboveBytes: 3_000 });
    // The last one is opened in the first life only.
    const opened = names(life === 0 ? 20 : 19);
    const disks = await Promise.all(opened.map((name) => group(log, name)));
    for (const [i, disk] of disks.entries())
      expect(disk.stable?.term, `${i}`).toBe(life === 0 ? undefined : 100 * i + life - 1);
    await Promise.all(disks.map((disk, i) => save(disk, 100 * i + life)));
    // Enough to have the log rewritten.
    for (let i = 0; i < 400; i++) await put(disks[0]!, i % 3, i);
    // As a kill leaves it.
    files = faultyFiles(files.image());
  }
  const log = await shared(files);
  const [first, last] = [await group(log, 'g0'), await group(log, 'g19')];
  expect([...(first.stable?.rows ?? [])]).toEqual([399, 397, 398].map((row) => [row % 3, row]));
  expect(last.stable?.term).toBe(1900);
});

test('a group that says nothing does not keep the log from being forgotten', async () => {
  const files = faultyFiles();
  const log = await shared(files, { compactAboveBytes: 10_000 });
  const [silent, busy] = [await group(log, 'silent'), await group(log, 'busy')];
  await save(silent, 7);
  let most = 0;
  for (let i = 0; i < 3_000; i++) {
    await put(busy, i % 10, i);
    most = Math.max(most, log.bytes);
  }
  // Some 48 bytes a commit: 144,000 in all.
  expect(most).toBeLessThan(15_000);
  await log.close();
  const again = await shared(faultyFiles(files.image()));
  expect((await group(again, 'silent')).stable?.term).toBe(7);
  expect((await group(again, 'busy')).stable?.rows.size).toBe(10);
});

test('a flush that fails ends the log for every group', async () => {
  const files = faultyFiles();
  const log = await shared(files);
  const [one, other] = [await group(log, 'one'), await group(log, 'other')];
  await save(one, 1);
  let left = 1;
  files.failWhen(({ kind }) => (kind === 'datasync' && left-- > 0 ? 'EIO' : undefined));
  await expect(save(one, 2)).rejects.toThrow(/DiskFailed|this node stops|disk/i);
  expect(log.failure?.name).toBe('DiskFailedError');
  await expect(save(other, 1)).rejects.toBe(log.failure);
});

test('more than may wait for the disk waits its turn, and nothing is refused', async () => {
  const files = faultyFiles();
  const log = await shared(files, { maxPendingBytes: 100 });
  const disks = await Promise.all(names(30).map((name) => group(log, name)));
  await Promise.all(disks.flatMap((disk, i) => [save(disk, i), put(disk, 0, i), save(disk, i)]));
  const again = await shared(faultyFiles(files.image()));
  for (const [i, name] of names(30).entries())
    expect((await group(again, name)).stable?.term).toBe(i);
});

test('a group is open once, is whose it was, and may be asked to be there', async () => {
  const files = faultyFiles();
  const log = await shared(files);
  const disk = await group(log, 'one');
  await save(disk, 5);
  await expect(group(log, 'one')).rejects.toThrow('The group one is open in this process already');
  await expect(group(log, 'none', { mustExist: true })).rejects.toMatchObject({
    name: 'MissingLogError',
  });
  await disk.close();
  await expect(group(log, 'one', { owner: 'zab' })).rejects.toMatchObject({
    name: 'WrongOwnerError',
  });
  // Opened again in the same process, it has what it had.
  const again = await group(log, 'one');
  expect(again.stable?.term).toBe(5);
  await save(again, 6);
  await again.close();
  await log.close();
  const later = await shared(faultyFiles(files.image()));
  expect((await group(later, 'one')).stable?.term).toBe(6);
});
