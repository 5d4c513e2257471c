/** Tables whose rows are in cells: what the log and the mirror hold of a row is where it is. */
import {
  buffers,
  commitBytes,
  decode,
  type Field,
  type Shape,
  type StoredFields,
  view,
  type Write,
  type Writer,
  whileEncoded,
} from '@quorumlab/core';
import { type Cell, cellField, type Placed } from './cells.ts';
import type { DiskOptions } from './disk-options.ts';
import type { Fields } from './stored.ts';

type Table = ReadonlyMap<number, Cell>;

/** What a disk does for these tables. */
export interface RowsBeside {
  /** The writes as they stand in the log, and the rows to be written before. */
  place<S extends Shape>(
    writes: readonly Write<S>[],
  ): { readonly writes: readonly Write<S>[]; readonly cells: readonly Placed[] };
  write(cells: readonly Placed[]): Promise<void>;
  /** The cells that `state` will no longer refer to after `write`. */
  leaving<S extends Shape>(state: Fields, write: Write<S>): readonly Cell[];
  free(cells: readonly Cell[]): void;
  /** `state` with tables whose rows are read when they are asked for. */
  open(state: Fields): Fields;
  read(state: Fields, table: string, index: number): unknown;
  close(): Promise<void>;
}

/** The tables of large rows, by name. */
export const largeTables = <S extends Shape>({
  stored,
  initial,
}: Pick<DiskOptions<S>, 'stored' | 'initial'>): readonly string[] =>
  Object.entries(stored as Readonly<Record<string, Field<unknown>>>)
    .filter(([name, { isLarge }]) => isLarge && (initial as Fields)[name] instanceof Map)
    .map(([name]) => name);

/** The fields as they stand in the log. */
export const withCells = <S extends Shape>(
  stored: StoredFields<S>,
  beside: readonly string[],
): StoredFields<S> =>
  // The same names; of these tables the log holds cells.
  ({
    ...stored,
    ...Object.fromEntries(beside.map((name) => [name, cellField])),
  }) as StoredFields<S>;

/** Opens the cells of what was read from the log. */
export async function rowsBeside<S extends Shape>(
  beside: readonly string[],
  state: Fields,
  { stored, cells: open }: Pick<DiskOptions<S>, 'stored' | 'cells'>,
): Promise<RowsBeside> {
  const cells = await open?.();
  if (cells === undefined) return none;
  // As the log was read, these tables hold cells.
  const tableOf = (of: Fields, name: string): Table => of[name] as Table;
  for (const name of beside) for (const each of tableOf(state, name).values()) cells.keep(each);
  await cells.trim().catch(async (error: unknown) => {
    await cells.close();
    throw error;
  });
  const spare = buffers(commitBytes);
  const copied = (to: Writer): Uint8Array<ArrayBuffer> => {
    const row = spare.take(to.length);
    row.set(view(to));
    return row;
  };
  const fields = stored as Readonly<Record<string, Field<unknown>>>;
  const isBeside = new Set(beside);
  const rowIn = (name: string, cell: Cell | undefined): unknown =>
    cell && cells.read(cell, (row) => decode(fields[name] as Field<unknown>, row));
  return {
    place(writes) {
      const placed: Placed[] = [];
      const inLog = writes.map((write) => {
        if (write.type !== 'put' || !isBeside.has(String(write.table))) return write;
        const row = whileEncoded(fields[String(write.table)] as Field<unknown>, write.row, copied);
        const cell = cells.choose(row);
        placed.push({ cell, row });
        return { ...write, row: cell };
      });
      return { writes: placed.length === 0 ? writes : inLog, cells: placed };
    },
    async write(placed) {
      if (placed.length === 0) return;
      await cells.write(placed);
      for (const { row } of placed) spare.give(row);
    },
    leaving(of, write) {
      if (write.type === 'save' || !isBeside.has(String(write.table))) return [];
      const table = tableOf(of, String(write.table));
      if (write.type === 'put')
        return [table.get(write.index)].filter((each) => each !== undefined);
      const { rows } = write;
      return [...table].flatMap(([index, cell]) =>
        ('from' in rows ? index >= rows.from : index < rows.below) ? [cell] : [],
      );
    },
    free: (all) => all.forEach(cells.free),
    open: (of) => ({
      ...of,
      ...Object.fromEntries(
        beside.map((name) => [name, lazily(tableOf(of, name), (cell) => rowIn(name, cell))]),
      ),
    }),
    read: (of, name, index) =>
      isBeside.has(name) ? rowIn(name, tableOf(of, name).get(index)) : undefined,
    close: () => cells.close(),
  };
}

/** For a disk that keeps all rows in its log. */
const none: RowsBeside = {
  place: (writes) => ({ writes, cells: [] }),
  write: () => Promise.resolve(),
  leaving: () => [],
  free: () => undefined,
  open: (state) => state,
  read: () => undefined,
  close: () => Promise.resolve(),
};

/** A table whose rows are read when they are asked for. A row that is damaged is not there. */
function lazily(
  cells: ReadonlyMap<number, Cell>,
  read: (cell: Cell) => unknown,
): ReadonlyMap<number, unknown> {
  function* entries(): MapIterator<[number, unknown]> {
    for (const [index, cell] of cells) {
      const row = read(cell);
      if (row !== undefined) yield [index, row];
    }
    return undefined;
  }
  function* values(): MapIterator<unknown> {
    for (const [, row] of entries()) yield row;
    return undefined;
  }
  const get = (index: number): unknown => {
    const cell = cells.get(index);
    return cell === undefined ? undefined : read(cell);
  };
  const table: ReadonlyMap<number, unknown> = {
    get,
    has: (index) => get(index) !== undefined,
    size: cells.size,
    keys: () => cells.keys(),
    values,
    entries,
    [Symbol.iterator]: entries,
    forEach(each) {
      for (const [index, row] of entries()) each(row, index, table);
    },
  };
  return table;
}
