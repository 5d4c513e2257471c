/** What a service, and a client, could make something of: asked before signatures are checked. */
import type { Instant, PrincipalId, Request, Signed } from '@quorumlab/core';
import type { ClientConfig, ClientState } from './client-state.ts';
import type { Holder } from './holders.ts';
import { clientMessages, type ServiceMessage } from './messages.ts';
import type { Run } from './replica-state.ts';
import { contentsOf } from './replies.ts';
import { lookUp, wellFormed } from './sessions.ts';
import type { LogShape, Serviced } from './types.ts';

const kinds: ReadonlySet<string> = new Set(clientMessages.kinds.map(({ kind }) => kind));

/** Whether a client waits for such an answer, and of such a principal. */
export function awaits(
  config: ClientConfig,
  state: ClientState,
  message: Signed<ServiceMessage>,
): boolean {
  if (!config.members.includes(message.from)) return false;
  const { requests, queries } = state;
  switch (message.kind) {
    case 'reply':
      return message.client === config.self && requests.flights.has(message.sequence);
    case 'refusal':
      return requests.flights.has(message.sequence);
    case 'query-reply':
      return queries.flights.has(message.sequence);
    case 'redirect':
      return (message.about === 'query' ? queries : requests).flights.has(message.sequence);
    default:
      return false;
  }
}

/** As {@link awaits}, of any message of this kind of `from`. */
export function expectsAnswer(
  config: ClientConfig,
  { requests, queries }: ClientState,
  kind: string,
  from: PrincipalId,
): boolean {
  if (!config.members.includes(from)) return false;
  switch (kind) {
    case 'reply':
    case 'refusal':
      return requests.flights.size > 0;
    case 'query-reply':
      return queries.flights.size > 0;
    case 'redirect':
      return requests.flights.size + queries.flights.size > 0;
    default:
      return false;
  }
}

/** See `Machine.expects`. */
export function expects<S extends LogShape>(
  run: Run<S>,
  kind: Serviced<S>['Message']['kind'],
  from: PrincipalId,
): boolean {
  if (!kinds.has(kind)) return run.inner.expects?.(kind, from) ?? true;
  switch (kind) {
    case 'request':
    case 'query':
      return true;
    case 'snapshot-request':
    case 'chunk-request':
      return isMember(run, from);
    case 'snapshot-absent':
    case 'snapshot-chunk':
      return isMember(run, from) && mayGive(run, from) !== undefined;
    case 'snapshot-manifest':
      return isMember(run, from) && (mayGive(run, from) ?? 'ready') !== 'ready';
    default:
      return expectsAnswer(run.config, run.state.client, kind, from);
  }
}

/** How far the transfer that is under way is with `from`; nothing: it is not listened to. */
function mayGive<S extends LogShape>(
  { state: { transfer } }: Run<S>,
  from: PrincipalId,
): Holder['state'] | undefined {
  const state = transfer?.holders.find(({ id }) => id === from)?.state;
  return state === 'liar' ? undefined : state;
}

/** See `Machine.admits`. */
export function admits<S extends LogShape>(
  run: Run<S>,
  message: Signed<Serviced<S>['Message']>,
  now: Instant,
): boolean {
  // What is not of the service is of the protocol.
  if (!kinds.has(message.kind))
    return run.inner.admits?.(message as Signed<S['Message']>, now) ?? true;
  return isUseful(run, message as Signed<ServiceMessage>);
}

function isUseful<S extends LogShape>(run: Run<S>, message: Signed<ServiceMessage>): boolean {
  switch (message.kind) {
    case 'request':
      return (
        wellFormed(message) && (run.inner.wants?.(message) !== false || isAnswered(run, message))
      );
    case 'query':
      return true;
    case 'snapshot-request':
    case 'chunk-request':
      return isMember(run, message.from);
    case 'snapshot-absent':
    case 'snapshot-manifest':
    case 'snapshot-chunk':
      return isMember(run, message.from) && isAsked(run, message);
    default:
      return awaits(run.config, run.state.client, message);
  }
}

/** Whether there is something to say about it, though the protocol has no room for it. */
const isAnswered = <S extends LogShape>(run: Run<S>, request: Request): boolean =>
  run.protocol.length !== undefined ||
  run.state.tooLarge ||
  lookUp(run.state.sessions, request, () => contentsOf(request, run.digest)) !== undefined;

const isMember = <S extends LogShape>({ protocol }: Run<S>, from: PrincipalId): boolean =>
  protocol.members.includes(from);

/** Whether it is part of the snapshot that is fetched now, from one of those who were asked. */
function isAsked<S extends LogShape>(
  { state: { transfer } }: Run<S>,
  message: Signed<
    Extract<ServiceMessage, { kind: 'snapshot-absent' | 'snapshot-manifest' | 'snapshot-chunk' }>
  >,
): boolean {
  const holder = transfer?.holders.find(({ id }) => id === message.from);
  if (transfer === undefined || holder === undefined || holder.state === 'liar') return false;
  if (message.kind === 'snapshot-manifest')
    return holder.state !== 'ready' && message.slot === transfer.slot;
  if (message.root !== transfer.root) return false;
  if (message.kind === 'snapshot-absent') return true;
  const name = transfer.manifest?.chunks[message.index];
  return name !== undefined && (holder.owes.has(name) || holder.late.has(name));
}
