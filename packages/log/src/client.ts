/**
 * A client as a machine (architecture 11.1): to whom a request goes, when it is repeated and how
 * many equal answers it takes. The embedded client of a service is the same code.
 */
import type {
  Answer,
  ClientPolicy,
  Input,
  Instant,
  Machine,
  PrincipalId,
  ReplicaId,
  Request,
  Shape,
  Signed,
  Submit,
} from '@quorumlab/core';
import { idle, sameBytes } from '@quorumlab/core';
import {
  type Answered,
  type Asker,
  type ClientOptions,
  type ClientState,
  copyClient,
  emptyClient,
  type Flight,
  forget,
  type Lane,
  settle,
  spread,
  type Ticket,
} from './client-state.ts';
import {
  maxOperationBytes,
  maxOutstanding,
  type Query,
  type QueryReply,
  type Redirect,
  type RefusalMessage,
  type Reply,
  type ServiceMessage,
} from './messages.ts';
import type { Results } from './sessions.ts';
import type { ServiceSend, ServiceTimer, ServiceTimerChange } from './types.ts';

/** Most bytes of a change of the group: see `Request.configuration`. */
const maxChangeBytes = 4096;
/** Most operations and bytes that share one request. */
const maxGroup = { operations: 256, bytes: 1 << 18 };

/** The shape of a pure client. */
export interface ClientShape extends Shape {
  readonly Stable: object;
  readonly Volatile: ClientState;
  readonly Message: ServiceMessage;
  readonly Timer: ServiceTimer;
  readonly Command: Signed<Request>;
}

/** What one step of a client asks for. */
export interface ClientPen {
  readonly sends: ServiceSend[];
  readonly timers: ServiceTimerChange[];
  readonly answers: Answer[];
}

/** Takes an operation. Every id is answered once, or cancelled. */
export function submit(
  asker: Asker,
  state: ClientState,
  event: Submit,
  now: Instant,
  pen: ClientPen,
): void {
  const { id, operation, readOnly } = event;
  const refuse = (error: string) => void pen.answers.push({ id, error });
  if (operation.length > maxOperationBytes)
    return refuse(
      `an operation of ${operation.length} bytes is above ${maxOperationBytes}; split it`,
    );
  if (state.tickets.has(id)) return refuse(`operation ${id} is under way; use another id`);
  if (event.configuration && (operation.length === 0 || operation.length > maxChangeBytes))
    return refuse(
      `a change of the group has 1 to ${maxChangeBytes} bytes, not ${operation.length}`,
    );
  const lane = readOnly && !state.orderReads ? state.queries : state.requests;
  if (state.tickets.size >= asker.settings.maxWaiting)
    return refuse(
      `${asker.settings.maxWaiting} operations are unanswered and this one was not sent; ` +
        'submit it again later',
    );
  const expires = event.within === undefined ? undefined : now + event.within;
  const ticket = {
    id,
    operation,
    readOnly,
    local: event.local ?? false,
    configuration: event.configuration ?? false,
    expires,
    cancelled: false,
  };
  state.tickets.set(id, ticket);
  if (expires !== undefined) state.expiring.set(id, ticket);
  lane.waiting.push(ticket);
  fill(asker, state, lane, now, pen);
  if (expires !== undefined) watch(state, expires, now, pen);
}

/**
 * Stops waiting for `id`. Nobody can take back a request: an operation that was sent may have run,
 * or may run later. One that was not sent never will.
 */
export function cancel(
  asker: Asker,
  state: ClientState,
  id: number,
  now: Instant,
  pen: ClientPen,
): void {
  const ticket = state.tickets.get(id);
  if (ticket === undefined) return;
  forget(state, id);
  ticket.cancelled = true;
  for (const lane of [state.requests, state.queries]) {
    for (const [sequence, { tickets }] of lane.flights)
      if (tickets.every((each) => each.cancelled)) lane.flights.delete(sequence);
    if (lane.waiting.length - lane.taken > 2 * state.tickets.size + 1024) {
      lane.waiting = lane.waiting.slice(lane.taken).filter((each) => !each.cancelled);
      lane.taken = 0;
    }
    fill(asker, state, lane, now, pen);
  }
}

/** Takes a message, from anybody; what an honest replica would not say is ignored. */
export function receive(
  asker: Asker,
  state: ClientState,
  message: Signed<ServiceMessage>,
  now: Instant,
  pen: ClientPen,
): void {
  if (!asker.members.includes(message.from)) return;
  if (message.kind === 'reply') return onReply(asker, state, message, now, pen);
  if (message.kind === 'redirect') return onRedirect(asker, state, message, now, pen);
  if (message.kind === 'refusal') return onRefusal(asker, state, message, now, pen);
  if (message.kind === 'query-reply') return onQueryReply(asker, state, message, now, pen);
}

/** Gives up what has expired, and asks again for what is overdue. */
export function timeout(asker: Asker, state: ClientState, now: Instant, pen: ClientPen): void {
  state.armed = undefined;
  expire(asker, state, now, pen);
  const suspect = state.believed;
  for (const lane of [state.requests, state.queries])
    for (const flight of lane.flights.values()) {
      if (flight.deadline > now) continue;
      if (flight.target === state.believed && state.believed === suspect)
        state.believed = after(asker, suspect);
      flight.backoff = Math.min(flight.backoff * 2, asker.settings.maxTimeout);
      flight.hops = 0;
      flight.also = flight.target;
      send(flight, asker.matching > 1 ? 'all' : state.believed, now, pen);
      // A lost message is likelier than a dead leader, so the one who was asked is asked again.
      if (asker.matching === 1 && flight.also !== flight.target)
        pen.sends.push({ to: flight.also, message: flight.message });
    }
  arm(state, now, pen);
}

function expire(asker: Asker, state: ClientState, now: Instant, pen: ClientPen): void {
  for (const { id, expires } of [...state.expiring.values()]) {
    if (expires === undefined || expires > now) continue;
    cancel(asker, state, id, now, pen);
    const error = 'nobody answered within the time given; if it was sent, it may run or have run';
    pen.answers.push({ id, error, expired: true });
  }
}

/** A hint from the replica beside an embedded client. */
export function suggest(asker: Asker, state: ClientState, leader: number, term: number): void {
  if (term < state.term || !asker.members.includes(leader)) return;
  state.term = term;
  state.believed = leader;
}

const after = ({ members }: Asker, replica: ReplicaId): ReplicaId =>
  members[(members.indexOf(replica) + 1) % members.length] as ReplicaId;

function send(flight: Flight, to: ReplicaId | 'all', now: Instant, pen: ClientPen): void {
  flight.target = to;
  flight.deadline = now + flight.backoff;
  pen.sends.push({ to, message: flight.message });
}

/** Self-clocked batches: what comes while the window is full shares the next request. */
function fill(asker: Asker, state: ClientState, lane: Lane, now: Instant, pen: ClientPen): void {
  while (lane.flights.size < asker.settings.window && lane.taken < lane.waiting.length) {
    const lowest = lane.flights.keys().next().value ?? lane.next;
    if (lane.next - lowest >= maxOutstanding) break;
    const tickets = group(lane);
    if (tickets.length === 0) break;
    const sequence = lane.next++;
    const message =
      lane.kind === 'request'
        ? requestOf(asker.self, sequence, lowest, tickets)
        : queryOf(sequence, tickets);
    const flight: Flight = {
      message,
      tickets,
      target: state.believed,
      also: undefined,
      deadline: now,
      backoff: asker.settings.timeout,
      hops: 0,
      replies: asker.matching > 1 ? new Map() : undefined,
      refusals: [],
    };
    lane.flights.set(sequence, flight);
    send(flight, state.believed, now, pen);
    watch(state, flight.deadline, now, pen);
  }
}

function requestOf(
  client: PrincipalId,
  sequence: number,
  acknowledged: number,
  tickets: readonly Ticket[],
): Request {
  const first = tickets[0] as Ticket;
  const operations = first.configuration ? [] : tickets.map((each) => each.operation);
  const message = { kind: 'request', client, sequence, acknowledged, operations } as const;
  return first.configuration ? { ...message, configuration: first.operation } : message;
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
  if (lane.taken >= 1024 && lane.taken * 2 >= lane.waiting.length) {
    lane.waiting = lane.waiting.slice(lane.taken);
    lane.taken = 0;
  }
  return tickets;
}

function onReply(
  asker: Asker,
  state: ClientState,
  message: Signed<Reply>,
  now: Instant,
  pen: ClientPen,
): void {
  const flight = state.requests.flights.get(message.sequence);
  if (message.client !== asker.self || flight === undefined) return;
  if (message.results.length > flight.tickets.length) return;
  if (flight.replies === undefined) {
    if (message.leader !== null) suggest(asker, state, message.leader, message.term);
  } else {
    flight.replies.set(message.from, message);
    const equal = [...flight.replies.values()].filter((each) =>
      sameResults(each.results, message.results),
    );
    if (equal.length < asker.matching) return;
    learn(asker, state, equal);
  }
  close(state, state.requests, flight, message.sequence, message.results, pen);
  fill(asker, state, state.requests, now, pen);
}

/** A leader is believed like a result: only if enough replicas name it, so that one is honest. */
function learn(asker: Asker, state: ClientState, equal: readonly Answered[]): void {
  for (const { leader, term } of equal) {
    const same = equal.filter((each) => each.leader === leader && each.term === term);
    if (leader === null || same.length < asker.matching) continue;
    suggest(asker, state, leader, term);
    return;
  }
}

const sameResults = (first: Results, second: Results): boolean =>
  first.length === second.length &&
  first.every((each, i) => sameBytes(each, second[i] as Uint8Array));

function onQueryReply(
  asker: Asker,
  state: ClientState,
  message: Signed<QueryReply>,
  now: Instant,
  pen: ClientPen,
): void {
  const { queries, requests } = state;
  const flight = queries.flights.get(message.sequence);
  if (flight === undefined || asker.matching > 1) return;
  if (message.results === null) {
    // This group cannot read without writing: everything that waits goes through the log.
    state.orderReads = true;
    const all = [...queries.flights.values()].flatMap((each) => each.tickets);
    requests.waiting.push(...all, ...queries.waiting.slice(queries.taken));
    queries.flights.clear();
    queries.waiting = [];
    queries.taken = 0;
    fill(asker, state, requests, now, pen);
    return;
  }
  if (message.results.length > flight.tickets.length) return;
  close(state, queries, flight, message.sequence, message.results, pen);
  fill(asker, state, queries, now, pen);
}

function close(
  state: ClientState,
  lane: Lane,
  flight: Flight,
  sequence: number,
  results: Results,
  pen: ClientPen,
): void {
  lane.flights.delete(sequence);
  const { tickets } = flight;
  for (let i = 0; i < tickets.length; i++) {
    const { id, cancelled } = tickets[i] as Ticket;
    if (cancelled) continue;
    forget(state, id);
    const result = results[i];
    pen.answers.push(
      result === undefined
        ? { id, error: 'it ran, but its result did not fit into one reply; read less at once' }
        : { id, result },
    );
  }
}

/** Believed like a result: if one replica says so, or f+1 where one may lie. */
function onRefusal(
  asker: Asker,
  state: ClientState,
  { from, sequence, reason }: Signed<RefusalMessage>,
  now: Instant,
  pen: ClientPen,
): void {
  const flight = state.requests.flights.get(sequence);
  if (flight === undefined || flight.refusals.includes(from)) return;
  flight.refusals = [...flight.refusals, from];
  if (flight.refusals.length < asker.matching) return;
  state.requests.flights.delete(sequence);
  for (const { id, cancelled } of flight.tickets) {
    if (cancelled) continue;
    forget(state, id);
    const error = 'the log is full: every slot is decided, and this has none; open another log';
    pen.answers.push({ id, error, refused: reason });
  }
  fill(asker, state, state.requests, now, pen);
}

function onRedirect(
  asker: Asker,
  state: ClientState,
  message: Signed<Redirect>,
  now: Instant,
  pen: ClientPen,
): void {
  const { from, leader, term } = message;
  const lane = message.about === 'request' ? state.requests : state.queries;
  const flight = lane.flights.get(message.sequence);
  if (flight === undefined || asker.matching > 1) return;
  if (flight.target !== from) return; // An answer to what was asked before, or of nobody we asked.
  const known = leader !== null && leader !== from && asker.members.includes(leader);
  if (known && term >= state.term && flight.hops < asker.members.length) {
    suggest(asker, state, leader, term);
    flight.hops++;
    if (leader === flight.also) flight.target = leader;
    else send(flight, leader, now, pen);
    watch(state, flight.deadline, now, pen);
    return;
  }
  // Nobody leads, or nobody agrees who does. Ask again soon, but not at the speed of the network.
  flight.deadline = Math.min(flight.deadline, now + Math.ceil(asker.settings.timeout / 4));
  watch(state, flight.deadline, now, pen);
}

/** The timer must not fire later than `due`. Mostly an older one is due before it. */
function watch(state: ClientState, due: Instant, now: Instant, pen: ClientPen): void {
  if (state.armed === undefined || due < state.armed) arm(state, now, pen);
}

/** One timer for everything: set for the earliest deadline, looked at again when it fires. */
function arm(state: ClientState, now: Instant, pen: ClientPen): void {
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
  pen.timers.push({ type: 'set', timer: 'service/client', after: isExact ? after : spread(after) });
}

/**
 * A client of a group of `members`. It takes `submit` and `cancel` events and gives `answers`. If
 * `policy.matching` is 1 it believes whoever answers: one liar is enough to fool it, and that is
 * what the crash model promises. It believes f+1 equal answers of which f are lies never.
 */
export function client(
  policy: ClientPolicy,
  members: readonly ReplicaId[],
  self: PrincipalId,
  options: ClientOptions = {},
): Machine<ClientShape> {
  const settings = settle(options, members, policy.matching);
  const asker: Asker = { self, members, matching: policy.matching, settings };
  let state = emptyClient(settings);
  const machine: Machine<ClientShape> = {
    self,
    step(input) {
      const pen: ClientPen = { sends: [], timers: [], answers: [] };
      clientStep(asker, state, input, pen);
      const none = idle<ClientShape>();
      if (pen.sends.length + pen.timers.length + pen.answers.length === 0) return none;
      const { sends, timers, answers } = pen;
      return {
        early: none.early,
        writes: none.writes,
        sends,
        timers,
        decisions: none.decisions,
        reads: none.reads,
        fetches: none.fetches,
        accusations: none.accusations,
        lines: none.lines,
        applied: none.applied,
        answers,
      };
    },
    snapshot: () => ({ stable: {}, volatile: copyClient(state) }),
    restore(snapshot) {
      state = copyClient(snapshot.volatile);
    },
    fork() {
      const other = client(policy, members, self, options);
      other.restore(machine.snapshot());
      return other;
    },
    status: () => ({ leader: state.believed, term: state.term, role: 'client' }),
  };
  return machine;
}

function clientStep(
  asker: Asker,
  state: ClientState,
  { event, now }: Input<ClientShape>,
  pen: ClientPen,
): void {
  if (event.type === 'submit') return submit(asker, state, event, now, pen);
  if (event.type === 'cancel') return cancel(asker, state, event.id, now, pen);
  if (event.type === 'message') return receive(asker, state, event.message, now, pen);
  if (event.type === 'timeout' && event.timer === 'service/client')
    return timeout(asker, state, now, pen);
}
