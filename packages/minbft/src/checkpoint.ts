/**
 * Checkpoints: section 5.3 of the paper. What f+1 members say of the state after a position is
 * true; votes and statements from before are let go, and whoever lacks them gets the state.
 *
 * Members vote above a checkpoint only once they have said it. So whatever they have voted for
 * above it has a higher number, and may be asked of them without what was before.
 */
import {
  assert,
  type Digest,
  forgetWaiting,
  type ReplicaId,
  type Signed,
  type Slot,
} from '@quorumlab/core';
import { maySpeak, say } from './counter.ts';
import { type Group, isMember } from './group.ts';
import { type Anchor, type Checkpoint, keptChanges, type StableCheckpoint } from './messages.ts';
import {
  type Context,
  type Heard,
  heardFrom,
  heardOf,
  lowOf,
  mostStatements,
  ownOf,
  type Replica,
} from './state.ts';

/** The application's state after `slot` is on the disk. */
export function snapshotTaken(replica: Replica, slot: Slot, digest: Digest, ctx: Context): void {
  const sequence = slot + 1;
  if (sequence <= replica.snapshot) return;
  ctx.save({ snapshot: sequence });
  if (sequence % ctx.group.checkpointEvery === 0) ctx.put('states', sequence, digest);
}

/** ⟨CHECKPOINT, sequence, digest, UI⟩, for the next state that was not said yet. */
export function maybeCheckpoint(replica: Replica, ctx: Context): boolean {
  if (!maySpeak(replica)) return false;
  const last = ownOf(replica).checkpoint;
  const [next] = [...replica.states.keys()].filter((each) => each > last).sort((a, b) => a - b);
  if (next === undefined) return false;
  ctx.line('checkpoint');
  const digest = replica.states.get(next) as Digest;
  say(replica, { kind: 'checkpoint', sequence: next, digest }, ctx);
  return true;
}

/** ⟨CHECKPOINT, sequence, digest, UI⟩ in its turn. */
export function takeCheckpoint(
  replica: Replica,
  heard: Heard,
  message: Signed<Checkpoint>,
  ctx: Context,
): void {
  const { sequence } = message;
  if (sequence % ctx.group.checkpointEvery !== 0 || sequence <= heard.checkpoint) return;
  heard.checkpoint = sequence;
  const mark = markOf(heard, message);
  if (sequence <= lowOf(replica)) return moveAnchor(replica, heard, mark, ctx);
  heard.checkpoints.set(sequence, message);
  heard.marks.set(sequence, mark);
}

/** How a member stands that has just said a checkpoint. */
const markOf = (heard: Heard, { from, number, sequence }: Signed<Checkpoint>): Anchor => ({
  member: from,
  number,
  sequence,
  view: heard.view,
  changes: [...heard.changes]
    .slice(-keptChanges)
    .map(([changed, { view }]) => ({ number: changed, view })),
  begun: heard.begun,
  orders: [...heard.orders]
    .filter(([n]) => n > sequence)
    .map(([n, digest]) => ({ sequence: n, digest })),
});

/** Whether these are checkpoints of a quorum for one state. */
export function isProof(group: Group, proof: readonly Signed<Checkpoint>[]): boolean {
  const [first] = proof;
  const signers = new Set(proof.map(({ from }) => from));
  return (
    first !== undefined &&
    first.sequence > 0 &&
    first.sequence % group.checkpointEvery === 0 &&
    signers.size === proof.length &&
    signers.size >= group.quorum &&
    proof.every(
      ({ from, sequence, digest }) =>
        isMember(group, from) && sequence === first.sequence && digest === first.digest,
    )
  );
}

/** A quorum has said one state: it is stable. The latest one counts. */
export function maybeStable(replica: Replica, ctx: Context): boolean {
  const low = Math.max(lowOf(replica), replica.ahead[0]?.sequence ?? 0);
  const said = new Map<string, Signed<Checkpoint>[]>();
  for (const { checkpoints } of replica.heard.values())
    for (const each of checkpoints.values()) {
      if (each.sequence <= low) continue;
      const key = `${each.sequence}/${each.digest}`;
      said.set(key, [...(said.get(key) ?? []), each]);
    }
  let best: readonly Signed<Checkpoint>[] | undefined;
  for (const same of said.values())
    if (same.length >= ctx.group.quorum)
      if ((same[0]?.sequence ?? 0) > (best?.[0]?.sequence ?? 0)) best = same;
  if (best === undefined) return false;
  learnProof(replica, best, ctx);
  return true;
}

/** Notes a proven checkpoint; it is taken over once its state is here. */
function learnProof(replica: Replica, proof: readonly Signed<Checkpoint>[], ctx: Context): void {
  const sequence = proof[0]?.sequence ?? 0;
  if (sequence <= Math.max(lowOf(replica), replica.ahead[0]?.sequence ?? 0)) return;
  replica.ahead = proof;
  if (sequence >= replica.lastExecuted + ctx.group.checkpointEvery) fetchState(replica, ctx);
}

/** The state of a proven checkpoint is here: nobody needs what was before. */
export function maybeAdopt(replica: Replica, ctx: Context): boolean {
  const [proven] = replica.ahead;
  if (proven === undefined || proven.sequence > replica.lastExecuted) return false;
  const { sequence, digest } = proven;
  const own = replica.states.get(sequence);
  // The snapshot may be on its way to the disk.
  if (own === undefined && replica.snapshot < sequence) return false;
  assert(
    own === undefined || own === digest,
    `the state after ${sequence} is not the one that a quorum certified: ` +
      'the application is not deterministic, or its disk is damaged',
  );
  ctx.line('stable');
  ctx.save({ stable: replica.ahead });
  replica.ahead = [];
  ctx.drop('batches', { below: sequence - ctx.group.checkpointEvery + 1 });
  ctx.drop('states', { below: sequence });
  for (const heard of replica.heard.values()) {
    forgetBelow(heard, sequence);
    const marks = [...heard.marks.values()].filter((each) => each.sequence <= sequence);
    const last = marks.at(-1);
    if (last !== undefined) moveAnchor(replica, heard, last, ctx);
  }
  return true;
}

function forgetBelow(heard: Heard, sequence: number): void {
  for (const n of heard.votes.keys()) if (n <= sequence) heard.votes.delete(n);
  for (const n of heard.checkpoints.keys()) if (n <= sequence) heard.checkpoints.delete(n);
  for (const [key, prepare] of heard.prepares)
    if (prepare.sequence <= sequence) heard.prepares.delete(key);
}

/** A member is heard from `anchor` on; what was before is let go. */
function moveAnchor(replica: Replica, heard: Heard, anchor: Anchor, ctx: Context): void {
  heard.anchor = anchor;
  for (const n of heard.marks.keys()) if (n <= anchor.sequence) heard.marks.delete(n);
  ctx.save({ anchors: anchorsOf(replica) });
  letGo(replica, anchor.member, ctx);
}

/**
 * What a member has said before its anchor is let go once all have heard it, or much more has been
 * said since: who is away for so long gets the state, and has the places from f+1 others.
 */
export function letGo(replica: Replica, member: ReplicaId, ctx: Context): void {
  const { statements, logged, anchor } = heardOf(replica, member);
  const others = [...replica.heard].filter(([id]) => id !== ctx.self);
  const heard = Math.min(...others.map(([, { reported }]) => reported[member] ?? 0));
  const most = mostStatements(ctx.group.window);
  const below = Math.min(anchor.number, Math.max(heard, anchor.number - most)) + 1;
  for (const n of statements.keys()) if (n < below) statements.delete(n);
  for (const n of logged) if (n < below) logged.delete(n);
  compact(replica, ctx);
  if (member !== ctx.self) return;
  for (const n of replica.said.keys()) if (n < below) return ctx.drop('said', { below });
}

/** What is kept is written to the end of the log, once most of the log is not. */
function compact(replica: Replica, ctx: Context): void {
  let kept = 0;
  for (const { logged } of replica.heard.values()) kept += logged.size;
  if (replica.log.size <= 2 * kept + 64) return;
  const below = replica.row;
  for (const [row, statement] of [...replica.log])
    if (row < below && replica.heard.get(statement.from)?.logged.has(statement.number))
      ctx.put('log', replica.row++, statement);
  ctx.drop('log', { below });
}

/** From where each member is heard. */
export const anchorsOf = (replica: Replica): Anchor[] =>
  [...replica.heard.values()].map(({ anchor }) => anchor).filter(({ number }) => number > 0);

/** A stable checkpoint, from one that has let go of what was before it. */
export function stableCheckpoint(
  replica: Replica,
  message: Signed<StableCheckpoint>,
  ctx: Context,
): void {
  const { from, proof, anchors } = message;
  if (!isMember(ctx.group, from) || !isProof(ctx.group, proof)) return;
  learnProof(replica, proof, ctx);
  for (const anchor of anchors) vouch(replica, from, anchor, ctx);
}

/** Most places that members are said to be heard from at a time. */
const mostVouched = 16;

function vouch(replica: Replica, from: number, anchor: Anchor, ctx: Context): void {
  const heard = replica.heard.get(anchor.member);
  if (heard === undefined || anchor.number <= heard.number) return;
  const key = ctx.digest(ctx.group.schemas.anchor, anchor);
  const known = heard.vouched.get(key) ?? { anchor, by: new Set() };
  heard.vouched.set(key, known);
  known.by.add(from);
  if (heard.vouched.size > mostVouched)
    for (const oldest of heard.vouched.keys()) {
      heard.vouched.delete(oldest);
      break;
    }
}

/** One of f+1 is honest, and has heard all that came before. */
export function maybeJump(replica: Replica, ctx: Context): boolean {
  let any = false;
  for (const heard of replica.heard.values()) {
    let best: Anchor | undefined;
    for (const { anchor, by } of heard.vouched.values()) {
      if (by.size <= ctx.group.f || anchor.sequence > lowOf(replica)) continue;
      if (anchor.number > (best?.number ?? heard.number)) best = anchor;
    }
    if (best === undefined) continue;
    jump(replica, heard, best, ctx);
    any = true;
  }
  return any;
}

/** A member is heard from a later place on, because nobody has what was before. */
function jump(replica: Replica, heard: Heard, anchor: Anchor, ctx: Context): void {
  ctx.line('jump');
  const { votes, prepares, statements, logged, early, asked, reported, checkpoints } = heard;
  const kept = { votes, prepares, statements, logged, early, asked, reported, checkpoints };
  Object.assign(heard, heardFrom(anchor), kept);
  for (const n of early.keys()) if (n <= anchor.number) early.delete(n);
  if (anchor.member === ctx.self && anchor.number > replica.number)
    ctx.save({ number: anchor.number, view: Math.max(replica.view, anchor.view) });
  moveAnchor(replica, heard, anchor, ctx);
}

/** Asks for the state of the proven checkpoint unless it is there. */
export function fetchState(replica: Replica, ctx: Context): void {
  const [proven] = replica.ahead;
  if (proven === undefined || proven.sequence <= replica.lastExecuted) return;
  if (replica.fetching >= proven.sequence) return;
  ctx.line('state-fetch');
  replica.fetching = proven.sequence;
  const holders = new Set([...replica.ahead.map(({ from }) => from), ...ctx.group.members]);
  holders.delete(ctx.self);
  ctx.fetchSnapshot(proven.sequence - 1, proven.digest, [...holders]);
}

/** The state that was asked for is in place: go on behind it. */
export function snapshotInstalled(
  replica: Replica,
  slot: Slot,
  digest: Digest,
  ctx: Context,
): void {
  const sequence = slot + 1;
  replica.fetching = 0;
  if (sequence <= replica.lastExecuted) return fetchState(replica, ctx);
  ctx.line('state-installed');
  replica.lastExecuted = sequence;
  ctx.save({ snapshot: sequence });
  ctx.put('states', sequence, digest);
  // Some of what waits here is part of the state now; clients repeat the rest.
  forgetWaiting(replica);
  fetchState(replica, ctx);
}
