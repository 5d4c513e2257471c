import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCells } from './cells.ts';
import { crashImages } from './crash-images.ts';
import { openDisk } from './disk.ts';
import type { TestMedium } from './disk-suite.ts';
import { nodeFiles } from './files.ts';
import { openLog } from './log.ts';
import { type FaultyFiles, faultyFiles } from './memory-files.ts';
import type { OpenLog } from './types.ts';

/** See {@link memoryMedium}. */
export interface MemoryMediumOptions {
  /**
   * The back end over plain files; `openLog` unless told. A flawed one shows what a suite catches.
   */
  readonly open?: OpenLog;
  /** Flushes that only pretend. */
  readonly lyingSync?: boolean;
  /** Images per point of crash; 4 unless told. */
  readonly images?: number;
}

const owner = 'suite';
/** Small, so that compactions happen while a suite runs. */
const compactAboveBytes = 6_000;

/** A medium in memory that can lose power after any change of a file. */
export function memoryMedium(options: MemoryMediumOptions = {}): TestMedium {
  return over(faultyFiles(new Map(), { lyingSync: options.lyingSync === true }), options);
}

function over(files: FaultyFiles, options: MemoryMediumOptions): TestMedium {
  const open = options.open ?? openLog;
  const most = options.images ?? 4;
  return {
    open: (fields) =>
      openDisk({
        ...fields,
        compactAboveBytes,
        open: (replay) =>
          open('/disk', { owner, files, replay, segmentBytes: 2048, preallocateBytes: 128 }),
        cells: () => openCells('/disk', files),
      }),
    power: {
      changes: () => files.journal.length,
      *after(count) {
        const images = [...crashImages(files, count)];
        const step = Math.max(1, Math.ceil(images.length / most));
        // Another offset at each point, so that over a run every sort of loss is met.
        for (let i = count % step; i < images.length; i += step)
          yield over(faultyFiles(images[i]?.image), { ...options, lyingSync: false });
      },
    },
  };
}

/** A folder of the real disk under the system's temporary folder. */
export async function folderMedium(open: OpenLog): Promise<TestMedium> {
  const root = await mkdtemp(join(tmpdir(), 'quorumlab-disk-'));
  return {
    open: (fields) =>
      openDisk({
        ...fields,
        compactAboveBytes,
        open: (replay) => open(join(root, 'disk'), { owner, replay }),
        cells: () => openCells(join(root, 'disk'), nodeFiles),
      }),
    free: () => rm(root, { recursive: true, force: true }),
  };
}
