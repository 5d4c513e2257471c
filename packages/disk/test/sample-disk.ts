/** A small state on a disk, for tests of what commits write. */
import { bytes, integer, type Shape, type StoredFields, type Write } from '@quorumlab/core';
import { type Disk, openDisk } from '../src/disk.ts';
import type { DiskOptions } from '../src/disk-options.ts';
import { openLog } from '../src/log.ts';
import { type FaultyFiles, faultyFiles } from '../src/testing.ts';
import type { LogOptions, RecordLog } from '../src/types.ts';
import { opened } from './opened.ts';
import { folder } from './twin.ts';

/** Nine registers, one more than a byte has bits, and two tables. */
export interface Sample extends Shape {
  readonly Stable: Readonly<Record<`r${number}`, number>> & {
    readonly rows: ReadonlyMap<number, Uint8Array>;
    readonly votes: ReadonlyMap<number, number>;
  };
}
/** Their names. */
export const registers = Array.from({ length: 9 }, (_, i) => `r${i}` as const);
/** How they are stored, and what they are at first. */
export const fields: { readonly stored: StoredFields<Sample>; readonly initial: Sample['Stable'] } =
  {
    stored: {
      ...Object.fromEntries(registers.map((name) => [name, integer()])),
      rows: bytes(4 << 20),
      votes: integer(),
    } as StoredFields<Sample>,
    initial: {
      ...Object.fromEntries(registers.map((name) => [name, 0])),
      rows: new Map(),
      votes: new Map(),
    },
  };

/** A disk over files that may fail, and the log below it. */
export interface Over {
  readonly disk: Disk<Sample>;
  readonly log: RecordLog;
  /** How often the log was rewritten since it was opened. */
  rewrites(): number;
}

/** Opens such a disk. */
export async function over(
  files: FaultyFiles,
  options: Partial<DiskOptions<Sample>> = {},
  logOptions: Partial<LogOptions> = {},
): Promise<Over> {
  const found: RecordLog[] = [];
  const disk = await openDisk<Sample>({
    ...fields,
    open: async (replay) => {
      const sizes = { preallocateBytes: 0, segmentBytes: 1 << 30 };
      const log = await openLog(folder, { owner: 'twin', files, replay, ...sizes, ...logOptions });
      found.push(log);
      return log;
    },
    ...options,
  });
  const from = files.journal.length;
  const rewrites = (): number =>
    files.journal.slice(from).filter(({ kind }) => kind === 'rename').length;
  return { disk, log: found[0]!, rewrites };
}

/** A row of `size` bytes. */
export const put = (index: number, size: number, mark = index): Write<Sample> => ({
  ...{ type: 'put', table: 'rows', index },
  row: new Uint8Array(size).fill(mark),
});
/** A row that is a number. */
export const vote = (index: number, row = index): Write<Sample> => ({
  ...{ type: 'put', table: 'votes', index, row },
});
/** Registers together. */
export const save = (values: Readonly<Record<`r${number}`, number>>): Write<Sample> => ({
  ...{ type: 'save', registers: values as Partial<Sample['Stable']> },
});

/** The batches of the log on `files`, as they stand there. */
export const batchesOn = async (files: FaultyFiles): Promise<readonly Uint8Array[]> =>
  (await opened(faultyFiles(files.image()))).batches;
