/** What a client believes of what replicas say, and what it does then. */
import type { Answer, Instant, ReplicaId, Signed } from '@quorumlab/core';
import { decode, sameBytes } from '@quorumlab/core';
import { fillWindow, orderRead, send, suggest, watch } from './client-requests.ts';
import {
  type Answered,
  type ClientConfig,
  type ClientOutputs,
  type ClientState,
  type Flight,
  forget,
  type Lane,
  type Refusing,
  type Ticket,
} from './client-state.ts';
import {
  type QueryReply,
  type Redirect,
  type RefusalMessage,
  type RefusalReason,
  type Reply,
  type ServiceMessage,
  sessionNumber,
} from './messages.ts';
import type { Results } from './replies.ts';

/** Takes a message, from anybody; what an honest replica would not say is ignored. */
export function receive(
  config: ClientConfig,
  state: ClientState,
  message: Signed<ServiceMessage>,
  now: Instant,
  out: ClientOutputs,
): void {
  if (!config.members.includes(message.from)) return;
  if (message.kind === 'reply') return onReply(config, state, message, now, out);
  if (message.kind === 'redirect') return onRedirect(config, state, message, now, out);
  if (message.kind === 'refusal') return onRefusal(config, state, message, now, out);
  if (message.kind === 'query-reply') return onQueryReply(config, state, message, now, out);
}

function onReply(
  config: ClientConfig,
  state: ClientState,
  message: Signed<Reply>,
  now: Instant,
  out: ClientOutputs,
): void {
  const flight = state.requests.flights.get(message.sequence);
  if (message.client !== config.self || message.hash !== flight?.hash) return;
  const isAsking = flight.tickets.length === 0;
  if (message.results.length > (isAsking ? 1 : flight.tickets.length)) return;
  if (flight.replies === undefined) {
    if (message.tentative !== undefined) return;
    if (message.leader !== null && !config.stays)
      suggest(config, state, message.leader, message.term);
  } else {
    const answer = answered(message, flight.replies.get(message.from));
    flight.replies.set(message.from, answer);
    const equal = believed(config, flight.replies, answer);
    if (equal === undefined) return;
    learn(config, state, equal);
  }
  if (isAsking) {
    const session = sessionIn(message.results);
    if (session === undefined) return;
    state.session = session;
  }
  close(state, state.requests, flight, message.sequence, message.results, out);
  fillWindow(config, state, state.requests, now, out);
}

/** What one replica says by now: that the request ran stands, and so does what was tentative. */
function answered(message: Reply, before: Answered | undefined): Answered {
  const { results, leader, term, tentative: slot } = message;
  const said = before !== undefined && sameResults(before.results, results) ? before : undefined;
  if (slot === undefined) return { results, leader, term, ran: true, tentative: said?.tentative };
  if (before?.ran) return said ? { ...said, tentative: { slot, term } } : before;
  return { results, leader, term, ran: false, tentative: { slot, term } };
}

/**
 * Those who say what `answer` does, if they are enough. What ran at f+1 ran at an honest one. What
 * a quorum has prepared in one slot of one view every later view orders there again: so what is
 * tentative counts together only if slot and view are the same.
 */
function believed(
  { matching, tentative: quorum = Number.POSITIVE_INFINITY }: ClientConfig,
  replies: ReadonlyMap<ReplicaId, Answered>,
  { results, tentative }: Answered,
): readonly Answered[] | undefined {
  const equal = [...replies.values()].filter((each) => sameResults(each.results, results));
  const ran = equal.filter((each) => each.ran);
  if (ran.length >= matching) return ran;
  const prepared = equal.filter(
    (each) =>
      each.tentative !== undefined &&
      each.tentative.slot === tentative?.slot &&
      each.tentative.term === tentative.term,
  );
  return prepared.length >= quorum ? prepared : undefined;
}

/** Undefined if only a liar can have said that. */
function sessionIn([number]: Results): number | undefined {
  try {
    return number && decode(sessionNumber, number);
  } catch {
    return undefined;
  }
}

/** A leader is believed like a result: only if enough replicas name it, so that one is honest. */
function learn(config: ClientConfig, state: ClientState, equal: readonly Answered[]): void {
  for (const { leader, term } of equal) {
    const same = equal.filter((each) => each.leader === leader && each.term === term);
    if (leader === null || same.length < config.matching) continue;
    suggest(config, state, leader, term);
    return;
  }
}

const sameResults = (first: Results, second: Results): boolean =>
  first.length === second.length &&
  first.every((each, i) => sameBytes(each, second[i] as Uint8Array));

function onQueryReply(
  config: ClientConfig,
  state: ClientState,
  message: Signed<QueryReply>,
  now: Instant,
  out: ClientOutputs,
): void {
  const { queries, requests } = state;
  const flight = queries.flights.get(message.sequence);
  if (flight === undefined) return;
  if (config.reads !== undefined) return onMatched(config, state, flight, message, now, out);
  if (config.matching > 1) return;
  if (message.results === null) {
    // This group cannot read without writing: everything that waits goes through the log.
    state.orderReads = true;
    const all = [...queries.flights.values()].flatMap((each) => each.tickets);
    requests.waiting.push(...all, ...queries.waiting.slice(queries.taken));
    queries.flights.clear();
    queries.waiting = [];
    queries.taken = 0;
    fillWindow(config, state, requests, now, out);
    return;
  }
  if (message.results.length > flight.tickets.length) return;
  close(state, queries, flight, message.sequence, message.results, out);
  fillWindow(config, state, queries, now, out);
}

/** One of the answers to a read that all replicas were asked: as many as it takes must be equal. */
function onMatched(
  config: ClientConfig,
  state: ClientState,
  flight: Flight,
  { from, sequence, results }: Signed<QueryReply>,
  now: Instant,
  out: ClientOutputs,
): void {
  const { replies = new Map<ReplicaId, Answered>(), tickets } = flight;
  if (results === null || results.length > tickets.length || replies.has(from)) return;
  replies.set(from, { results, leader: null, term: 0, ran: true, tentative: undefined });
  const counts = [...replies.values()].map(
    (one) => [...replies.values()].filter((two) => sameResults(one.results, two.results)).length,
  );
  const most = Math.max(...counts);
  const needed = config.reads ?? config.matching;
  if (most >= needed) {
    close(state, state.queries, flight, sequence, results, out);
    return fillWindow(config, state, state.queries, now, out);
  }
  // Those who have not answered cannot make so many agree any more.
  if (most + config.members.length - replies.size < needed) {
    orderRead(config, state, flight, now, out);
    fillWindow(config, state, state.queries, now, out);
  }
}

function close(
  state: ClientState,
  lane: Lane,
  flight: Flight,
  sequence: number,
  results: Results,
  out: ClientOutputs,
): void {
  lane.flights.delete(sequence);
  const { tickets } = flight;
  for (let i = 0; i < tickets.length; i++) {
    const { id, cancelled } = tickets[i] as Ticket;
    if (cancelled) continue;
    forget(state, id);
    const result = results[i];
    out.answers.push(
      result === undefined
        ? { id, error: 'it ran, but its result did not fit into one reply; read less at once' }
        : { id, result },
    );
  }
}

/** Believed like a result: if one replica says so, or f+1 where one may lie. */
function onRefusal(
  config: ClientConfig,
  state: ClientState,
  { from, sequence, hash, reason, next }: Signed<RefusalMessage>,
  now: Instant,
  out: ClientOutputs,
): void {
  const { requests } = state;
  const flight = requests.flights.get(sequence);
  // Who asks for a session is never refused.
  if (flight?.hash !== hash || flight.tickets.length === 0) return;
  const others = flight.refusals.filter((each) => each.from !== from);
  flight.refusals = [...others, { from, reason, next }];
  const equal = flight.refusals.filter((each) => each.reason === reason);
  if (equal.length < config.matching) return;
  if (reason === 'session-taken') again(state, nextIn(equal, config.matching));
  else {
    if (reason === 'session-expired') state.session = undefined;
    requests.flights.delete(sequence);
    for (const { id, cancelled } of flight.tickets) {
      if (cancelled) continue;
      forget(state, id);
      out.answers.push({ id, ...unanswerable[reason] });
    }
  }
  fillWindow(config, state, requests, now, out);
}

/**
 * The largest number that as many replicas have reached as make an answer believed: one of them is
 * honest, so it was next once, and who lags behind, or lies, cannot keep the client from it.
 */
const nextIn = (refusals: readonly Refusing[], matching: number): number =>
  refusals.map(({ next }) => next).sort((one, two) => two - one)[matching - 1] ?? 0;

/** What is submitted in a session that was never ours has not run: it goes into the next one. */
function again(state: ClientState, session: number): void {
  const { requests } = state;
  const all = [...requests.flights.values()].flatMap((each) => each.tickets);
  requests.waiting = [...all, ...requests.waiting.slice(requests.taken)];
  requests.taken = 0;
  requests.flights.clear();
  state.session = session;
}

const unanswerable: Record<
  Exclude<RefusalReason, 'session-taken'>,
  Pick<Extract<Answer, { error: string }>, 'error' | 'refused' | 'forgotten'>
> = {
  'log-full': {
    error: 'the log is full: every slot is decided, and this has none; open another log',
    refused: 'log-full',
  },
  'state-too-large': {
    error:
      'the group holds more state than a snapshot may have, so nothing may be added to it; ' +
      'give its state machine a limit of its own, or split the state among several groups',
    refused: 'state-too-large',
  },
  'sequence-reused': {
    error:
      'another operation of this client ran under the same sequence, so this one never will; ' +
      'give each process that acts for a client a start of its own, and submit it again',
    refused: 'sequence-reused',
  },
  'too-old': {
    error:
      'it came too late: its client had said before that it no longer waits for it, so nobody ' +
      'knows whether it ran; look at the state before you submit it again',
    forgotten: 'too-old',
  },
  'session-expired': {
    error:
      'newer processes of this client have taken the place of its session, so nobody knows ' +
      'whether it ran; look at the state before you submit it again',
    forgotten: 'session-expired',
  },
};

function onRedirect(
  config: ClientConfig,
  state: ClientState,
  message: Signed<Redirect>,
  now: Instant,
  out: ClientOutputs,
): void {
  const { from, leader, term } = message;
  const lane = message.about === 'request' ? state.requests : state.queries;
  const flight = lane.flights.get(message.sequence);
  if (flight === undefined || config.matching > 1) return;
  // An answer to what was asked before, or of nobody we asked.
  if (flight.target !== from && flight.also !== from) return;
  const known = leader !== null && leader !== from && config.members.includes(leader);
  if (known && term >= state.term && flight.hops < config.members.length) {
    suggest(config, state, leader, term);
    flight.hops++;
    if (leader === flight.also) flight.target = leader;
    else if (leader !== flight.target) send(flight, leader, now, out);
    watch(state, flight.deadline, now, out);
    return;
  }
  // Nobody leads, or nobody agrees who does. Ask again soon, but not at the speed of the network:
  // whoever else was asked may be down for good.
  flight.leaderless = true;
  flight.deadline = Math.min(flight.deadline, now + Math.ceil(config.settings.timeout / 4));
  watch(state, flight.deadline, now, out);
}
