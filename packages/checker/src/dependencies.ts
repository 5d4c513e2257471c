/** The dependency graph of transactions over lists (Adya 1999; Kingsbury and Alvaro 2020). */
import type { ListRead, VersionOrder } from './list-versions.ts';
import { type Appends, type Element, type ListTransaction, shown } from './transactions.ts';

/**
 * Why one transaction comes before another: `ww`: it wrote the version before; `wr`: it wrote what
 * the other read; `rw`: it read the version before what the other wrote; `rt`: it had ended before
 * the other began.
 */
export type EdgeKind = 'ww' | 'wr' | 'rw' | 'rt';

/** An edge, from the node in whose list it stands. */
export interface Edge {
  readonly to: number;
  readonly kind: EdgeKind;
  readonly key: string | undefined;
  /** What was written, and for `rw` the version that was read instead, if there was one. */
  readonly value: Element | undefined;
  readonly before: Element | undefined;
}

/**
 * Edges by node. The first nodes are the transactions; behind them stand moments of time, and per
 * key the end of what anybody has read: they keep the number of edges linear.
 */
export interface DependencyGraph {
  readonly transactions: number;
  readonly edges: readonly (readonly Edge[])[];
}

/** Builds the graph over the transactions that took effect. Linear, apart from one sort. */
export function dependencyGraph(
  history: readonly ListTransaction[],
  took: readonly boolean[],
  appends: ReadonlyMap<string, Appends>,
  orders: readonly VersionOrder[],
  realTime: boolean,
): DependencyGraph {
  const edges: Edge[][] = history.map(() => []);
  const link = (from: number, edge: Edge): void => {
    if (from !== edge.to) edges[from]?.push(edge);
  };
  const node = (): number => edges.push([]) - 1;
  for (const order of orders) {
    const ofKey: Appends = appends.get(order.key) ?? new Map();
    linkVersions(order, ofKey, link);
    for (const read of order.reads) linkRead(order, read, ofKey, link);
  }
  const known = new Map(orders.map((order) => [order.key, order]));
  for (const [key, ofKey] of appends)
    linkUnread(known.get(key) ?? { key, order: [], reads: [] }, ofKey, took, link, node);
  if (realTime) linkTimes(history, took, link, node);
  return { transactions: history.length, edges };
}

type Link = (from: number, edge: Edge) => void;

function linkVersions({ key, order }: VersionOrder, appends: Appends, link: Link): void {
  for (let i = 1; i < order.length; i++) {
    const before = order[i - 1] as Element;
    const value = order[i] as Element;
    const from = appends.get(before)?.writer;
    const to = appends.get(value)?.writer;
    if (from !== undefined && to !== undefined) link(from, { to, kind: 'ww', key, value, before });
  }
}

/** The part of a read that others wrote: its own appends stand at its end. */
function foreign({ reader, values }: ListRead, appends: Appends): number {
  let length = values.length;
  while (length > 0 && appends.get(values[length - 1] as Element)?.writer === reader) length--;
  return length;
}

function linkRead(
  { key, order }: VersionOrder,
  read: ListRead,
  appends: Appends,
  link: Link,
): void {
  const length = foreign(read, appends);
  const { reader } = read;
  const value = order[length - 1];
  const writer = value === undefined ? undefined : appends.get(value)?.writer;
  if (writer !== undefined && value !== undefined)
    link(writer, { to: reader, kind: 'wr', key, value, before: undefined });
  const next = order[length];
  const overwriter = next === undefined ? undefined : appends.get(next)?.writer;
  if (overwriter !== undefined && next !== undefined)
    link(reader, { to: overwriter, kind: 'rw', key, value: next, before: value });
}

/**
 * Versions that nobody has read come behind all that were read: else one of those lists would have
 * them. So whoever wrote or read the last version that is known comes before their writers.
 */
function linkUnread(
  { key, order, reads }: VersionOrder,
  appends: Appends,
  took: readonly boolean[],
  link: Link,
  node: () => number,
): void {
  const read = new Set(order);
  const writers = new Map<number, Element>();
  for (const [value, { writer }] of appends)
    if (!read.has(value) && took[writer] && !writers.has(writer)) writers.set(writer, value);
  if (writers.size === 0) return;
  const before = order[order.length - 1];
  const last = before === undefined ? undefined : appends.get(before)?.writer;
  const end = node();
  for (const [to, value] of writers) link(end, { to, kind: 'rw', key, value, before });
  if (last !== undefined)
    for (const [to, value] of writers) link(last, { to, kind: 'ww', key, value, before });
  const both: number[] = [];
  for (const each of reads) {
    if (foreign(each, appends) !== order.length) continue;
    const { reader } = each;
    // Through `end` a writer would come before itself: it is linked to the others directly.
    if (writers.has(reader)) both.push(reader);
    else link(reader, { to: end, kind: 'rw', key, value: undefined, before });
  }
  // Of two who read one version and replaced it unseen, each comes before the other: that will do.
  for (const from of [...new Set(both)].slice(0, 2))
    for (const [to, value] of writers) link(from, { to, kind: 'rw', key, value, before });
}

/** A chain of moments at which something ended: whoever began later hangs on the last of them. */
function linkTimes(
  history: readonly ListTransaction[],
  took: readonly boolean[],
  link: Link,
  node: () => number,
): void {
  const rt = (to: number): Edge => ({
    to,
    kind: 'rt',
    key: undefined,
    value: undefined,
    before: undefined,
  });
  const all = history.map((_, i) => i).filter((i) => took[i]);
  const at = (i: number): ListTransaction => history[i] as ListTransaction;
  const begun = [...all].sort((one, two) => at(one).invokedAt - at(two).invokedAt);
  const ended = all
    .filter((i) => at(i).returnedAt !== undefined && at(i).outcome === 'committed')
    .sort((one, two) => (at(one).returnedAt as number) - (at(two).returnedAt as number));
  let moment: number | undefined;
  let done = 0;
  for (const each of begun) {
    for (; done < ended.length; done++) {
      const over = ended[done] as number;
      // At one instant nobody knows which was first.
      if ((at(over).returnedAt as number) >= at(each).invokedAt) break;
      const next = node();
      if (moment !== undefined) link(moment, rt(next));
      link(over, rt(next));
      moment = next;
    }
    if (moment !== undefined) link(moment, rt(each));
  }
}

/** An edge in words, between two names. */
export function edgeInWords(from: string, edge: Edge, to: string): string {
  const { kind, key, value, before } = edge;
  if (kind === 'rt') return `${from} had ended before ${to} began`;
  const what = value === undefined ? 'its next element' : shown(value);
  const behind = before === undefined ? '' : ` behind ${shown(before)}`;
  if (kind === 'ww')
    return `${to} appended ${what} to '${key}'${behind}, which ${from} had appended`;
  if (kind === 'wr') return `${to} read ${what} in '${key}', which ${from} had appended`;
  const last = before === undefined ? 'as empty' : `as ending with ${shown(before)}`;
  return `${from} read '${key}' ${last}, without ${what} of ${to}`;
}
