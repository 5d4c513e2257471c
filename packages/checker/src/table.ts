import type { PrincipalId } from '@quorumlab/core';

/** Values per client and sequence. */
export interface Table<T> {
  get(client: PrincipalId, sequence: number): T | undefined;
  set(client: PrincipalId, sequence: number, value: T): void;
  each(visit: (client: PrincipalId, sequence: number, value: T) => void): void;
}

/** Sequences of one client: nearly dense from the first one on, so most lie in an array. */
interface Rows<T> {
  readonly base: number;
  readonly dense: (T | undefined)[];
  readonly sparse: Map<number, T>;
}

/** An array may have this many holes in a row. */
const gap = 1024;

/** An empty table. */
export function table<T>(): Table<T> {
  const clients = new Map<PrincipalId, Rows<T>>();
  return {
    get(client, sequence) {
      const rows = clients.get(client);
      return rows && (rows.dense[sequence - rows.base] ?? rows.sparse.get(sequence));
    },
    set(client, sequence, value) {
      let rows = clients.get(client);
      if (rows === undefined) {
        rows = { base: sequence, dense: [], sparse: new Map() };
        clients.set(client, rows);
      }
      const place = sequence - rows.base;
      if (place >= 0 && place <= rows.dense.length + gap) rows.dense[place] = value;
      else rows.sparse.set(sequence, value);
    },
    each(visit) {
      for (const [client, { base, dense, sparse }] of clients) {
        for (let place = 0; place < dense.length; place++) {
          const value = dense[place];
          if (value !== undefined) visit(client, base + place, value);
        }
        for (const [sequence, value] of sparse) visit(client, sequence, value);
      }
    },
  };
}
