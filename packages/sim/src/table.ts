/**
 * A table on a simulated disk. Logs are written at one end and cut at both, so their rows lie in
 * an array; a table whose indexes lie far apart becomes a map, and stays one.
 */

/** Rows by index. Its fields are for this file. */
export interface Table {
  /** Rows from `base` on, from place `head` of the array; `undefined` where there is none. */
  dense: unknown[];
  base: number;
  head: number;
  sparse: Map<number, unknown> | undefined;
  /** Of the map: no index lies outside of these. */
  low: number;
  high: number;
}

/** Empty places that a table may have in a row before it becomes a map. */
const gap = 64;

/** A table with `rows`. */
export function makeTable(rows: ReadonlyMap<number, unknown>): Table {
  const table: Table = { dense: [], base: 0, head: 0, sparse: undefined, low: 0, high: -1 };
  for (const [index, row] of rows) putRow(table, index, row);
  return table;
}

/** Sets a row, in constant time. */
export function putRow(table: Table, index: number, row: unknown): void {
  if (table.sparse !== undefined) return putSparse(table, table.sparse, index, row);
  const { dense } = table;
  if (dense.length === table.head) {
    dense.length = 0;
    table.head = 0;
    table.base = index;
  }
  const place = index - table.base + table.head;
  if (place < table.head || place > dense.length + gap) {
    const sparse = new Map<number, unknown>();
    table.low = Number.MAX_SAFE_INTEGER;
    table.high = -1;
    for (const [each, old] of rowsOf(table)) putSparse(table, sparse, each, old);
    putSparse(table, sparse, index, row);
    table.sparse = sparse;
    table.dense = [];
    return;
  }
  while (dense.length < place) dense.push(undefined);
  dense[place] = row;
}

function putSparse(table: Table, sparse: Map<number, unknown>, index: number, row: unknown): void {
  if (index < table.low) table.low = index;
  if (index > table.high) table.high = index;
  sparse.set(index, row);
}

/** Deletes rows below an index, in time that is paid for by having put them. */
export function dropBelow(table: Table, below: number): void {
  const { dense, sparse } = table;
  if (sparse === undefined) {
    const places = Math.min(below - table.base, dense.length - table.head);
    if (places <= 0) return;
    dense.fill(undefined, table.head, table.head + places);
    table.head += places;
    table.base += places;
    if (table.head * 2 > dense.length) {
      table.dense = dense.slice(table.head);
      table.head = 0;
    }
    return;
  }
  if (below <= table.low) return;
  const end = Math.min(below, table.high + 1);
  if (end - table.low <= sparse.size) {
    for (let index = table.low; index < end; index++) sparse.delete(index);
  } else {
    for (const index of sparse.keys()) if (index < below) sparse.delete(index);
  }
  table.low = below;
}

/** Deletes rows from an index up, in time that is paid for by having put them. */
export function dropFrom(table: Table, from: number): void {
  const { dense, sparse } = table;
  if (sparse === undefined) {
    const place = Math.max(0, from - table.base) + table.head;
    if (place < dense.length) dense.length = place;
    return;
  }
  if (from > table.high) return;
  const start = Math.max(from, table.low);
  if (table.high - start < sparse.size) {
    for (let index = table.high; index >= start; index--) sparse.delete(index);
  } else {
    for (const index of sparse.keys()) if (index >= from) sparse.delete(index);
  }
  table.high = from - 1;
}

/** The rows as a map of their own. */
export function rowsOf(table: Table): Map<number, unknown> {
  if (table.sparse !== undefined) return new Map(table.sparse);
  const rows = new Map<number, unknown>();
  const { dense, head, base } = table;
  for (let place = head; place < dense.length; place++)
    if (dense[place] !== undefined) rows.set(place - head + base, dense[place]);
  return rows;
}
