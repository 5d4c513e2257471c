/**
 * The properties of Zab by the names of its specification in the source tree of ZooKeeper, checked
 * over all replicas of a group. What is delivered is looked up in the histories, by its zxid.
 */
import { type ReplicaId, requestKey } from '@quorumlab/core';
import type { Transaction, ZabStable, ZabVolatile } from '../src/index.ts';
import type { Cluster } from './cluster.ts';

type View = Readonly<ZabStable> & ZabVolatile;

/** What is known of a group so far. */
interface Known {
  /** Who has led each epoch, once it was established. */
  readonly primaries: Map<number, ReplicaId>;
  /** How long the history was with which an epoch began. */
  readonly initial: Map<number, number>;
  /** What has been delivered, by counter. */
  readonly delivered: Map<number, Transaction>;
  /** What has been in any history, by its zxid. */
  readonly proposed: Map<string, Transaction>;
  /** Where each request was delivered. */
  readonly places: Map<string, number>;
}

/** Checks of one group: `now` after every step, `histories` now and then. */
export function properties(group: Cluster): {
  now(): string | undefined;
  histories(): string | undefined;
} {
  const known: Known = {
    primaries: new Map(),
    initial: new Map(),
    delivered: new Map(),
    proposed: new Map(),
    places: new Map(),
  };
  return { now: () => leadership(group, known), histories: () => histories(group, known) };
}

/** Leadership: an epoch has one established leader at most. */
function leadership(group: Cluster, { primaries }: Known): string | undefined {
  for (const { id, up, machine } of group.nodes) {
    const { role, term } = machine.status();
    if (!up || role !== 'leader') continue;
    const other = primaries.get(term) ?? id;
    if (other !== id) return `leadership: ${other} and ${id} lead epoch ${term}`;
    primaries.set(term, id);
  }
  return undefined;
}

function histories(group: Cluster, known: Known): string | undefined {
  const views = group.nodes.map(({ id }): View => group.view(id));
  for (const [id, view] of views.entries()) {
    const wrong = transactionIntegrity(id, view, known);
    if (wrong !== undefined) return wrong;
    noteInitial(view, known);
  }
  for (const [id, view] of views.entries())
    for (const [counter, transaction] of view.history) {
      if (counter > view.delivered) continue;
      const wrong = deliveredAt(id, counter, transaction, known);
      if (wrong !== undefined) return wrong;
    }
  return undefined;
}

/** How long the initial history of an epoch is, as soon as its leader has proposed something. */
function noteInitial({ role, phase, epoch, history }: View, { initial }: Known): void {
  if (role !== 'leading' || phase !== 'broadcast' || initial.has(epoch)) return;
  const own = [...history].filter(([, each]) => each.epoch === epoch).map(([counter]) => counter);
  if (own.length > 0) initial.set(epoch, Math.min(...own) - 1);
}

/** Integrity: under one zxid there is one transaction, wherever it is. */
function transactionIntegrity(
  id: number,
  { history }: View,
  { proposed }: Known,
): string | undefined {
  for (const [counter, transaction] of history) {
    const zxid = `${transaction.epoch}.${counter}`;
    const other = proposed.get(zxid) ?? transaction;
    if (other.command !== transaction.command)
      if (other.command?.sequence !== transaction.command?.sequence)
        return `integrity: replica ${id} has another transaction under ${zxid}`;
    proposed.set(zxid, other);
  }
  return undefined;
}

function deliveredAt(
  id: number,
  counter: number,
  transaction: Transaction,
  { delivered, initial, places, proposed }: Known,
): string | undefined {
  const { epoch, command } = transaction;
  const other = delivered.get(counter) ?? transaction;
  // Agreement, total order and prefix consistency: everybody delivers the same at each place.
  if (other.epoch !== epoch || other.command?.sequence !== command?.sequence)
    return `total order: replica ${id} delivers ${epoch}.${counter}, others ${other.epoch}`;
  delivered.set(counter, other);
  // Integrity: each request once.
  if (command !== null) {
    const place = places.get(requestKey(command)) ?? counter;
    if (place !== counter) return `integrity: one request is delivered at ${place} and ${counter}`;
    places.set(requestKey(command), place);
  }
  const before = delivered.get(counter - 1);
  if (before === undefined) return undefined;
  // Global primary order: no transaction of an older epoch after one of a newer.
  if (before.epoch > epoch)
    return `global primary order: ${epoch}.${counter} is delivered after ${before.epoch}`;
  // Local primary order: what its primary proposed before it is delivered before it.
  if (proposed.has(`${epoch}.${counter - 1}`) && before.epoch !== epoch)
    return `local primary order: ${epoch}.${counter} is delivered without what came before it`;
  // Primary integrity: a primary that proposes has delivered all that any older one has delivered.
  for (const [later, length] of initial)
    if (later > epoch && counter > length)
      return `primary integrity: ${epoch}.${counter} is none of the ${length} of epoch ${later}`;
  return undefined;
}
