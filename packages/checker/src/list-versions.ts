/** What single reads say, before any cycle: version orders, and reads that no order explains. */
import { type Appends, type Element, type ListTransaction, nameOf, shown } from './transactions.ts';

/** A read of a key by a committed transaction. */
export interface ListRead {
  readonly reader: number;
  readonly values: readonly Element[];
}

/** The versions of a key, oldest first: the longest list that a committed transaction read. */
export interface VersionOrder {
  readonly key: string;
  readonly order: readonly Element[];
  readonly reads: readonly ListRead[];
}

/** An anomaly that one transaction shows by itself, or two reads together. */
export type PlainAnomaly =
  | 'internal'
  | 'garbage-read'
  | 'duplicate-elements'
  | 'incompatible-order'
  | 'G1a'
  | 'G1b';

/** Is told of each. */
export type Complain = (name: PlainAnomaly, sentence: string, involved: readonly number[]) => void;

/** Which transactions took effect: those that say so, and those of whose appends one was read. */
export function effective(
  history: readonly ListTransaction[],
  appends: ReadonlyMap<string, Appends>,
): readonly boolean[] {
  const took = history.map(({ outcome }) => outcome === 'committed');
  for (const { outcome, operations } of history) {
    if (outcome !== 'committed') continue;
    for (const operation of operations)
      if (operation.kind === 'read')
        for (const value of operation.values ?? []) {
          const writer = appends.get(operation.key)?.get(value)?.writer;
          if (writer !== undefined && history[writer]?.outcome === 'unknown') took[writer] = true;
        }
  }
  return took;
}

/** The version order of every key that committed transactions read. */
export function versionOrders(
  history: readonly ListTransaction[],
  appends: ReadonlyMap<string, Appends>,
  complain: Complain,
): readonly VersionOrder[] {
  const reads = new Map<string, ListRead[]>();
  history.forEach((transaction, reader) => {
    if (transaction.outcome !== 'committed') return;
    readAlone(transaction, reader, complain);
    for (const operation of transaction.operations) {
      if (operation.kind !== 'read' || operation.values === undefined) continue;
      const { key, values } = operation;
      judgeElements(history, { reader, values }, key, appends.get(key), complain);
      const ofKey = reads.get(key);
      if (ofKey === undefined) reads.set(key, [{ reader, values }]);
      else ofKey.push({ reader, values });
    }
  });
  return [...reads].map(([key, ofKey]) => orderOf(key, ofKey, complain));
}

/** What a transaction reads has to be what it read before, with its own appends behind that. */
function readAlone({ operations }: ListTransaction, reader: number, complain: Complain): void {
  const known = new Map<string, { base: readonly Element[] | undefined; own: Element[] }>();
  for (const operation of operations) {
    const { key } = operation;
    let at = known.get(key);
    if (at === undefined) known.set(key, (at = { base: undefined, own: [] }));
    if (operation.kind === 'append') {
      at.own.push(operation.value);
      continue;
    }
    const { values } = operation;
    if (values === undefined) continue;
    const expected = at.base && [...at.base, ...at.own];
    const fits = expected
      ? expected.length === values.length && startsWith(values, expected)
      : startsWith(values.slice(Math.max(0, values.length - at.own.length)), at.own);
    if (!fits) {
      const what = expected
        ? `it had read or appended ${listed(expected)} before`
        : `it had appended ${listed(at.own)} before`;
      const sentence = `${nameOf(reader)} reads ${listed(values)} of '${key}', and ${what}`;
      return complain('internal', sentence, [reader]);
    }
    if (at.base === undefined) at.base = values.slice(0, values.length - at.own.length);
  }
}

/** Whether `list` begins with `prefix`. */
const startsWith = (list: readonly Element[], prefix: readonly Element[]): boolean =>
  prefix.length <= list.length && prefix.every((value, i) => list[i] === value);

/** A list as people see it: its ends, if it is long. */
const listed = (values: readonly Element[]): string => {
  const few = 6;
  const [head, tail] =
    values.length > 2 * few ? [values.slice(0, 2), values.slice(-few)] : [values, []];
  const parts = head.map(shown);
  return `[${(tail.length > 0 ? [...parts, '…', ...tail.map(shown)] : parts).join(' ')}]`;
};

function judgeElements(
  history: readonly ListTransaction[],
  { reader, values }: ListRead,
  key: string,
  appends: Appends | undefined,
  complain: Complain,
): void {
  const seen = new Set<Element>();
  for (const [i, value] of values.entries()) {
    const what = `${nameOf(reader)} reads ${shown(value)} in '${key}'`;
    if (seen.has(value)) complain('duplicate-elements', `${what} twice`, [reader]);
    seen.add(value);
    const append = appends?.get(value);
    if (append === undefined) {
      complain('garbage-read', `${what}, which nobody appended`, [reader]);
      continue;
    }
    const { writer, isLast } = append;
    if (writer === reader) continue;
    const involved = [writer, reader];
    if (history[writer]?.outcome === 'aborted') {
      const sentence = `${what}, which ${nameOf(writer)} appended and took back: it aborted`;
      complain('G1a', sentence, involved);
    } else if (i === values.length - 1 && !isLast) {
      const more = `which appended more to '${key}'`;
      complain('G1b', `${what} last, in the middle of ${nameOf(writer)}, ${more}`, involved);
    }
  }
}

function orderOf(key: string, reads: readonly ListRead[], complain: Complain): VersionOrder {
  let longest = reads[0] as ListRead;
  for (const each of reads) if (each.values.length > longest.values.length) longest = each;
  const kept: ListRead[] = [];
  for (const each of reads) {
    if (startsWith(longest.values, each.values)) {
      kept.push(each);
      continue;
    }
    const sentence =
      `${nameOf(each.reader)} reads ${listed(each.values)} of '${key}', and ` +
      `${nameOf(longest.reader)} ${listed(longest.values)}: neither begins as the other one does`;
    complain('incompatible-order', sentence, [each.reader, longest.reader]);
  }
  return { key, order: longest.values, reads: kept };
}
