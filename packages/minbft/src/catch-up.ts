/**
 * What the paper leaves to links that lose nothing: members say where they stand, and whoever has
 * heard more hands on what the others lack. So does one come back that was away.
 */
import { type Batch, bytesOf, maxBatchBytes, type Signed } from '@quorumlab/core';
import { anchorsOf, fetchState, letGo } from './checkpoint.ts';
import { hear } from './counter.ts';
import { type Group, isMember, primaryOf } from './group.ts';
import type { FetchBatch, Said, StatusReport } from './messages.ts';
import { bodyOf } from './normal-case.ts';
import { type Context, heardOf, lowOf, ownOf, type Replica } from './state.ts';

/** Most statements of one member in answer to one report. */
const answeredAtMost = 64;
/** After so many more statements a replica that catches up asks for the next ones. */
const askedAfter = 32;

/** A replica begins again: what it had said is signed again, for itself and for all. */
export function start(replica: Replica, ctx: Context, incarnation: number): void {
  ctx.setTimer('idle', ctx.group.requestTimeout);
  replica.viewSince = ctx.now;
  replica.restored = { number: 0, since: ctx.now };
  const isBlank = replica.number === 0 && replica.snapshot === 0;
  if (isBlank && incarnation === 0) return;
  ctx.line('restart');
  replica.restoring = isBlank && ctx.group.n > 1;
  sayAgain(replica, ctx);
  ctx.broadcast(statusOf(replica, ctx));
}

/** Where this replica stands. */
const statusOf = (replica: Replica, ctx: Context): StatusReport => ({
  kind: 'status',
  view: replica.view,
  stable: lowOf(replica),
  executed: replica.lastExecuted,
  heard: ctx.group.members.map((member) => heardOf(replica, member).number),
});

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0);

/** Whether it is time to answer: whoever has used the last answer gets the next one at once. */
export function mayAnswer(
  group: Group,
  replica: Replica,
  { from, heard }: Signed<StatusReport>,
  now: number,
): boolean {
  const last = replica.answered.get(from);
  if (last === undefined || sumOf(heard) >= last.heard + askedAfter) return true;
  return now - last.at >= group.statusPeriod / 4;
}

/** Where another stands: it is sent what it lacks, now and then. */
export function status(replica: Replica, message: Signed<StatusReport>, ctx: Context): void {
  const { from, heard, stable, executed } = message;
  const { group } = ctx;
  if (!isMember(group, from) || from === ctx.self || heard.length !== group.n) return;
  if (replica.restoring) replica.saidOf.set(from, heard[ctx.self] as number);
  else if (!mayAnswer(group, replica, message, ctx.now)) return;
  heardOf(replica, from).reported = heard;
  for (const member of group.members) letGo(replica, member, ctx);
  replica.answered.set(from, { at: ctx.now, heard: sumOf(heard) });
  if (stable < lowOf(replica) || lacksAnchor(replica, heard))
    ctx.send(from, {
      kind: 'stable-checkpoint',
      proof: replica.stable,
      anchors: anchorsOf(replica),
    });
  let ahead = executed > replica.lastExecuted;
  for (const member of group.members) {
    const after = heard[member] as number;
    const known = heardOf(replica, member);
    if (after > known.number) ahead = true;
    for (let n = after + 1; n <= Math.min(known.number, after + answeredAtMost); n++) {
      const statement = known.statements.get(n);
      if (statement !== undefined) ctx.send(from, { kind: 'said', statement });
    }
  }
  // It has what is missing here.
  if (ahead || replica.restoring) ctx.send(from, statusOf(replica, ctx));
}

const lacksAnchor = (replica: Replica, heard: readonly number[]): boolean =>
  anchorsOf(replica).some(({ member, number }) => (heard[member] ?? 0) < number);

/** A batch that another lacks. */
export function fetchBatch(replica: Replica, message: Signed<FetchBatch>, ctx: Context): void {
  const { from, sequence, digest } = message;
  if (!isMember(ctx.group, from) || from === ctx.self) return;
  const body = bodyOf(ctx.group, replica, sequence, digest);
  if (body !== undefined) ctx.send(from, { kind: 'batch', batch: body });
}

/**
 * One that came back without its disk: a quorum has said how much it has heard of this replica, and
 * all of that is here again.
 */
export function maybeRestored(replica: Replica, ctx: Context): boolean {
  if (!replica.restoring || replica.saidOf.size < ctx.group.quorum - 1) return false;
  if (ownOf(replica).number < Math.max(...replica.saidOf.values())) return false;
  ctx.line('restored');
  replica.restoring = false;
  return true;
}

/**
 * Whoever has heard a statement can hand it on. So a claim that is not made good for a while is no
 * reason to be silent, once as many are as a quorum takes: a liar's would be one for ever. Should
 * this replica speak too early, its counter signs no second text under a number.
 */
function doubtClaims(replica: Replica, { group, now }: Context): void {
  const { number } = ownOf(replica);
  if (number > replica.restored.number) replica.restored = { number, since: now };
  if (now - replica.restored.since < group.requestTimeout) return;
  const unmet = [...replica.saidOf].filter(([, claimed]) => claimed > number);
  if (replica.saidOf.size - unmet.length < group.quorum - 1) return;
  for (const [from] of unmet) replica.saidOf.delete(from);
}

/** Whether anything is missing here, or waited for. */
const isBusy = (replica: Replica): boolean =>
  replica.waiting.size > 0 ||
  replica.restoring ||
  replica.ahead.length > 0 ||
  replica.asked.size > 0 ||
  replica.number > ownOf(replica).number ||
  ownOf(replica).view !== replica.view ||
  !heardOf(replica, replica.view % replica.heard.size).begun ||
  [...replica.heard.values()].some(
    ({ early, votes }) => early.size > 0 || [...votes.keys()].some((n) => n > replica.lastExecuted),
  );

/** While anything is missing, time counts. */
export function maybeTick(replica: Replica, ctx: Context): boolean {
  if (replica.ticking || !isBusy(replica)) return false;
  replica.ticking = true;
  replica.seen = replica.lastExecuted;
  ctx.setTimer('tick', ctx.group.statusPeriod);
  return true;
}

/** Whether statements are here whose turn has not come. */
const hasGap = ({ heard }: Replica): boolean =>
  [...heard.values()].some(({ early }) => early.size > 0);

/** A statement that was handed on: once much of an answer is here, the next one is asked for. */
export function said(replica: Replica, message: Signed<Said>, ctx: Context): void {
  const { from, statement } = message;
  if (!isMember(ctx.group, from) || !isMember(ctx.group, statement.from)) return;
  hear(replica, statement, ctx);
  if (statement.number % askedAfter === 0 && heardOf(replica, statement.from).early.size > 0)
    ctx.send(from, statusOf(replica, ctx));
}

/** The timer 'tick': asks for what is missing, and for another view if the primary is late. */
export function tickTimeout(replica: Replica, ctx: Context): void {
  replica.ticking = false;
  if (!isBusy(replica)) return;
  replica.ticking = true;
  ctx.setTimer('tick', ctx.group.statusPeriod);
  replica.asked.clear();
  fetchState(replica, ctx);
  if (replica.restoring) doubtClaims(replica, ctx);
  if (replica.number > ownOf(replica).number) sayAgain(replica, ctx);
  const seen = replica.lastExecuted;
  if (seen === replica.seen || hasGap(replica)) {
    ctx.line('status');
    ctx.broadcast(statusOf(replica, ctx));
    relayOldest(replica, ctx);
  }
  replica.seen = seen;
  maybeImpatient(replica, ctx);
}

/** What came back from its trusted counter may be lost: all that this replica has not heard. */
function sayAgain(replica: Replica, ctx: Context): void {
  const { number, early } = ownOf(replica);
  for (let n = number + 1; n <= replica.number; n++) {
    const statement = replica.said.get(n);
    if (statement !== undefined && !early.has(n)) ctx.broadcast(statement);
  }
}

/** Requests that are late may have been lost on their way to the primary. */
function relayOldest(replica: Replica, ctx: Context): void {
  const primary = primaryOf(ctx.group, replica.view);
  if (primary === ctx.self) return;
  const requests: Batch[number][] = [];
  let bytes = 0;
  for (const { request } of replica.waiting.values()) {
    bytes += bytesOf(request);
    if (bytes > maxBatchBytes || requests.length === ctx.group.maxBatch) break;
    requests.push(request);
  }
  if (requests.length > 0) ctx.send(primary, { kind: 'relay', requests });
}

/** REQ-VIEW-CHANGE: a request has waited too long, or a view too long for its beginning. */
function maybeImpatient(replica: Replica, ctx: Context): void {
  const { group } = ctx;
  // Doubling makes it longer than any delay, sooner or later. 2^16 is "later".
  const patience = group.requestTimeout * 2 ** Math.min(replica.attempts, 16);
  if (ctx.now - replica.viewSince < patience || replica.ahead.length > 0) return;
  const isBegun = heardOf(replica, primaryOf(group, replica.view)).begun;
  const isLate = [...replica.waiting.values()].some(({ counted }) => ctx.now - counted >= patience);
  const isStuck = [...replica.heard.values()].some(({ votes }) =>
    [...votes.keys()].some((n) => n > replica.lastExecuted),
  );
  if (isBegun && !isLate && !isStuck) return;
  ctx.line('req-view-change');
  ctx.broadcast({ kind: 'req-view-change', view: replica.view + 1 });
}

/** The timer 'idle': whoever lacks something and does not know hears of it. */
export function idleTimeout(replica: Replica, ctx: Context): void {
  const { n, f } = ctx.group;
  ctx.setTimer('idle', ctx.group.requestTimeout);
  ctx.line('idle');
  for (let i = 0; i <= f; i++) {
    replica.told = (replica.told + 1) % n;
    if (replica.told === ctx.self) replica.told = (replica.told + 1) % n;
    if (replica.told !== ctx.self) ctx.send(replica.told, statusOf(replica, ctx));
  }
}
