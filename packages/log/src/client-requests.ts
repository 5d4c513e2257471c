/** What a client says: what shares a request, in which session, and when it is repeated. */
import type { Instant, PrincipalId, ReplicaId, Request, Start } from '@quorumlab/core';
import { firstSequenceOf, lifeOf } from '@quorumlab/core';
import {
  type ClientConfig,
  type ClientOutputs,
  type ClientState,
  type Flight,
  type Lane,
  spread,
  type Ticket,
} from './client-state.ts';
import { hashOf } from './hash.ts';
import { maxOutstanding, type Query } from './messages.ts';

/** Most operations and bytes that share one request. */
const maxGroup = { operations: 256, bytes: 1 << 18 };

/**
 * A life begins: its sequences are those of no other. One that may have been here before asks which
 * session it may open; it does so with its first request.
 */
export function begin(config: ClientConfig, state: ClientState, { incarnation = 0 }: Start): void {
  // What tells lives apart may repeat in rare cases; that it has lived before is certain.
  state.session = config.settings.session ?? (incarnation === 0 ? 0 : undefined);
  state.requests.next = firstSequenceOf(incarnation);
  state.queries.next = firstSequenceOf(incarnation);
  state.life = lifeOf(state.requests.next);
}

/** A hint from the replica beside an embedded client. */
export function suggest(
  config: ClientConfig,
  state: ClientState,
  leader: number,
  term: number,
): void {
  if (term < state.term || !config.members.includes(leader)) return;
  state.term = term;
  state.believed = leader;
}

export function send(
  flight: Flight,
  to: ReplicaId | 'all',
  now: Instant,
  out: ClientOutputs,
): void {
  flight.target = to;
  flight.deadline = now + flight.backoff;
  out.sends.push({ to, message: flight.message });
}

/** Self-clocked batches: what comes while the window is full shares the next request. */
export function fillWindow(
  config: ClientConfig,
  state: ClientState,
  lane: Lane,
  now: Instant,
  out: ClientOutputs,
): void {
  while (lane.flights.size < config.settings.window && lane.taken < lane.waiting.length) {
    if (lane.kind === 'request' && !hasSession(config, state, now, out)) break;
    const lowest = lane.flights.keys().next().value ?? lane.next;
    if (lane.next - lowest >= maxOutstanding) break;
    const tickets = group(lane);
    if (tickets.length === 0) break;
    const sequence = lane.next++;
    const message =
      lane.kind === 'request'
        ? requestOf(config.self, sequence, lowest, state.session ?? 0, tickets)
        : queryOf(sequence, tickets);
    depart(config, state, lane, message, tickets, now, out);
  }
}

/** Whom a message goes to first. */
const firstTarget = (
  config: ClientConfig,
  state: ClientState,
  message: Request | Query,
): ReplicaId | 'all' =>
  message.kind === 'query' && config.reads !== undefined
    ? 'all'
    : firstAsked(config, state, message);

/**
 * A read for which too few replicas agree is ordered: they may be at different places of the log,
 * or a liar is among those who would have to agree.
 */
export function orderRead(
  config: ClientConfig,
  state: ClientState,
  { message, tickets }: Flight,
  now: Instant,
  out: ClientOutputs,
): void {
  state.queries.flights.delete(message.sequence);
  for (const ticket of tickets) if (!ticket.cancelled) state.requests.waiting.push(ticket);
  fillWindow(config, state, state.requests, now, out);
}

/** Whether the client itself chooses which replica answers a read by what it has. */
export const isNear = ({ settings }: ClientConfig, message: Request | Query): boolean =>
  message.kind === 'query' && message.consistency === 'local' && settings.localReadsAt !== 'leader';

/** The member whose turn it is to answer local reads. */
export const nearest = ({ self, members }: ClientConfig, { near }: ClientState): ReplicaId =>
  members[(self + near) % members.length] as ReplicaId;

/** Reads that any replica answers begin at one by the client's number, so that all have some. */
function firstAsked(config: ClientConfig, state: ClientState, message: Request | Query): ReplicaId {
  const { self, members, readsAnywhere, settings } = config;
  const { believed } = state;
  if (isNear(config, message)) {
    if (settings.localReadsAt === 'any') state.near++;
    return nearest(config, state);
  }
  if (!readsAnywhere || message.kind !== 'query') return believed;
  return members[self % members.length] ?? believed;
}

function depart(
  config: ClientConfig,
  state: ClientState,
  lane: Lane,
  message: Request | Query,
  tickets: readonly Ticket[],
  now: Instant,
  out: ClientOutputs,
): void {
  const target = firstTarget(config, state, message);
  const flight: Flight = {
    message,
    tickets,
    target,
    also: undefined,
    deadline: now,
    backoff: config.settings.timeout,
    leaderless: false,
    hops: 0,
    replies: config.matching > 1 ? new Map() : undefined,
    hash: hashOf(message),
    refusals: [],
  };
  lane.flights.set(message.sequence, flight);
  send(flight, target, now, out);
  watch(state, flight.deadline, now, out);
}

/** Whether the next request has a session. If not, one is asked for when nothing is under way. */
function hasSession(
  config: ClientConfig,
  state: ClientState,
  now: Instant,
  out: ClientOutputs,
): boolean {
  const { requests } = state;
  if (state.session !== undefined && lifeOf(requests.next) === state.life) return true;
  if (requests.flights.size > 0) return false;
  // When the sequences of a life are used up it goes on as the next one, the last as the first.
  if (lifeOf(requests.next) !== state.life) requests.next = firstSequenceOf(lifeOf(requests.next));
  state.life = lifeOf(requests.next);
  state.session = undefined;
  const sequence = requests.next++;
  const message = requestOf(config.self, sequence, sequence, 0, []);
  depart(config, state, requests, message, [], now, out);
  return false;
}

/** Without tickets it asks for a session. */
function requestOf(
  client: PrincipalId,
  sequence: number,
  acknowledged: number,
  session: number,
  tickets: readonly Ticket[],
): Request {
  const change = tickets[0]?.configuration ? tickets[0].operation : undefined;
  const operations = change ? [] : tickets.map((each) => each.operation);
  const message = { kind: 'request', client, sequence, acknowledged } as const;
  return {
    ...message,
    ...(session === 0 ? {} : { session }),
    operations,
    ...(change === undefined ? {} : { configuration: change }),
  };
}

const queryOf = (sequence: number, tickets: readonly Ticket[]): Query => ({
  kind: 'query',
  sequence,
  consistency: tickets[0]?.local ? 'local' : 'linearizable',
  operations: tickets.map((each) => each.operation),
});

/** Whether two operations may go in one message: reads of one kind, and no change of the group. */
const mayShare = (first: Ticket, other: Ticket): boolean =>
  first.local === other.local && !first.configuration && !other.configuration;

/** The next operations that may share a message; cancelled ones are left out. */
function group(lane: Lane): Ticket[] {
  const tickets: Ticket[] = [];
  let size = 0;
  while (lane.taken < lane.waiting.length && tickets.length < maxGroup.operations) {
    const ticket = lane.waiting[lane.taken] as Ticket;
    if (!ticket.cancelled) {
      size += ticket.operation.length;
      const first = tickets[0];
      if (first && (size > maxGroup.bytes || !mayShare(first, ticket))) break;
      tickets.push(ticket);
    }
    lane.taken++;
  }
  if (lane.taken >= 64 && lane.taken * 2 >= lane.waiting.length) {
    lane.waiting = lane.waiting.slice(lane.taken);
    lane.taken = 0;
  }
  return tickets;
}

/** The timer must not fire later than `due`. Mostly an older one is due before it. */
export function watch(state: ClientState, due: Instant, now: Instant, out: ClientOutputs): void {
  if (state.armed === undefined || due < state.armed) arm(state, now, out);
}

/** One timer for everything: set for the earliest deadline, looked at again when it fires. */
export function arm(state: ClientState, now: Instant, out: ClientOutputs): void {
  let earliest: Instant | undefined;
  for (const lane of [state.requests, state.queries])
    for (const { deadline } of lane.flights.values())
      if (earliest === undefined || deadline < earliest) earliest = deadline;
  let expires: Instant | undefined;
  for (const ticket of state.expiring.values())
    if (expires === undefined || (ticket.expires as Instant) < expires) expires = ticket.expires;
  const isExact = expires !== undefined && (earliest === undefined || expires <= earliest);
  state.armed = isExact ? expires : earliest;
  if (state.armed === undefined) return;
  const after = Math.max(state.armed - now, 1);
  out.timers.push({ type: 'set', timer: 'service/client', after: isExact ? after : spread(after) });
}
