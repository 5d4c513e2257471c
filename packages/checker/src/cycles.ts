/** Cycles of a dependency graph: strongly connected components (Tarjan 1972), short ways round. */
import type { DependencyGraph, Edge, EdgeKind } from './dependencies.ts';

/** A cycle: each edge leads to the node of the next, the last one to the first. */
export type Cycle = readonly { readonly from: number; readonly edge: Edge }[];

/** Counts what has been looked at; below 0 nothing more is. */
export interface CycleBudget {
  steps: number;
}

/** The components with more than one node, by the edges of these kinds alone. */
export function components(
  { edges }: DependencyGraph,
  kinds: ReadonlySet<EdgeKind>,
): readonly (readonly number[])[] {
  const found: number[][] = [];
  const order = new Int32Array(edges.length).fill(-1);
  const low = new Int32Array(edges.length);
  const isOpen = new Uint8Array(edges.length);
  const next = new Int32Array(edges.length);
  const open: number[] = [];
  let count = 0;
  const enter = (node: number): void => {
    order[node] = low[node] = count++;
    isOpen[node] = 1;
    open.push(node);
  };
  for (let root = 0; root < edges.length; root++) {
    if (order[root] !== -1) continue;
    const path = [root];
    enter(root);
    while (path.length > 0) {
      const node = path[path.length - 1] as number;
      const at = next[node] as number;
      next[node] = at + 1;
      const edge = edges[node]?.[at];
      if (edge !== undefined) {
        if (!kinds.has(edge.kind)) continue;
        if (order[edge.to] === -1) {
          enter(edge.to);
          path.push(edge.to);
        } else if (isOpen[edge.to] === 1)
          low[node] = Math.min(low[node] as number, order[edge.to] as number);
        continue;
      }
      path.pop();
      const parent = path[path.length - 1];
      if (parent !== undefined) low[parent] = Math.min(low[parent] as number, low[node] as number);
      if (low[node] !== order[node]) continue;
      const part = open.splice(open.lastIndexOf(node));
      for (const each of part) isOpen[each] = 0;
      if (part.length > 1) found.push(part);
    }
  }
  return found;
}

/** The shortest way from one node to another inside `within`, by edges of these kinds. */
function shortestWay(
  { edges }: DependencyGraph,
  from: number,
  to: number,
  within: ReadonlySet<number>,
  kinds: ReadonlySet<EdgeKind>,
  budget: CycleBudget,
): Cycle | undefined {
  const cameBy = new Map<number, { readonly from: number; readonly edge: Edge }>();
  const queue = [from];
  for (let i = 0; i < queue.length; i++) {
    const node = queue[i] as number;
    for (const edge of edges[node] ?? []) {
      if (--budget.steps < 0) return undefined;
      if (!kinds.has(edge.kind) || !within.has(edge.to) || cameBy.has(edge.to)) continue;
      cameBy.set(edge.to, { from: node, edge });
      if (edge.to === to) return wayBack(cameBy, from, to);
      queue.push(edge.to);
    }
  }
  return undefined;
}

function wayBack(
  cameBy: ReadonlyMap<number, { readonly from: number; readonly edge: Edge }>,
  from: number,
  to: number,
): Cycle {
  const way: { readonly from: number; readonly edge: Edge }[] = [];
  for (let node = to; way.length === 0 || node !== from; ) {
    const step = cameBy.get(node) as { readonly from: number; readonly edge: Edge };
    way.unshift(step);
    node = step.from;
  }
  return way;
}

/** A short cycle through one of the nodes of a component. */
export function cycleIn(
  graph: DependencyGraph,
  part: readonly number[],
  kinds: ReadonlySet<EdgeKind>,
  budget: CycleBudget,
): Cycle | undefined {
  const within = new Set(part);
  const tries = 16;
  let best: Cycle | undefined;
  for (const node of part.filter((each) => each < graph.transactions).slice(0, tries)) {
    const cycle = shortestWay(graph, node, node, within, kinds, budget);
    if (cycle !== undefined && (best === undefined || cycle.length < best.length)) best = cycle;
  }
  return best;
}

/** A cycle with just one edge of kind `rw`, if the component has one and the budget lasts. */
export function singleIn(
  graph: DependencyGraph,
  part: readonly number[],
  others: ReadonlySet<EdgeKind>,
  budget: CycleBudget,
): Cycle | undefined {
  const within = new Set(part);
  for (const from of part)
    for (const edge of graph.edges[from] ?? []) {
      if (edge.kind !== 'rw' || !within.has(edge.to)) continue;
      // Behind the end of what was read stands one more edge that says the same.
      for (const { at, head } of heads(graph, from, edge, within)) {
        if (--budget.steps < 0) return undefined;
        const way = shortestWay(graph, at, from, within, others, budget);
        if (way !== undefined) return [...head, ...way];
      }
      if (budget.steps < 0) return undefined;
    }
  return undefined;
}

function* heads(
  graph: DependencyGraph,
  from: number,
  edge: Edge,
  within: ReadonlySet<number>,
): Generator<{ readonly at: number; readonly head: Cycle }> {
  if (edge.to < graph.transactions) return yield { at: edge.to, head: [{ from, edge }] };
  for (const next of graph.edges[edge.to] ?? [])
    if (within.has(next.to))
      yield {
        at: next.to,
        head: [
          { from, edge },
          { from: edge.to, edge: next },
        ],
      };
}
