/**
 * A client as a machine (architecture 11.1): to whom a request goes, when it is repeated and how
 * many equal answers it takes. The embedded client of a service is the same code.
 */

import type {
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
import { idle } from '@quorumlab/core';
import { awaits, expectsAnswer } from './admits.ts';
import { receive } from './client-answers.ts';
import {
  arm,
  begin,
  fillWindow,
  isNear,
  nearest,
  orderRead,
  send,
  watch,
} from './client-requests.ts';
import {
  type ClientConfig,
  type ClientOptions,
  type ClientOutputs,
  type ClientState,
  clientConfigOf,
  copyClient,
  emptyClient,
  forget,
  settle,
} from './client-state.ts';
import { maxOperationBytes, type ServiceMessage } from './messages.ts';
import type { ServiceTimer } from './types.ts';

/** Most bytes of a change of the group: see `Request.configuration`. */
const maxChangeBytes = 4096;

/** The shape of a pure client. */
export interface ClientShape extends Shape {
  readonly Stable: object;
  readonly Volatile: ClientState;
  readonly Message: ServiceMessage;
  readonly Timer: ServiceTimer;
  readonly Command: Signed<Request>;
}

/** Takes an operation. Every id is answered once, or cancelled. */
export function submit(
  config: ClientConfig,
  state: ClientState,
  event: Submit,
  now: Instant,
  out: ClientOutputs,
): void {
  const { id, operation, readOnly } = event;
  const refuse = (error: string) => void out.answers.push({ id, error });
  if (operation.length > maxOperationBytes)
    return refuse(
      `an operation of ${operation.length} bytes is above ${maxOperationBytes}; split it`,
    );
  if (state.tickets.has(id)) return refuse(`operation ${id} is under way; use another id`);
  if (event.configuration && (operation.length === 0 || operation.length > maxChangeBytes))
    return refuse(
      `a change of the group has 1 to ${maxChangeBytes} bytes, not ${operation.length}`,
    );
  // One replica's own state may be a liar's: where more than one is asked such a read is ordered.
  const isQuery = readOnly && !state.orderReads && !(event.local && config.matching > 1);
  const lane = isQuery ? state.queries : state.requests;
  if (state.tickets.size >= config.settings.maxWaiting)
    return refuse(
      `${config.settings.maxWaiting} operations are unanswered and this one was not sent; ` +
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
  fillWindow(config, state, lane, now, out);
  if (expires !== undefined) watch(state, expires, now, out);
}

/**
 * Stops waiting for `id`. Nobody can take back a request: an operation that was sent may have run,
 * or may run later. One that was not sent never will.
 */
export function cancel(
  config: ClientConfig,
  state: ClientState,
  id: number,
  now: Instant,
  out: ClientOutputs,
): void {
  const ticket = state.tickets.get(id);
  if (ticket === undefined) return;
  forget(state, id);
  ticket.cancelled = true;
  for (const lane of [state.requests, state.queries]) {
    for (const [sequence, { tickets }] of lane.flights)
      if (tickets.length > 0 && tickets.every((each) => each.cancelled))
        lane.flights.delete(sequence);
    if (lane.waiting.length - lane.taken > 2 * state.tickets.size + 1024) {
      lane.waiting = lane.waiting.slice(lane.taken).filter((each) => !each.cancelled);
      lane.taken = 0;
    }
    fillWindow(config, state, lane, now, out);
  }
}

/** Gives up what has expired, and asks again for what is overdue. */
export function timeout(
  config: ClientConfig,
  state: ClientState,
  now: Instant,
  out: ClientOutputs,
): void {
  state.armed = undefined;
  expire(config, state, now, out);
  const suspect = state.believed;
  for (const lane of [state.requests, state.queries])
    for (const flight of [...lane.flights.values()]) {
      if (flight.deadline > now) continue;
      if (lane.kind === 'query' && config.reads !== undefined) {
        orderRead(config, state, flight, now, out);
        continue;
      }
      const near = isNear(config, flight.message);
      if (near && flight.target === nearest(config, state)) state.near++;
      if (!near && flight.target === state.believed && state.believed === suspect)
        state.believed = after(config, suspect);
      if (!flight.leaderless)
        flight.backoff = Math.min(flight.backoff * 2, config.settings.maxTimeout);
      flight.leaderless = false;
      flight.hops = 0;
      flight.also = flight.target;
      const next = near ? nearest(config, state) : state.believed;
      send(flight, config.matching > 1 ? 'all' : next, now, out);
      // A lost message is likelier than a dead leader, so the one who was asked is asked again.
      if (config.matching === 1 && flight.also !== flight.target)
        out.sends.push({ to: flight.also, message: flight.message });
    }
  arm(state, now, out);
}

function expire(config: ClientConfig, state: ClientState, now: Instant, out: ClientOutputs): void {
  for (const { id, expires } of [...state.expiring.values()]) {
    if (expires === undefined || expires > now) continue;
    cancel(config, state, id, now, out);
    const error = 'nobody answered within the time given; if it was sent, it may run or have run';
    out.answers.push({ id, error, expired: true });
  }
}

const after = ({ members }: ClientConfig, replica: ReplicaId): ReplicaId =>
  members[(members.indexOf(replica) + 1) % members.length] as ReplicaId;

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
  const settings = settle(options, members, policy);
  const config = clientConfigOf(self, members, policy, settings);
  let state = emptyClient(settings);
  const machine: Machine<ClientShape> = {
    self,
    step(input) {
      const out: ClientOutputs = { sends: [], timers: [], answers: [] };
      clientStep(config, state, input, out);
      const none = idle<ClientShape>();
      if (out.sends.length + out.timers.length + out.answers.length === 0) return none;
      const { sends, timers, answers } = out;
      return {
        early: none.early,
        writes: none.writes,
        sends,
        timers,
        decisions: none.decisions,
        tentative: none.tentative,
        reads: none.reads,
        fetches: none.fetches,
        accusations: none.accusations,
        lines: none.lines,
        applied: none.applied,
        answers,
      };
    },
    admits: (message) => awaits(config, state, message),
    expects: (kind, from) => expectsAnswer(config, state, kind, from),
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
  config: ClientConfig,
  state: ClientState,
  { event, now }: Input<ClientShape>,
  out: ClientOutputs,
): void {
  if (event.type === 'start') return begin(config, state, event);
  if (event.type === 'submit') return submit(config, state, event, now, out);
  if (event.type === 'cancel') return cancel(config, state, event.id, now, out);
  if (event.type === 'message') return receive(config, state, event.message, now, out);
  if (event.type === 'timeout' && event.timer === 'service/client')
    return timeout(config, state, now, out);
}
