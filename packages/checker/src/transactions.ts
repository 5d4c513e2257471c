import type { Instant } from '@quorumlab/core';
import { HistoryError } from './history.ts';

/** What is appended to a list: no two appends to one key may have the same one. */
export type Element = string | number;

/** One operation of a transaction over lists. */
export type ListOperation =
  | { readonly kind: 'append'; readonly key: string; readonly value: Element }
  /** The list as it was read, own appends included; undefined if nobody saw what was read. */
  | { readonly kind: 'read'; readonly key: string; readonly values?: readonly Element[] };

/** A transaction over lists, as whoever ran it saw it. */
export interface ListTransaction {
  /** Who ran it; only sentences use it. */
  readonly process: number;
  readonly invokedAt: Instant;
  /** Undefined if nobody knows when it ended, as of an unknown outcome. */
  readonly returnedAt: Instant | undefined;
  /** 'unknown': it took effect, or will, or never: what it appended tells, if somebody reads it. */
  readonly outcome: 'committed' | 'aborted' | 'unknown';
  /** In the order in which it ran them. */
  readonly operations: readonly ListOperation[];
}

/** Names a transaction in sentences: its place in the history, from 0. */
export const nameOf = (index: number): string => `T${index}`;

/** An element as people write it. */
export const shown = (value: Element): string =>
  typeof value === 'number'
    ? `${value}`
    : `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;

/** Who appended an element, and whether it was its last append to that key. */
export interface Append {
  readonly writer: number;
  readonly isLast: boolean;
}

/** Of a key, by element. */
export type Appends = ReadonlyMap<Element, Append>;

/**
 * Who appended what, by key and element. Throws {@link HistoryError} for a history that no run can
 * have, or that says nothing: an element appended twice, an end before a beginning.
 */
export function appendsOf(history: readonly ListTransaction[]): ReadonlyMap<string, Appends> {
  const found = new Map<string, Map<Element, Append>>();
  history.forEach((transaction, writer) => {
    requireTimes(transaction, writer);
    const last = new Map<string, Element>();
    for (const operation of transaction.operations) {
      if (operation.kind !== 'append') continue;
      const { key, value } = operation;
      let ofKey = found.get(key);
      if (ofKey === undefined) found.set(key, (ofKey = new Map()));
      const other = ofKey.get(value);
      if (other !== undefined)
        throw new HistoryError(
          `${nameOf(writer)} and ${nameOf(other.writer)} append ${shown(value)} to '${key}'; ` +
            'append each element once, or nobody can tell who wrote what is read',
        );
      ofKey.set(value, { writer, isLast: true });
      const before = last.get(key);
      if (before !== undefined) ofKey.set(before, { writer, isLast: false });
      last.set(key, value);
    }
  });
  return found;
}

function requireTimes({ invokedAt, returnedAt, outcome }: ListTransaction, index: number): void {
  if (returnedAt === undefined && outcome !== 'unknown')
    throw new HistoryError(
      `${nameOf(index)} is ${outcome} and has no time of return; give it one, or call it unknown`,
    );
  if (returnedAt !== undefined && !(returnedAt >= invokedAt))
    throw new HistoryError(
      `${nameOf(index)} returned at ${returnedAt} and was invoked at ${invokedAt}; ` +
        'record both on one clock',
    );
}
