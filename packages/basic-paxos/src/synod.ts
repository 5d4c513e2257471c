/**
 * The protocol: Lamport, "Paxos Made Simple" (2001), §2. Every replica is proposer, acceptor and
 * learner of one decision. What they say is in `messages.ts`, what they remember in `state.ts`,
 * which value a proposer may propose in `rules.ts`.
 */
import {
  ballotOwner,
  equalRequests,
  maxInteger,
  ms,
  nextBallot,
  type Protocol,
  type ReplicaId,
} from '@quorumlab/core';
import { isRefused, mayTell } from './admits.ts';
import type { Accepted, Decided, Value } from './messages.ts';
import { doubled } from './rules.ts';
import {
  type BasicPaxos,
  type BasicPaxosContext as Context,
  type Group,
  maxReads,
  type BasicPaxosReplica as Replica,
} from './state.ts';

/** How long a learner that knows of nothing waits at least before it asks for the first time. */
const firstQuestion = ms(500);

/** Phase 1a: a new number, durable before anybody hears of it (§2.5). */
function prepare({ n, retry, maxRetry }: Group, proposer: Replica, ctx: Context): void {
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
function maybeAccept(group: Group, proposer: Replica, ctx: Context): void {
  const { promises, ballot } = proposer;
  if (!group.quorums.phase1.has(promises.keys())) return;
  const reported = group.rules.choose([...promises.values()]);
  // Nothing was chosen when the quorum promised, so neither when these reads were asked for.
  if (reported === null) allowReads(proposer.reading, -1, ctx);
  const value = reported ?? proposer.wish;
  if (value === null) return rest(group, proposer, ctx);
  ctx.line('2a');
  proposer.phase = 'accepting';
  ctx.broadcast({ kind: 'accept', ballot, value });
}

function allowReads(reads: number[], upTo: number, ctx: Context): void {
  if (reads.length > 0) ctx.line('read');
  for (const id of reads.splice(0)) ctx.allowRead(id, upTo);
}

/** Only reads were waiting, and they are answered; those that came meanwhile need a new ballot. */
function rest(group: Group, proposer: Replica, ctx: Context): void {
  proposer.phase = 'idle';
  proposer.failures = 0;
  if (proposer.readsWaiting.length > 0) prepare(group, proposer, ctx);
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
function ask(group: Group, learner: Replica, ctx: Context): void {
  ctx.line('ask');
  ctx.broadcast({ kind: 'ask' });
  learner.asked += 1;
  expectMore(group, learner, ctx);
}

const expectMore = (group: Group, { asked }: Replica, ctx: Context): void =>
  ctx.setTimer('ask', doubled(asked, group.retry, seldom(group)));

const seldom = ({ retry, maxRetry }: Group): number => Math.max(retry, Math.floor(maxRetry / 2));

/** Says what is known here, unless that was said a moment ago. */
function tell(
  group: Group,
  learner: Replica,
  to: ReplicaId,
  message: Accepted | Decided,
  ctx: Context,
): void {
  if (!mayTell(group, learner, to, ctx.now)) return;
  learner.toldAt.set(to, ctx.now);
  ctx.send(to, message);
}

/** An acceptor answers only owners of a ballot; who knows the outcome tells it instead. */
function answers(group: Group, acceptor: Replica, from: number, ballot: number, ctx: Context) {
  const { n } = group;
  if (from >= n || ballotOwner(ballot, n) !== from) return false;
  const { decided, promised, rejoined } = acceptor;
  if (decided !== null) tell(group, acceptor, from, { kind: 'decided', value: decided }, ctx);
  else if (!rejoined && ballot < promised) {
    ctx.line('nack');
    ctx.send(from, { kind: 'nack', ballot, promised });
  }
  return decided === null && !rejoined && ballot >= promised;
}

/** What a protocol does, as the paper has it; what it is, is in `basic-paxos.ts`. */
type Handlers = 'start' | 'rejoin' | 'propose' | 'read' | 'on' | 'timeout';

/** The handlers of a replica in `group`. */
export function synod(group: Group): Required<Pick<Protocol<BasicPaxos>, Handlers>> {
  const isMember = (from: number): boolean => from < group.n;
  return {
    start(replica, ctx) {
      if (replica.decided !== null) ctx.decide(0, [replica.decided]);
      else if (replica.rejoined || replica.promised > 0) ask(group, replica, ctx);
      // It may have missed everything, and then nobody tells it unasked.
      else ctx.setTimer('ask', [firstQuestion, 2 * firstQuestion]);
    },

    rejoin(replica, ctx) {
      ctx.line('rejoin');
      ctx.save({ rejoined: true });
      ask(group, replica, ctx);
    },

    propose(proposer, command, ctx) {
      const { decided, wish, rejoined } = proposer;
      if (decided !== null || wish !== null || rejoined || command.configuration) return;
      proposer.wish = command;
      if (proposer.phase === 'idle') prepare(group, proposer, ctx);
    },

    read(proposer, id, ctx) {
      if (proposer.decided !== null) return ctx.allowRead(id, 0);
      if (proposer.rejoined) return;
      if (proposer.reading.length + proposer.readsWaiting.length >= maxReads) return;
      proposer.readsWaiting.push(id);
      if (proposer.phase === 'idle') prepare(group, proposer, ctx);
    },

    on: {
      prepare(acceptor, { ballot, from }, ctx) {
        if (!answers(group, acceptor, from, ballot, ctx)) return;
        const { accepted } = acceptor;
        if (accepted?.ballot === ballot) return; // A late copy: phase 1 of this ballot is over.
        ctx.line('1b');
        ctx.save({ promised: ballot });
        ctx.send(from, { kind: 'promise', ballot, accepted });
      },

      promise(proposer, { ballot, accepted, from }, ctx) {
        if (!isMember(from) || proposer.phase !== 'preparing') return;
        if (ballot !== proposer.ballot || proposer.promises.has(from)) return;
        proposer.promises.set(from, accepted);
        maybeAccept(group, proposer, ctx);
      },

      accept(acceptor, { ballot, value, from }, ctx) {
        if (!answers(group, acceptor, from, ballot, ctx)) return;
        const { accepted } = acceptor;
        // A proposer gives a ballot one value; whoever sends a second one lies.
        if (accepted?.ballot === ballot && !equalRequests(accepted.value, value)) return;
        ctx.line('2b');
        ctx.save({ promised: ballot, accepted: { ballot, value } });
        ctx.broadcast({ kind: 'accepted', ballot, value });
      },

      accepted(learner, { ballot, value, from }, ctx) {
        if (!isMember(from) || learner.decided !== null) return;
        if (ballot < (learner.votes.get(from)?.ballot ?? 0)) return;
        const vote = { ballot, value };
        learner.votes.set(from, vote);
        const alike = [...learner.votes].filter(([, each]) => group.rules.alike(each, vote));
        const acceptors = alike.map(([acceptor]) => acceptor);
        if (!group.quorums.phase2.has(acceptors)) return expectMore(group, learner, ctx);
        ctx.line('learn');
        ctx.voters(acceptors);
        learn(learner, value, ctx);
      },

      nack(proposer, message, ctx) {
        const { promised, from } = message;
        if (!isMember(from) || !isRefused(proposer, message)) return;
        ctx.line('back-off');
        proposer.heard = Math.max(proposer.heard, promised);
        proposer.failures += 1;
        proposer.phase = 'waiting';
        ctx.setTimer('retry', group.rules.backOff(proposer.failures, group.retry, group.maxRetry));
      },

      ask(learner, { from }, ctx) {
        if (!isMember(from)) return;
        const { decided, accepted } = learner;
        if (decided !== null) tell(group, learner, from, { kind: 'decided', value: decided }, ctx);
        else if (accepted !== null)
          tell(group, learner, from, { kind: 'accepted', ...accepted }, ctx);
      },

      decided(learner, { value, from }, ctx) {
        if (!isMember(from) || learner.decided !== null) return;
        ctx.line('told');
        learn(learner, value, ctx);
      },
    },

    timeout(replica, timer, ctx) {
      if (replica.decided !== null) return;
      if (timer === 'ask') return ask(group, replica, ctx);
      if (replica.phase === 'idle') return;
      if (replica.phase !== 'waiting') replica.failures += 1;
      prepare(group, replica, ctx);
    },
  };
}
