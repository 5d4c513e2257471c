/** The bytes of the chunks that a replica has put on its disk. */

/** See the top of this file. */
export interface Rows {
  /** What the row holds, unless the disk has lost it. */
  get(row: number): Uint8Array | undefined;
  put(row: number, data: Uint8Array): void;
  /** No row from `end` up holds anything of use any more. */
  drop(end: number): void;
  /** Whether anything waits to be known as durable. */
  waits(): boolean;
  /** A timer is set in this step: when it fires, what was put until now is durable. */
  mark(): void;
  /** That timer has fired. */
  confirm(): void;
}

/** Rows of a replica whose host gives it no disk to read from: all stay in memory. */
export function memoryRows(from: ReadonlyMap<number, Uint8Array>): Rows {
  const rows = new Map(from);
  return {
    get: (row) => rows.get(row),
    put: (row, data) => void rows.set(row, data),
    drop(end) {
      for (const row of rows.keys()) if (row >= end) rows.delete(row);
    },
    waits: () => false,
    mark() {},
    confirm() {},
  };
}

/**
 * Rows that are read back from the disk. What was put stays in memory until it is known to be
 * there: a timer is set by the host only after what was written in the same step is durable.
 */
export function diskRows(read: (row: number) => Uint8Array | undefined): Rows {
  const marked = new Map<number, Uint8Array>();
  const later = new Map<number, Uint8Array>();
  return {
    get: (row) => later.get(row) ?? marked.get(row) ?? read(row),
    put: (row, data) => void later.set(row, data),
    drop(end) {
      for (const rows of [marked, later])
        for (const row of rows.keys()) if (row >= end) rows.delete(row);
    },
    waits: () => later.size > 0,
    mark() {
      for (const [row, data] of later) marked.set(row, data);
      later.clear();
    },
    confirm: () => marked.clear(),
  };
}
