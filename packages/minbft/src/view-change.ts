/**
 * View changes: section 5.2 of the paper. Who has waited too long asks for another view; once f+1
 * ask, members leave theirs. V of a new view names view-changes by their numbers: what their
 * senders have voted for before is known to everybody who takes the new view, so all compute one S.
 */
import type { Digest, ReplicaId, Signed } from '@quorumlab/core';
import { isProof } from './checkpoint.ts';
import { maySpeak, say } from './counter.ts';
import { digestOf, type Group, isMember, nothing, primaryOf } from './group.ts';
import { keptChanges, type NewView, type ReqViewChange, type ViewChange } from './messages.ts';
import { bodyOf, want } from './normal-case.ts';
import {
  type Change,
  type Context,
  type Heard,
  heardOf,
  lowOf,
  ownOf,
  type Replica,
} from './state.ts';

/** ⟨REQ-VIEW-CHANGE, v⟩ */
export function reqViewChange(
  replica: Replica,
  { from, view }: Signed<ReqViewChange>,
  ctx: Context,
): void {
  if (!isMember(ctx.group, from)) return;
  const heard = heardOf(replica, from);
  heard.asked = Math.max(heard.asked, view);
}

/** f+1 members want a later view, by what they ask for or by having left already. */
export function maybeLeave(replica: Replica, ctx: Context): boolean {
  if (!maySpeak(replica)) return false;
  const wanted = [...replica.heard.values()]
    .map(({ view, asked }) => Math.max(view, asked))
    .sort((one, other) => other - one);
  const view = wanted[ctx.group.rules.joinsAt(ctx.group.quorum) - 1] ?? 0;
  if (view <= replica.view) return false;
  leaveFor(replica, view, ctx);
  return true;
}

/** A primary has begun a view: whoever is not in it follows. */
export function maybeFollow(replica: Replica, ctx: Context): boolean {
  if (!maySpeak(replica)) return false;
  for (const { view, begun } of replica.heard.values())
    if (begun && view > replica.view) {
      leaveFor(replica, view, ctx);
      return true;
    }
  return false;
}

function leaveFor(replica: Replica, view: number, ctx: Context): void {
  ctx.line('view-change');
  ctx.save({ view });
  replica.viewSince = ctx.now;
  replica.attempts += 1;
  say(replica, { kind: 'view-change', view, stable: replica.stable }, ctx);
}

/** ⟨VIEW-CHANGE, v, proof, UI⟩ in its turn. */
export function takeViewChange(
  _: Replica,
  heard: Heard,
  message: Signed<ViewChange>,
  ctx: Context,
): void {
  const { view, stable } = message;
  if (view <= heard.view || (stable.length > 0 && !isProof(ctx.group, stable))) return;
  heard.view = view;
  heard.begun = false;
  heard.orders = new Map();
  heard.changes.set(message.number, { view, low: stable[0]?.sequence ?? 0 });
  for (const number of heard.changes.keys()) {
    if (heard.changes.size <= keptChanges || number > heard.anchor.number) break;
    heard.changes.delete(number);
  }
}

/** A view-change of a member. */
interface Named extends Change {
  readonly member: ReplicaId;
  readonly number: number;
}

/** The view-changes for `view` that are still the last word of their senders. */
const changesFor = (replica: Replica, view: number): Named[] =>
  [...replica.heard].flatMap(([member, heard]) => {
    const [number, change] = [...heard.changes].at(-1) ?? [];
    if (number === undefined || change?.view !== view) return [];
    return [{ member, number, ...change }];
  });

/** ⟨NEW-VIEW, v, V, UI⟩, at its primary, from view-changes whose batches are here. */
export function maybeNewView(replica: Replica, ctx: Context): boolean {
  const { group } = ctx;
  const { view } = replica;
  const own = ownOf(replica);
  if (view === 0 || primaryOf(group, view) !== ctx.self || !maySpeak(replica)) return false;
  if (own.begun || own.view !== view) return false;
  const usable = changesFor(replica, view).filter((each) => isUsable(replica, each, ctx));
  if (usable.length < group.quorum) return false;
  ctx.line('new-view');
  const changes = usable.slice(0, group.quorum).map(({ member, number }) => ({ member, number }));
  replica.viewSince = ctx.now;
  say(replica, { kind: 'new-view', view, changes }, ctx);
  return true;
}

/** A liar may have voted for what nobody else has: it is left out. */
function isUsable(replica: Replica, { member, low }: Named, ctx: Context): boolean {
  if (low > replica.lastExecuted) return false;
  let all = true;
  for (const [sequence, votes] of heardOf(replica, member).votes) {
    const digest = votes.at(-1)?.digest;
    if (digest === undefined || sequence <= lowOf(replica)) continue;
    if (bodyOf(ctx.group, replica, sequence, digest) !== undefined) continue;
    want(replica, sequence, digest, ctx);
    all = false;
  }
  return all;
}

/** ⟨NEW-VIEW, v, V, UI⟩ in its turn: it is good if V is a quorum that has left for v. */
export function takeNewView(
  replica: Replica,
  heard: Heard,
  message: Signed<NewView>,
  ctx: Context,
): void {
  const { group } = ctx;
  const { view, changes, from } = message;
  if (from !== primaryOf(group, view) || heard.view !== view || heard.begun) return;
  const members = new Set(changes.map(({ member }) => member));
  if (members.size < group.quorum || members.size !== changes.length) return;
  const found: Named[] = [];
  for (const { member, number } of changes) {
    const change = isMember(group, member) && heardOf(replica, member).changes.get(number);
    if (!change || change.view !== view) return;
    found.push({ member, number, ...change });
  }
  ctx.line('enter');
  heard.begun = true;
  heard.orders = ordersFrom(group, replica, found);
  if (view === replica.view) replica.viewSince = ctx.now;
}

/**
 * S: for each position above the last stable checkpoint of V what was voted for in the highest
 * view by its members, each up to its view-change; nothing where nobody has voted.
 */
function ordersFrom(
  group: Group,
  replica: Replica,
  changes: readonly Named[],
): Map<number, Digest> {
  const low = Math.max(lowOf(replica), ...changes.map((each) => each.low));
  const chosen = new Map<number, { view: number; digest: Digest }>();
  let high = low;
  for (const { member, number } of changes)
    for (const [sequence, votes] of heardOf(replica, member).votes)
      for (const vote of votes) {
        if (vote.number > number || sequence <= low) continue;
        high = Math.max(high, sequence);
        const earlier = chosen.get(sequence);
        if (earlier === undefined || vote.view > earlier.view) chosen.set(sequence, vote);
      }
  const none = digestOf(group, nothing);
  const orders = new Map<number, Digest>();
  for (let sequence = low + 1; sequence <= high; sequence++)
    orders.set(sequence, chosen.get(sequence)?.digest ?? none);
  return orders;
}
