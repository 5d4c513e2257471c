/**
 * The protocol: Lamport, "Paxos Made Simple" (2001), §2. Every replica is proposer, acceptor and
 * learner of one decision. Which value a proposer may propose is in `rules.ts`.
 */
import {
  ballotOwner,
  equalRequests,
  maxInteger,
  ms,
  nextBallot,
  type PrincipalId,
  type ReplicaId,
  type Signed,
} from '@quorumlab/core';
import { isRefused, mayTell } from './admits.ts';
import type { Group } from './group.ts';
import type {
  Accept,
  Accepted,
  Ask,
  Decided,
  Nack,
  Prepare,
  Promise1b,
  Value,
} from './messages.ts';
import { doubled } from './rules.ts';
import { type BasicPaxos, type Context, maxReads, type Replica } from './state.ts';

/** How long a learner that knows of nothing waits at least before it asks for the first time. */
const firstQuestion = ms(500);

/** Phase 1a: a new number, durable before anybody hears of it (§2.5). */
function prepare(proposer: Replica, ctx: Context): void {
  const { n, retry, maxRetry } = ctx.group;
  const { promised, heard } = proposer;
  const ballot = nextBallot(Math.max(proposer.ballot, promised, heard), ctx.self, n);
  // Numbers end at the largest one of the wire: no attempt after it, rather than an old one again.
  proposer.phase = ballot > maxInteger ? 'idle' : 'preparing';
  if (proposer.phase === 'idle') return;
  ctx.line('1a');
  ctx.save({ ballot });
  proposer.promises.clear();
  proposer.reading.push(...proposer.readsWaiting.splice(0));
  ctx.setTimer('retry', doubled(proposer.failures, retry, maxRetry));
  ctx.broadcast({ kind: 'prepare', ballot });
}

/** Phase 2a: a quorum has promised, so it is known which value may be proposed. */
function maybeAccept(proposer: Replica, ctx: Context): void {
  const { promises, ballot } = proposer;
  if (!ctx.group.quorums.phase1.has(promises.keys())) return;
  const reported = ctx.group.rules.choose([...promises.values()]);
  // Nothing was chosen when the quorum promised, so neither when these reads were asked for.
  if (reported === null) allowReads(proposer.reading, -1, ctx);
  const value = reported ?? proposer.wish;
  if (value === null) return rest(proposer, ctx);
  ctx.line('2a');
  proposer.phase = 'accepting';
  ctx.broadcast({ kind: 'accept', ballot, value });
}

function allowReads(reads: number[], upTo: number, ctx: Context): void {
  if (reads.length > 0) ctx.line('read');
  for (const id of reads.splice(0)) ctx.allowRead(id, upTo);
}

/** Only reads were waiting, and they are answered; those that came meanwhile need a new ballot. */
function rest(proposer: Replica, ctx: Context): void {
  proposer.phase = 'idle';
  proposer.failures = 0;
  if (proposer.readsWaiting.length > 0) prepare(proposer, ctx);
  else ctx.clearTimer('retry');
}

/** The learner knows the chosen value (§2.3), for ever. */
function learn(learner: Replica, value: Value, ctx: Context): void {
  ctx.save({ decided: value });
  ctx.decide(0, [value]);
  learner.phase = 'idle';
  learner.wish = null;
  learner.promises.clear();
  learner.votes.clear();
  allowReads(learner.reading, 0, ctx);
  allowReads(learner.readsWaiting, 0, ctx);
  ctx.clearTimer('retry');
  ctx.clearTimer('ask');
}

/** A learner that may have missed something asks for it, less and less often. */
function ask(learner: Replica, ctx: Context): void {
  ctx.line('ask');
  ctx.broadcast({ kind: 'ask' });
  learner.asked += 1;
  expectMore(learner, ctx);
}

const expectMore = ({ asked }: Replica, ctx: Context): void =>
  ctx.setTimer('ask', doubled(asked, ctx.group.retry, seldom(ctx.group)));

const seldom = ({ retry, maxRetry }: Group): number => Math.max(retry, Math.floor(maxRetry / 2));

/** Says what is known here, unless that was said a moment ago. */
function tell(learner: Replica, to: ReplicaId, message: Accepted | Decided, ctx: Context): void {
  if (!mayTell(ctx.group, learner, to, ctx.now)) return;
  learner.toldAt.set(to, ctx.now);
  ctx.send(to, message);
}

/** An acceptor answers only owners of a ballot; who knows the outcome tells it instead. */
function answers(acceptor: Replica, from: number, ballot: number, ctx: Context) {
  const { n } = ctx.group;
  if (from >= n || ballotOwner(ballot, n) !== from) return false;
  const { decided, promised, rejoined } = acceptor;
  if (decided !== null) tell(acceptor, from, { kind: 'decided', value: decided }, ctx);
  else if (!rejoined && ballot < promised) {
    ctx.line('nack');
    ctx.send(from, { kind: 'nack', ballot, promised });
  }
  return decided === null && !rejoined && ballot >= promised;
}

const isMember = (group: Group, from: PrincipalId): boolean => from < group.n;

/** `upon start`: says what is decided, and asks if something may have been missed. */
export function start(replica: Replica, ctx: Context): void {
  if (replica.decided !== null) ctx.decide(0, [replica.decided]);
  else if (replica.rejoined || replica.promised > 0) ask(replica, ctx);
  // It may have missed everything, and then nobody tells it unasked.
  else ctx.setTimer('ask', [firstQuestion, 2 * firstQuestion]);
}

/** `upon start` of a replica whose disk was lost: from then on it only learns. */
export function rejoin(replica: Replica, ctx: Context): void {
  ctx.line('rejoin');
  ctx.save({ rejoined: true });
  ask(replica, ctx);
}

/** A client wants `command` to be chosen. */
export function propose(proposer: Replica, command: Value, ctx: Context): void {
  const { decided, wish, rejoined } = proposer;
  if (decided !== null || wish !== null || rejoined || command.configuration) return;
  proposer.wish = command;
  if (proposer.phase === 'idle') prepare(proposer, ctx);
}

/** A client wants to read: a ballot of its own tells whether anything is chosen. */
export function read(proposer: Replica, id: number, ctx: Context): void {
  if (proposer.decided !== null) return ctx.allowRead(id, 0);
  if (proposer.rejoined) return;
  if (proposer.reading.length + proposer.readsWaiting.length >= maxReads) return;
  proposer.readsWaiting.push(id);
  if (proposer.phase === 'idle') prepare(proposer, ctx);
}

/** Phase 1b: promises, and tells what it has accepted. */
export function onPrepare(
  acceptor: Replica,
  { ballot, from }: Signed<Prepare>,
  ctx: Context,
): void {
  if (!answers(acceptor, from, ballot, ctx)) return;
  const { accepted } = acceptor;
  if (accepted?.ballot === ballot) return; // A late copy: phase 1 of this ballot is over.
  ctx.line('1b');
  ctx.save({ promised: ballot });
  ctx.send(from, { kind: 'promise', ballot, accepted });
}

/** With the promises of a quorum it is known which value may be proposed. */
export function promise(
  proposer: Replica,
  { ballot, accepted, from }: Signed<Promise1b>,
  ctx: Context,
): void {
  if (!isMember(ctx.group, from) || proposer.phase !== 'preparing') return;
  if (ballot !== proposer.ballot || proposer.promises.has(from)) return;
  proposer.promises.set(from, accepted);
  maybeAccept(proposer, ctx);
}

/** Phase 2b: accepts, and tells all learners. */
export function accept(
  acceptor: Replica,
  { ballot, value, from }: Signed<Accept>,
  ctx: Context,
): void {
  if (!answers(acceptor, from, ballot, ctx)) return;
  const { accepted } = acceptor;
  // A proposer gives a ballot one value; whoever sends a second one lies.
  if (accepted?.ballot === ballot && !equalRequests(accepted.value, value)) return;
  ctx.line('2b');
  ctx.save({ promised: ballot, accepted: { ballot, value } });
  ctx.broadcast({ kind: 'accepted', ballot, value });
}

/** §2.3: with the votes of a quorum the value is chosen. */
export function accepted(
  learner: Replica,
  { ballot, value, from }: Signed<Accepted>,
  ctx: Context,
): void {
  const { group } = ctx;
  if (!isMember(group, from) || learner.decided !== null) return;
  if (ballot < (learner.votes.get(from)?.ballot ?? 0)) return;
  const vote = { ballot, value };
  learner.votes.set(from, vote);
  const alike = [...learner.votes].filter(([, each]) => group.rules.alike(each, vote));
  const acceptors = alike.map(([acceptor]) => acceptor);
  if (!group.quorums.phase2.has(acceptors)) return expectMore(learner, ctx);
  ctx.line('learn');
  ctx.voters(acceptors);
  learn(learner, value, ctx);
}

/** §2.4: refused; the next attempt comes later, and above what was heard of. */
export function nack(proposer: Replica, message: Signed<Nack>, ctx: Context): void {
  const { group } = ctx;
  const { promised, from } = message;
  if (!isMember(group, from) || !isRefused(proposer, message)) return;
  ctx.line('back-off');
  proposer.heard = Math.max(proposer.heard, promised);
  proposer.failures += 1;
  proposer.phase = 'waiting';
  ctx.setTimer('retry', group.rules.backOff(proposer.failures, group.retry, group.maxRetry));
}

/** Somebody asks what is known here. */
export function onAsk(learner: Replica, { from }: Signed<Ask>, ctx: Context): void {
  if (!isMember(ctx.group, from)) return;
  const { decided, accepted } = learner;
  if (decided !== null) tell(learner, from, { kind: 'decided', value: decided }, ctx);
  else if (accepted !== null) tell(learner, from, { kind: 'accepted', ...accepted }, ctx);
}

/** Another learner knows what was chosen. */
export function decided(learner: Replica, { value, from }: Signed<Decided>, ctx: Context): void {
  if (!isMember(ctx.group, from) || learner.decided !== null) return;
  ctx.line('told');
  learn(learner, value, ctx);
}

/** An attempt has come to nothing, or an answer has not come. */
export function timeout(replica: Replica, timer: BasicPaxos['Timer'], ctx: Context): void {
  if (replica.decided !== null) return;
  if (timer === 'ask') return ask(replica, ctx);
  if (replica.phase === 'idle') return;
  if (replica.phase !== 'waiting') replica.failures += 1;
  prepare(replica, ctx);
}
