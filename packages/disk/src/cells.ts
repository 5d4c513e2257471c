/**
 * Large rows, beside the log: each in a cell of a file whose cells are all of one size. The log has
 * only where a row is, so it stays small whatever the rows hold, and to compact it moves no row. A
 * cell is written and flushed before the batch that refers to it is appended, and written again
 * only once a batch that no longer refers to it is durable: so what any crash leaves of the log
 * refers to cells that hold what was written.
 */
import { join } from 'node:path';
import { buffers, type Field, integer, record } from '@quorumlab/core';
import { crc32c } from './crc32c.ts';
import { UnsafePathError } from './errors.ts';
import type { Files, OpenFile } from './files.ts';

/** Where a row is. */
export interface Cell {
  /** Bytes of each cell in its file. */
  readonly size: number;
  /** Which cell of the file it is. */
  readonly index: number;
  readonly length: number;
  /** CRC-32C of the row. */
  readonly check: number;
}

/** How a cell stands in the log. */
export const cellField: Field<Cell> = record({
  size: integer(),
  index: integer(),
  length: integer(),
  check: integer(2 ** 32 - 1),
});

/** The cells beside one log. */
export interface Cells {
  /** Says at opening that a row is here. What is not said is free. */
  keep(cell: Cell): void;
  /** Gives back the room behind the last cell of each file that is in use. */
  trim(): Promise<void>;
  /** Chooses a free cell. It is not chosen again before it is let go. */
  choose(row: Uint8Array): Cell;
  /** Resolves when the rows would survive losing power. */
  write(rows: readonly Placed[]): Promise<void>;
  /**
   * What `use` makes of the row, whose bytes it may not keep; nothing if the row is damaged or not
   * written yet.
   */
  read<T>(cell: Cell, use: (row: Uint8Array) => T): T | undefined;
  /** Nothing that is durable, or will be, refers to this cell any more. */
  free(cell: Cell): void;
  close(): Promise<void>;
}

/** A row and the cell that was chosen for it. */
export interface Placed {
  readonly cell: Cell;
  readonly row: Uint8Array<ArrayBuffer>;
}

const namePattern = /^cells-(\d{4,12})\.bin$/;
const nameOf = (size: number): string => `cells-${size}.bin`;
/** The room that every cell has above a power of two: a chunk has its length before it. */
const page = 4096;

function sizeFor(length: number): number {
  let size = page;
  while (size + page < length) size *= 2;
  return size + page;
}

/** Which cells of one file are in use. */
interface Use {
  readonly cells: Set<number>;
  /** No cell below is free. */
  low: number;
}

/** One row at a time is read: this holds those of all usual sizes. */
const spareBytes = 1 << 20;

/** Opens the cells in `folder`, which the log in there has locked. */
export async function openCells(folder: string, files: Files): Promise<Cells> {
  const uses = new Map<number, Use>();
  const opened = new Map<number, OpenFile>();
  const opening = new Map<number, Promise<OpenFile>>();
  const spare = buffers(spareBytes);

  async function openAll(): Promise<void> {
    for (const name of await files.list(folder)) {
      const size = namePattern.exec(name)?.[1];
      if (size === undefined) continue;
      const path = join(folder, name);
      if ((await files.kind(path)) !== 'file')
        throw new UnsafePathError(path, 'a file of cells must be a regular file');
      opened.set(Number(size), await files.open(path, 'update'));
    }
  }

  async function close(): Promise<void> {
    for (const file of opened.values()) await file.close();
  }

  const useOf = (size: number): Use => {
    const use = uses.get(size) ?? { cells: new Set(), low: 0 };
    uses.set(size, use);
    return use;
  };

  async function create(size: number): Promise<OpenFile> {
    const file = await files.open(join(folder, nameOf(size)), 'create');
    await files.syncFolder(folder);
    opened.set(size, file);
    return file;
  }

  /** The file of these cells, made once. */
  function fileOf(size: number): OpenFile | Promise<OpenFile> {
    const file = opened.get(size) ?? opening.get(size);
    if (file !== undefined) return file;
    const made = create(size);
    opening.set(size, made);
    return made;
  }

  await openAll().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    keep: ({ size, index }) => void useOf(size).cells.add(index),
    async trim() {
      for (const [size, file] of opened) {
        const end = lastOf(useOf(size).cells) + 1;
        if ((await file.size()) > end * size) await file.truncate(end * size);
      }
    },
    choose(row) {
      const size = sizeFor(row.length);
      const use = useOf(size);
      while (use.cells.has(use.low)) use.low++;
      const index = use.low++;
      use.cells.add(index);
      return { size, index, length: row.length, check: crc32c(row) };
    },
    async write(rows) {
      const touched = new Set<OpenFile>();
      for (const { cell, row } of rows) {
        const file = await fileOf(cell.size);
        await file.write(row, cell.index * cell.size);
        touched.add(file);
      }
      await Promise.all([...touched].map((file) => file.datasync()));
    },
    read({ size, index, length, check }, use) {
      const row = spare.take(length);
      const read = opened.get(size)?.readNow(row, index * size) ?? 0;
      const found = read === length && crc32c(row) === check ? use(row) : undefined;
      spare.give(row);
      return found;
    },
    free({ size, index }) {
      const use = useOf(size);
      use.cells.delete(index);
      use.low = Math.min(use.low, index);
    },
    close,
  };
}

/** The largest of them; -1: there is none. */
function lastOf(cells: ReadonlySet<number>): number {
  let last = -1;
  for (const index of cells) last = Math.max(last, index);
  return last;
}
