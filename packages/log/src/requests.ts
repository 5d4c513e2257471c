/** What a service does with what clients ask of it: requests and queries. */
import {
  asksForSession,
  bytesOf,
  type DigestOf,
  type Input,
  idle,
  type Output,
  type Request,
  type Signed,
} from '@quorumlab/core';
import {
  isFull,
  logFull,
  query,
  sendRefusal,
  sendReply,
  sendSession,
  stateTooLarge,
} from './answering.ts';
import { readsWithoutOrder } from './client-state.ts';
import { hashOf } from './hash.ts';
import type { Query, ServiceMessage } from './messages.ts';
import type { Run, UnplacedRequest } from './replica-state.ts';
import { contentsOf } from './replies.ts';
import { pass, within } from './service-step.ts';
import { isCrowded, isRefused, lookUp, wellFormed } from './sessions.ts';
import type { LogShape, Serviced } from './types.ts';
import { forgetReads } from './waiting-reads.ts';

/** Most requests that are refused as soon as the log is full; others when they are asked again. */
const maxHopeful = 1024;

/** Takes a request: it has run and is answered, or it is refused, or it is for the protocol. */
export function onRequest<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  message: Signed<Extract<ServiceMessage, { kind: 'request' }>>,
): Output<Serviced<S>> {
  if (!wellFormed(message)) return idle();
  const { client, sequence } = message;
  const { sessions, unplaced } = run.state;
  // A log with an end has no slot to spare for that, and closes no sessions.
  if (asksForSession(message) && run.protocol.length !== undefined)
    return within(run, input, (step) => sendSession(step, message));
  const found = lookUp(sessions, message, () => contentsOf(message, run.digest));
  if (found !== undefined && !asksForSession(message))
    return within(run, input, (step) =>
      isRefused(found) ? sendRefusal(step, message, found) : sendReply(step, message, found),
    );
  if (isFull(run)) return within(run, input, (step) => sendRefusal(step, message, logFull));
  if (run.state.tooLarge)
    return within(run, input, (step) => sendRefusal(step, message, stateTooLarge));
  // There some are forgotten only now and then; the client asks again.
  if (run.protocol.claims.order === 'conflicts' && isCrowded(sessions, message, run.sessionCaps))
    return idle();
  if (run.policy.ask === 'leader') {
    const { leader = null, term } = run.inner.status();
    // A protocol that forwards gives it to the leader itself, if it knows one.
    if (leader !== run.self && !(run.policy.forwards && leader !== null))
      return within(run, input, ({ out }) => {
        const redirect = { kind: 'redirect', about: 'request', sequence, leader, term } as const;
        out.sends.push({ to: client, message: redirect });
      });
  }
  if (run.protocol.length !== undefined && unplaced.length < maxHopeful)
    noteUnplaced(unplaced, message, run.digest);
  // The whole message is the command, so that the client's seal goes with it wherever it goes.
  return pass(run, input, { type: 'propose', command: message });
}

/** Notes a request that may find no slot; a client may have several under one sequence. */
function noteUnplaced(
  unplaced: UnplacedRequest[],
  request: Signed<Request>,
  digestOf: DigestOf,
): void {
  const { client, session = 0, sequence } = request;
  const digest = contentsOf(request, digestOf);
  if (
    unplaced.some(
      (each) =>
        each.digest === digest && each.name.sequence === sequence && each.name.client === client,
    )
  )
    return;
  unplaced.push({ name: { client, session, sequence }, digest, hash: hashOf(request) });
}

/** Takes a query: it is answered once the protocol allows a read. */
export function onQuery<S extends LogShape>(
  run: Run<S>,
  input: Input<Serviced<S>>,
  message: Signed<Query>,
): Output<Serviced<S>> {
  const { from: to, sequence, operations } = message;
  const say = (answer: ServiceMessage): Output<Serviced<S>> =>
    within(run, input, ({ out }) => void out.sends.push({ to, message: answer }));
  if (
    !readsWithoutOrder(run.policy) ||
    (run.protocol.read === undefined && message.consistency !== 'local')
  )
    return say({ kind: 'query-reply', sequence, results: null });
  if (message.consistency === 'local')
    return say({ kind: 'query-reply', sequence, results: query(run.application, operations) });
  const { leader = null, term } = run.inner.status();
  const canRead = leader === run.self || (run.policy.readsAnywhere === true && leader !== null);
  if (run.policy.ask === 'leader' && !canRead)
    return say({ kind: 'redirect', about: 'query', sequence, leader, term });
  const id = run.state.nextRead++;
  const size = bytesOf({ operations });
  run.state.reads.set(id, { client: to, sequence, operations, size, upTo: undefined });
  run.state.readBytes += size;
  forgetReads(run.state);
  return pass(run, input, { type: 'read', id: id * 2 });
}
