/**
 * Rule 14: executes what is committed with all that it depends on, dependencies first. Instances
 * that depend on each other form a strongly connected component, and run in the order of their
 * numbers (Tarjan 1972, without recursion: chains may be long).
 */

import { cutHere } from './checkpoint.ts';
import { forget } from './commit.ts';
import { each } from './dependencies.ts';
import { isCommitted, isSettled, rowOf, watch } from './instances.ts';
import { type InstanceId, type Value, valueBytes } from './messages.ts';
import type { Context, Replica } from './state.ts';

/** Executes what can be executed. Returns whether anything was. */
export function execute(replica: Replica, ctx: Context): boolean {
  const before = replica.slot;
  for (;;) {
    const root = replica.ready.pop();
    if (root === undefined) return replica.slot > before;
    if (!isCommitted(replica, root)) continue;
    // Whoever was found to wait for it may go on now.
    for (const id of replica.blocked.get(root) ?? []) replica.ready.push(id);
    replica.blocked.delete(root);
    if (isSettled(replica, root)) continue;
    const found = search(replica, root, ctx);
    if (found === 'again') replica.ready.push(root);
    else if (found !== undefined) block(replica, root, found, ctx);
  }
}

function block(replica: Replica, root: InstanceId, missing: InstanceId, ctx: Context): void {
  ctx.line('blocked');
  const waiting = replica.blocked.get(missing) ?? new Set();
  replica.blocked.set(missing, waiting.add(root));
  watch(replica, missing, ctx);
}

/** An instance on the way of the search. */
interface Visited {
  readonly id: InstanceId;
  readonly dependencies: readonly InstanceId[];
  at: number;
  readonly index: number;
  low: number;
}

/**
 * Executes `root` and what it depends on. Returns an instance that is missing for that, or 'again'
 * where a checkpoint was executed: what is below it has to be looked at anew.
 */
function search(
  replica: Replica,
  root: InstanceId,
  ctx: Context,
): InstanceId | 'again' | undefined {
  const { group } = ctx;
  const visited = new Map<InstanceId, Visited>();
  const component: Visited[] = [];
  const path: Visited[] = [];
  const enter = (id: InstanceId): void => {
    const dependencies = [...each(rowOf(replica, id).dependencies, group.n)];
    const index = visited.size;
    const visit: Visited = { id, dependencies, at: 0, index, low: index };
    visited.set(id, visit);
    component.push(visit);
    path.push(visit);
  };
  enter(root);
  for (let visit = path.at(-1); visit !== undefined; visit = path.at(-1)) {
    const next = visit.dependencies[visit.at++];
    if (next === undefined) {
      path.pop();
      const above = path.at(-1);
      if (above !== undefined) above.low = Math.min(above.low, visit.low);
      if (visit.low !== visit.index) continue;
      const ids = component.splice(component.indexOf(visit)).map(({ id }) => id);
      if (executeAll(replica, ids, ctx)) return 'again';
    } else if (!isSettled(replica, next)) {
      const known = visited.get(next);
      if (known !== undefined) visit.low = Math.min(visit.low, known.index);
      else if (isCommitted(replica, next)) enter(next);
      else if (group.rules.awaits(replica.instances.get(next))) return next;
    }
  }
  return undefined;
}

/**
 * Executes a component. Returns whether there was a checkpoint in it: then what is left of it is
 * looked at anew, as whoever goes on from a snapshot of that checkpoint has to look at it.
 */
function executeAll(replica: Replica, ids: readonly InstanceId[], ctx: Context): boolean {
  const sorted = [...ids].sort(ctx.group.rules.precedes);
  for (const [i, id] of sorted.entries()) {
    const value = replica.values.get(id);
    if (value === undefined) continue;
    ctx.line('execute');
    replica.executed.add(id);
    forget(replica, id);
    if (value.kind === 'checkpoint') {
      cutHere(replica, id, ctx);
      replica.ready.push(...sorted.slice(i + 1));
      return true;
    }
    run(replica, value, ctx);
  }
  return false;
}

function run(replica: Replica, value: Value, ctx: Context): void {
  ctx.decide(replica.slot, value.commands);
  replica.slot++;
  replica.cutBytes += valueBytes(value);
}
