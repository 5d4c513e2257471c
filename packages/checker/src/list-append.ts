import { type Cycle, components, cycleIn, singleIn } from './cycles.ts';
import {
  type DependencyGraph,
  dependencyGraph,
  type Edge,
  type EdgeKind,
  edgeInWords,
} from './dependencies.ts';
import { effective, type PlainAnomaly, versionOrders } from './list-versions.ts';
import { appendsOf, type ListTransaction, nameOf } from './transactions.ts';

/** A cycle by what it is made of (Adya 1999): with `-realtime` it needs that one ended first. */
export type CycleAnomaly = 'G0' | 'G1c' | 'G-single' | 'G2';

/** What {@link checkListAppend} finds wrong. */
export type AnomalyName = PlainAnomaly | CycleAnomaly | `${CycleAnomaly}-realtime`;

/** Something that no order of the transactions explains. */
export interface Anomaly {
  readonly name: AnomalyName;
  /** The whole of it, in one sentence. */
  readonly sentence: string;
  /** The transactions in it, by their place in the history; of a cycle in its order. */
  readonly transactions: readonly number[];
  /** Of a cycle: why each of them comes before the next, and the last before the first. */
  readonly steps: readonly string[];
}

/** See {@link checkListAppend}. */
export interface ListAppendOptions {
  /** Whether one that had ended before another began comes first. On unless told. */
  readonly realTime?: boolean;
  /** Most operations and elements read to look at. 20,000,000 unless told. */
  readonly budget?: number;
  /** Most anomalies to tell. 16 unless told; one of each kind of cycle comes first. */
  readonly anomaliesMax?: number;
}

/** What {@link checkListAppend} found. */
export type ListAppendVerdict =
  | { readonly verdict: 'serializable' | 'strict-serializable' }
  | { readonly verdict: 'violated'; readonly anomalies: readonly Anomaly[] }
  | { readonly verdict: 'unknown'; readonly sentence: string };

const budgetUnlessTold = 20_000_000;

/** What every read costs beside its elements. */
const workOf = ({ operations }: ListTransaction): number =>
  operations.reduce(
    (sum, each) => sum + 1 + (each.kind === 'read' ? (each.values?.length ?? 0) : 0),
    1,
  );

/**
 * Whether transactions over lists have an order in which each, run alone, reads what it read, and
 * (with `realTime`) in which none stands before one that had ended before it began: strict
 * serializability. Because each element is appended once, a list that was read tells the order of
 * all its versions, and the order of versions tells that of transactions (Kingsbury and Alvaro,
 * "Elle: Inferring Isolation Anomalies from Experimental Observations", VLDB 2020). The work grows
 * as the history does: no order is searched for, cycles are.
 *
 * Throws {@link HistoryError} for a history that no run can have. One that is larger than `budget`
 * is 'unknown'.
 *
 * @example
 * ```ts
 * import { checkListAppend } from '@quorumlab/checker';
 *
 * const at = (invokedAt: number, returnedAt: number) =>
 *   ({ process: 1, invokedAt, returnedAt, outcome: 'committed' }) as const;
 * const found = checkListAppend([
 *   { ...at(0, 10), operations: [{ kind: 'append', key: 'x', value: 1 }] },
 *   { ...at(20, 30), operations: [{ kind: 'read', key: 'x', values: [] }] },
 * ]);
 * if (found.verdict === 'violated') console.log(found.anomalies[0]?.name); // G-single-realtime
 * ```
 */
export function checkListAppend(
  history: readonly ListTransaction[],
  options: ListAppendOptions = {},
): ListAppendVerdict {
  const { realTime = true, budget = budgetUnlessTold, anomaliesMax = 16 } = options;
  const work = history.reduce((sum, each) => sum + workOf(each), 0);
  if (work > budget)
    return {
      verdict: 'unknown',
      sentence: `there are ${work} operations and elements read, above ${budget}; raise budget`,
    };
  const appends = appendsOf(history);
  const anomalies: Anomaly[] = [];
  const told = new Set<string>();
  const orders = versionOrders(history, appends, (name, sentence, transactions) => {
    if (anomalies.length >= anomaliesMax || told.has(sentence)) return;
    told.add(sentence);
    anomalies.push({ name, sentence, transactions, steps: [] });
  });
  const took = effective(history, appends);
  const graph = dependencyGraph(history, took, appends, orders, realTime);
  const cycles = cyclesOf(graph, realTime, budget);
  const all = [...cycles, ...anomalies].slice(0, anomaliesMax);
  if (all.length > 0) return { verdict: 'violated', anomalies: all };
  return { verdict: realTime ? 'strict-serializable' : 'serializable' };
}

/** One cycle of each kind that there is, the worst first. */
function cyclesOf(graph: DependencyGraph, realTime: boolean, steps: number): readonly Anomaly[] {
  const found: Anomaly[] = [];
  const budget = { steps: Math.max(steps, 1_000_000) };
  const names = new Set<AnomalyName>();
  const note = (cycle: Cycle | undefined): void => {
    if (cycle === undefined) return;
    const anomaly = anomalyOf(graph, cycle);
    if (names.has(anomaly.name)) return;
    names.add(anomaly.name);
    found.push(anomaly);
  };
  for (const time of realTime ? [false, true] : [false]) {
    const kinds = (...of: EdgeKind[]) => new Set<EdgeKind>(time ? [...of, 'rt'] : of);
    const parts = components(graph, kinds('ww', 'wr', 'rw'));
    for (const few of [kinds('ww'), kinds('ww', 'wr')]) {
      const part = components(graph, few)[0];
      if (part !== undefined) note(cycleIn(graph, part, few, budget));
    }
    for (const part of parts.slice(0, 16)) {
      const single = singleIn(graph, part, kinds('ww', 'wr'), budget);
      note(single ?? cycleIn(graph, part, kinds('ww', 'wr', 'rw'), { steps: Infinity }));
    }
    // With time there are the same cycles again, and more: the plain ones say enough.
    if (found.length > 0) break;
  }
  return found;
}

function anomalyOf({ transactions }: DependencyGraph, cycle: Cycle): Anomaly {
  const edges = betweenTransactions(cycle, transactions);
  const steps = edges.map(({ from, edge, to }) => edgeInWords(nameOf(from), edge, nameOf(to)));
  const has = (kind: EdgeKind): number => edges.filter(({ edge }) => edge.kind === kind).length;
  const plain: CycleAnomaly =
    has('rw') > 1 ? 'G2' : has('rw') === 1 ? 'G-single' : has('wr') > 0 ? 'G1c' : 'G0';
  const name: AnomalyName = has('rt') > 0 ? `${plain}-realtime` : plain;
  const order = edges.map(({ from }) => nameOf(from));
  const sentence = `${[...order, order[0]].join(' before ')}: ${steps.join('; ')}`;
  return { name, sentence, transactions: edges.map(({ from }) => from), steps };
}

/** The cycle without what only stands between transactions; it begins at one. */
function betweenTransactions(
  cycle: Cycle,
  transactions: number,
): readonly { readonly from: number; readonly edge: Edge; readonly to: number }[] {
  const start = cycle.findIndex(({ from }) => from < transactions);
  const turned = [...cycle.slice(start), ...cycle.slice(0, start)];
  const edges: { from: number; edge: Edge; to: number }[] = [];
  for (const { from, edge } of turned) {
    if (from < transactions) edges.push({ from, edge, to: edge.to });
    else {
      const last = edges[edges.length - 1] as { from: number; edge: Edge; to: number };
      edges[edges.length - 1] = { from: last.from, edge, to: edge.to };
    }
  }
  return edges;
}
