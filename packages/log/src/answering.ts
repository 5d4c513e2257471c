/** What a service tells clients: results, refusals, sessions, and answers to reads. */
import { type Configured, encode, type Request, type Tentative } from '@quorumlab/core';
import { hashOf } from './hash.ts';
import {
  maxOperationBytes,
  maxResultBytes,
  outcome,
  type ServiceMessage,
  sessionNumber,
} from './messages.ts';
import type { PendingRead, Run, Step, UnplacedRequest } from './replica-state.ts';
import type { Results } from './replies.ts';
import { isRefused, lookUp, type Name, nextSession, type Refused } from './sessions.ts';
import type { LogShape, StateMachine } from './types.ts';

/** The log has ended: who has found no slot in it is told so, unless there is more to tell. */
export function refuseHopeful<S extends LogShape>(
  step: Step<S>,
  { name, digest, hash }: UnplacedRequest,
): void {
  const found = lookUp(step.run.state.sessions, name, () => digest);
  if (found !== undefined && !isRefused(found)) return;
  refuse(step, name, hash, found ?? logFull);
}

/** Whether every slot of the log has been applied: then nothing more can ever run. */
export const isFull = <S extends LogShape>({ protocol, state }: Run<S>): boolean =>
  protocol.length !== undefined && state.next >= protocol.length;

/** What is said of a request that has found no slot. */
export const logFull: Refused = { reason: 'log-full', next: 0 };
/** What is said when nothing may be added to the state. */
export const stateTooLarge: Refused = { reason: 'state-too-large', next: 0 };

/** Tells a client that its request will not run from now on, and why. */
export const sendRefusal = <S extends LogShape>(
  step: Step<S>,
  request: Request,
  why: Refused,
): void => refuse(step, request, hashOf(request), why);

function refuse<S extends LogShape>(
  { out }: Step<S>,
  { client, sequence }: Name,
  hash: number,
  { reason, next }: Refused,
): void {
  out.sends.push({ to: client, message: { kind: 'refusal', sequence, hash, reason, next } });
}

/** What whoever asked for a change of the group is told: nothing if it was made, or why not. */
export const outcomeOf = (configured: Configured | undefined): Results => [
  encode(
    outcome,
    (configured === undefined ? unchangeable : (configured.refusal ?? '')).slice(0, 1024),
  ),
];

const unchangeable = 'the group stays as it is: its protocol does not take this change';

/** Sends (again) what a request gave, or what it gives in a slot that is not decided. */
export function sendReply<S extends LogShape>(
  { run, out }: Step<S>,
  request: Request,
  results: Results,
  tentative?: Pick<Tentative<S>, 'slot' | 'term'>,
): void {
  out.status ??= run.inner.status();
  const { leader = null } = out.status;
  const { term } = tentative ?? out.status;
  const { client, sequence } = request;
  const hash = hashOf(request);
  const message = { kind: 'reply', client, sequence, hash, leader, term, results } as const;
  out.sends.push({
    to: client,
    message: tentative === undefined ? message : { ...message, tentative: tentative.slot },
  });
}

/** Tells a client which session it may open. */
export const sendSession = <S extends LogShape>(step: Step<S>, request: Request): void =>
  sendReply(step, request, [
    encode(sessionNumber, nextSession(step.run.state.sessions, request.client)),
  ]);

/** Answers read-only operations, as many as fit. */
export function query(application: StateMachine, operations: readonly Uint8Array[]): Results {
  const results: Uint8Array[] = [];
  let left = maxResultBytes;
  for (const each of operations) {
    const result = application.query(each);
    left -= result.length;
    if (left < 0 || result.length > maxOperationBytes) break;
    results.push(result);
  }
  return results;
}

/** Answers the queries that the protocol has allowed, as far as the log has been run for them. */
export function serveReads<S extends LogShape>({ run, out }: Step<S>): void {
  const { state } = run;
  for (const [id, read] of state.reads) {
    if (read.upTo === undefined || read.upTo >= state.next) continue;
    state.reads.delete(id);
    state.readBytes -= read.size;
    out.sends.push(answer(run, read));
  }
}

const answer = <S extends LogShape>(
  { application }: Run<S>,
  { client, sequence, operations }: PendingRead,
): { to: number; message: ServiceMessage } => ({
  to: client,
  message: { kind: 'query-reply', sequence, results: query(application, operations) },
});
