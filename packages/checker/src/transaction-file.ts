/** Histories of transactions over lists as text: one JSON value a line. */
import type { Instant } from '@quorumlab/core';
import { HistoryError } from './history.ts';
import type { Element, ListOperation, ListTransaction } from './transactions.ts';

/** What the first line of such a file names. */
export const transactionsSchema = 'quorumlab.transactions/1';

/**
 * A history from its text. The first line is `{"schema":"quorumlab.transactions/1"}`, each further
 * one a transaction:
 *
 * `{"process":1,"invokedAt":0,"returnedAt":9,"outcome":"committed","operations":
 * [["append","x",1],["read","x",[1]]]}`
 *
 * Times are integers of one clock, whatever its unit; `returnedAt` is null or absent if nobody
 * knows it; `outcome` is `committed`, `aborted` or `unknown`; a list that nobody saw is null.
 * Throws {@link HistoryError} with the number of the line.
 */
export function parseTransactions(text: string): readonly ListTransaction[] {
  const lines = text.split('\n');
  const found: ListTransaction[] = [];
  let headed = false;
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const value = parsed(line, i + 1);
    if (headed) found.push(transactionOf(value, i + 1));
    else if (value.schema !== transactionsSchema)
      throw wrong(i + 1, `it does not name the schema "${transactionsSchema}"`);
    headed = true;
  }
  if (!headed) throw wrong(1, 'the file is empty');
  return found;
}

/** The text of a history, as {@link parseTransactions} takes it. */
export const formatTransactions = (history: readonly ListTransaction[]): string =>
  [{ schema: transactionsSchema }, ...history.map(written)]
    .map((each) => `${JSON.stringify(each)}\n`)
    .join('');

const written = ({ returnedAt, operations, ...rest }: ListTransaction): object => ({
  ...rest,
  returnedAt: returnedAt ?? null,
  operations: operations.map((each) => [
    each.kind,
    each.key,
    each.kind === 'append' ? each.value : (each.values ?? null),
  ]),
});

const wrong = (line: number, why: string): HistoryError =>
  new HistoryError(`line ${line} of the history is no transaction: ${why}`);

type Json = Readonly<Record<string, unknown>>;

function parsed(line: string, number: number): Json {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw wrong(number, 'it is no JSON; write one value a line');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(number, 'it is no object');
  return value as Json;
}

const outcomes = ['committed', 'aborted', 'unknown'] as const;

function transactionOf(value: Json, line: number): ListTransaction {
  const { invokedAt, returnedAt, outcome, operations } = value;
  const known = outcomes.find((each) => each === outcome);
  if (known === undefined) throw wrong(line, `its outcome is none of ${outcomes.join(', ')}`);
  if (!Array.isArray(operations)) throw wrong(line, 'its operations are no list');
  return {
    process: whole(value.process ?? 0, 'process', line),
    invokedAt: whole(invokedAt, 'invokedAt', line),
    returnedAt: returnedAt == null ? undefined : whole(returnedAt, 'returnedAt', line),
    outcome: known,
    operations: operations.map((each) => operationOf(each, line)),
  };
}

function whole(value: unknown, name: string, line: number): Instant {
  if (!Number.isSafeInteger(value)) throw wrong(line, `its ${name} is no whole number`);
  return value as Instant;
}

const isElement = (value: unknown): value is Element =>
  typeof value === 'string' || Number.isSafeInteger(value);

function operationOf(value: unknown, line: number): ListOperation {
  const [kind, key, what] = Array.isArray(value) ? value : [];
  if (typeof key !== 'string') throw wrong(line, 'an operation has no key, as in ["read","x",[]]');
  if (kind === 'append' && isElement(what)) return { kind, key, value: what };
  if (kind === 'read' && what == null) return { kind, key };
  if (kind === 'read' && Array.isArray(what) && what.every(isElement))
    return { kind, key, values: what };
  throw wrong(
    line,
    'an operation is neither ["append",KEY,ELEMENT] nor ["read",KEY,[ELEMENT,…]]; elements are ' +
      'whole numbers or texts',
  );
}
