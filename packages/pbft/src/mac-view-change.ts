/**
 * View changes of replicas that authenticate with MACs: TOCS 2002, section 3.2.4. What a
 * view-change claims cannot be proven, so a quorum has to acknowledge that it got the same one; and
 * what the claims of a quorum come to is worked out by every replica (`mac-decision.ts`).
 *
 * ```text
 * 4.4-view-change   v ← v + 1; h ← the stable checkpoint
 *                   C ← ⟨n, d⟩ of h and of the own checkpoints above it
 *                   P ← ⟨n, d, v'⟩ of what was last prepared for each n above h
 *                   Q ← ⟨n, d, v'⟩ of the last two d that were pre-prepared for each n above h
 *                   multicast ⟨VIEW-CHANGE, v, h, C, P, Q, i⟩
 * 3.2.4-ack         upon ⟨VIEW-CHANGE, v, h, C, P, Q, j⟩ of digest d from j itself:
 *                     send ⟨VIEW-CHANGE-ACK, v, i, j, d⟩ to the primary of v
 * 3.2.4-new-view    at the primary of v: S ← the own view-change, and each with 2f-1 such
 *                   acknowledgements of others than its sender
 *                   if the decision procedure chooses X from S: V ← S by sender and digest
 *                     multicast ⟨NEW-VIEW, v, V, X⟩
 * 3.2.4-fetch       upon ⟨NEW-VIEW, v, V, X⟩: ask for view-changes in V that j itself did not say
 * 3.2.4-vouched       f+1 replicas say that j said it to them: it did
 * 3.2.4-checkpoint  if V may come to X, and its checkpoint is not stable here: get that state;
 *                     multicast ⟨CHECKPOINT, n, d, i⟩; wait until it is stable
 * 3.2.4-enter       enter v; multicast PREPAREs for X
 *
 *                   The decision procedure (figure 4)
 *                   h ← the highest ⟨n, d⟩ in C of f+1, of whom a quorum has h' ≤ n
 *                   X ← for each n in (h, h+L]: a d with ⟨n, d, v'⟩ in P of some, and
 *                     A1  in P of a quorum with h' < n: nothing for n, or ⟨n, d'', v''⟩ with
 *                         v'' < v', or with v'' = v' and d'' = d
 *                     A2  in Q of f+1: ⟨n, d, v''⟩ with v'' ≥ v', or two for n with v'' ≥ v'
 *                     A3  the primary has the batch of d
 *                   B     or else the null request, if P of a quorum with h' < n has nothing for n
 * ```
 */
import type { Digest, ReplicaId, Signed } from '@quorumlab/core';
import { neverAnswered } from './answered.ts';
import { bodyOf } from './batches.ts';
import { fetchNamed } from './checkpoint.ts';
import { startViewChange } from './leave-view.ts';
import { isFormed, isJustified, reportsOf, select, validReport } from './mac-decision.ts';
import type {
  FetchViewChange,
  MacNewView,
  MacViewChange,
  ViewChangeAck,
  Vouched,
} from './mac-messages.ts';
import { want, watch } from './missing.ts';
import { noteExcuses } from './patience.ts';
import type { Context, Replica } from './state.ts';
import { awaitNewView, enterView, maybeAwaitNewView, maybeJoin } from './view-change.ts';
import { isVoter, primaryOf, quorumOf } from './votes.ts';
import { lowWatermark } from './watermarks.ts';

/** ⟨VIEW-CHANGE, v+1, h, C, P, Q, i⟩ of any replica, the own one too. */
export function macViewChange(
  replica: Replica,
  message: Signed<MacViewChange>,
  ctx: Context,
): void {
  const { view, from } = message;
  if (view < replica.view || (view === replica.view && replica.active)) return; // Too late.
  const earlier = replica.viewChanges.get(from);
  if (earlier !== undefined && earlier.view >= view) return; // One a sender: its latest.
  if (!validReport(ctx.group, replica, message)) return;
  replica.viewChanges.set(from, message);
  acknowledge(replica, message, ctx);
  noteExcuses(replica, ctx);
  maybeJoin(replica, ctx);
  maybeAwaitNewView(replica, ctx);
  maybeMacBegin(replica, ctx);
}

/** ⟨VIEW-CHANGE-ACK, v+1, i, j, d⟩ to the primary of the view. */
function acknowledge(replica: Replica, message: Signed<MacViewChange>, ctx: Context): void {
  const { view, from: of } = message;
  const primary = primaryOf(replica, view);
  if (primary === ctx.self || of === ctx.self || !isVoter(ctx.group, replica, ctx.self)) return;
  ctx.line('3.2.4-ack');
  ctx.send(primary, { kind: 'view-change-ack', view, of, digest: digestOf(message, ctx) });
}

/** What the primary of this view has to know may have been lost. */
export function repeatAcks(replica: Replica, ctx: Context): void {
  if (replica.active) return;
  for (const each of macViewChanges(replica))
    if (each.view === replica.view) acknowledge(replica, each, ctx);
}

const macViewChanges = (replica: Replica): Signed<MacViewChange>[] =>
  [...replica.viewChanges.values()].filter(
    (each): each is Signed<MacViewChange> => each.kind === 'mac-view-change',
  );

const digestOf = (message: MacViewChange, ctx: Context): Digest =>
  ctx.digest(ctx.group.schemas.macViewChange, message);

/** ⟨VIEW-CHANGE-ACK, v+1, i, j, d⟩ */
export function viewChangeAck(
  replica: Replica,
  { from, view, of, digest }: Signed<ViewChangeAck>,
  ctx: Context,
): void {
  const { group } = ctx;
  if (!isVoter(group, replica, from) || !isVoter(group, replica, of) || from === of) return;
  if (primaryOf(replica, view) !== ctx.self || view < replica.view) return;
  const acks = replica.mac.acks.get(of) ?? new Map();
  const earlier = acks.get(from);
  if (earlier !== undefined && earlier.view >= view) return;
  replica.mac.acks.set(of, acks.set(from, { view, digest }));
  maybeMacNewView(replica, ctx);
}

/**
 * S: the own view-change, and each that so many others have acknowledged that with its sender and
 * the primary they are a quorum.
 */
function acknowledged(replica: Replica, ctx: Context): Signed<MacViewChange>[] {
  const { view } = replica;
  const least = ctx.group.rules.acknowledgedBy(quorumOf(ctx.group, replica));
  return macViewChanges(replica).filter((each) => {
    if (each.view !== view) return false;
    if (each.from === ctx.self) return true;
    const acks = [...(replica.mac.acks.get(each.from) ?? [])];
    if (acks.filter((ack) => ack[1].view === view).length < least) return false;
    const digest = digestOf(each, ctx);
    const same = acks.filter(
      ([by, ack]) => by !== ctx.self && ack.view === view && ack.digest === digest,
    );
    return same.length >= least;
  });
}

/** The primary of the new view: ⟨NEW-VIEW, v+1, V, X⟩ once S is enough for a choice. */
export function maybeMacNewView(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  const { view } = replica;
  if (replica.active || primaryOf(replica, view) !== ctx.self || replica.newView !== null) return;
  const all = acknowledged(replica, ctx).sort((one, other) => one.from - other.from);
  if (all.length < quorumOf(group, replica) || !all.some(({ from }) => from === ctx.self)) return;
  const selection = select(
    reportsOf(group, replica, all),
    ({ sequence, digest }) => bodyOf(replica, sequence, digest, ctx) !== undefined,
    ({ sequence, digest }) => {
      const holders = all.filter(({ prepared }) =>
        prepared.some((each) => each.sequence === sequence && each.digest === digest),
      );
      want(
        replica,
        { sequence, digest },
        holders.map(({ from }) => from),
        ctx,
      );
    },
    ctx,
  );
  if (selection === undefined) return;
  ctx.line('3.2.4-new-view');
  const viewChanges = all.map((each) => ({ member: each.from, digest: digestOf(each, ctx) }));
  const message: MacNewView = { kind: 'mac-new-view', view, viewChanges, ...selection };
  // Said once, also after a crash. The primary hears it too, and begins as the others do.
  ctx.save({ newView: message });
  ctx.broadcast(message);
}

/** ⟨NEW-VIEW, v+1, V, X⟩, the own one too. */
export function macNewView(replica: Replica, message: Signed<MacNewView>, ctx: Context): void {
  const { view, from } = message;
  const { mac } = replica;
  if (!isTimely(replica, message) || from !== primaryOf(replica, view)) return;
  if (!isFormed(ctx.group, replica, message)) return refuse(replica, view, ctx);
  // One is kept: that of this view, or the first one of a later view.
  const kept = mac.newView;
  if (kept !== null && isTimely(replica, kept) && view !== replica.view) return;
  if (kept?.view === view) return;
  mac.newView = message;
  mac.shown.clear();
  mac.vouching.clear();
  macBegin(replica, ctx);
}

/** Whether the view has not begun here. */
export const isTimely = (replica: Replica, { view }: { readonly view: number }): boolean =>
  view > 0 && (view > replica.view || (view === replica.view && !replica.active));

/** A primary that begins its view with a lie has had its turn. */
function refuse(replica: Replica, view: number, ctx: Context): void {
  if (view === replica.view) startViewChange(replica, view + 1, ctx);
}

/** Tries again to begin the view, as its primary or with what its primary said. */
export function maybeMacBegin(replica: Replica, ctx: Context): void {
  maybeMacNewView(replica, ctx);
  macBegin(replica, ctx);
}

/**
 * Begins a view as its primary says, once the view-changes on which it rests are here, they come to
 * what it says, and its checkpoint is stable.
 */
function macBegin(replica: Replica, ctx: Context): void {
  const message = replica.mac.newView;
  if (message === null || !isTimely(replica, message)) return;
  const { view, checkpoint, orders } = message;
  const shown = collect(replica, message, ctx);
  if (shown === undefined) {
    if (view === replica.view) awaitNewView(replica, ctx);
    return watch(replica, ctx);
  }
  if (!isJustified(reportsOf(ctx.group, replica, shown), message, ctx)) {
    if (ctx.group.rules.recomputesOrders) return refuse(replica, view, ctx);
  }
  // A quorum wants this view. What was pre-prepared in the one before must be in a report.
  if (view > replica.view) startViewChange(replica, view, ctx);
  const low = checkpoint?.sequence ?? 0;
  if (checkpoint !== null && low > lowWatermark(replica)) {
    // f+1 have it, so it is right; once a quorum has, it is stable, and the view can begin.
    ctx.line('3.2.4-checkpoint');
    fetchNamed(replica, checkpoint, ctx);
    return awaitNewView(replica, ctx);
  }
  ctx.line('3.2.4-enter');
  const plan = { low, high: low + orders.length, chosen: new Map(), orders };
  const own = message.from === ctx.self ? replica.newView : null;
  enterView(replica, { view, plan, reached: null, own, by: null }, ctx);
}

/**
 * The view-changes of V: those that their senders said here, and those for which f+1 vouch. Asks
 * for the others; nothing: some are missing.
 */
function collect(
  replica: Replica,
  { view, viewChanges }: MacNewView,
  ctx: Context,
): MacViewChange[] | undefined {
  const { shown } = replica.mac;
  const all: MacViewChange[] = [];
  for (const { member, digest } of viewChanges) {
    const heard = replica.viewChanges.get(member);
    if (!shown.has(member) && heard?.kind === 'mac-view-change' && heard.view === view)
      if (digestOf(heard, ctx) === digest)
        shown.set(member, { digest, viewChange: plain(heard), isHeard: true });
    const known = shown.get(member);
    if (known !== undefined) all.push(known.viewChange);
    else ask(replica, { kind: 'fetch-view-change', view, of: member, digest }, ctx);
  }
  return all.length === viewChanges.length ? all : undefined;
}

const plain = (message: MacViewChange): MacViewChange => {
  const { kind, view, low, checkpoints, prepared, prePrepared } = message;
  return { kind, view, low, checkpoints, prepared, prePrepared };
};

/** Once in an attempt, and again after a while. */
function ask(replica: Replica, message: FetchViewChange, ctx: Context): void {
  const key = `${message.of}/${message.view}/${message.digest}`;
  if (replica.asked.size === replica.asked.add(key).size) return;
  ctx.line('3.2.4-fetch');
  ctx.broadcast(message);
}

/** Somebody lacks a view-change: says it again, or vouches for that of another. */
export function fetchViewChange(
  replica: Replica,
  { from, view, of, digest }: Signed<FetchViewChange>,
  ctx: Context,
): void {
  const { group } = ctx;
  if (from === ctx.self || !isVoter(group, replica, ctx.self) || from >= group.members.length)
    return;
  const answered =
    replica.answered.get(from) ?? neverAnswered(group, replica.lastExecuted, ctx.now);
  if (answered.proofs > 4 * group.window) return;
  const { viewChange } = replica;
  const isOwn = of === ctx.self && viewChange?.kind === 'mac-view-change';
  const known = isOwn ? viewChange : heardOf(replica, of, digest, ctx);
  if (known === undefined || known.view !== view) return;
  replica.answered.set(from, { ...answered, proofs: answered.proofs + 1 });
  ctx.send(from, isOwn ? known : { kind: 'vouched', of, viewChange: known });
}

/** The view-change of `of` with this digest, if `of` itself said it here. */
function heardOf(
  replica: Replica,
  of: ReplicaId,
  digest: Digest,
  ctx: Context,
): MacViewChange | undefined {
  const shown = replica.mac.shown.get(of);
  if (shown?.isHeard && shown.digest === digest) return shown.viewChange;
  const heard = replica.viewChanges.get(of);
  if (heard?.kind !== 'mac-view-change' || digestOf(heard, ctx) !== digest) return undefined;
  return plain(heard);
}

/** Which view-change of `of` is missing for the view that is waited for; nothing: none is. */
export function missingDigest(replica: Replica, of: ReplicaId): Digest | undefined {
  const { newView, shown } = replica.mac;
  if (newView === null || !isTimely(replica, newView) || shown.has(of)) return undefined;
  return newView.viewChanges.find(({ member }) => member === of)?.digest;
}

/** With the word of f+1 it is what its sender said to one that is honest. */
export function vouched(replica: Replica, message: Signed<Vouched>, ctx: Context): void {
  const { group } = ctx;
  const { from, of, viewChange } = message;
  const { mac } = replica;
  const digest = missingDigest(replica, of);
  if (digest === undefined || from === of || !isVoter(group, replica, from)) return;
  if (digestOf(viewChange, ctx) !== digest || viewChange.view !== mac.newView?.view) return;
  if (!validReport(group, replica, { ...viewChange, from: of, signature: message.signature }))
    return;
  const by = mac.vouching.get(of)?.by ?? [];
  if (by.includes(from)) return;
  mac.vouching.set(of, { digest, viewChange, by: [...by, from] });
  if (by.length + 1 < group.weak) return;
  ctx.line('3.2.4-vouched');
  mac.vouching.delete(of);
  mac.shown.set(of, { digest, viewChange, isHeard: false });
  macBegin(replica, ctx);
}
