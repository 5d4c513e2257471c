/** What a client remembers, as plain data, and how to copy it. */
import type {
  Answer,
  ClientPolicy,
  Delay,
  Instant,
  PrincipalId,
  ReplicaId,
  Request,
  Slot,
} from '@quorumlab/core';
import { firstSequenceOf, ms } from '@quorumlab/core';
import type { Query, RefusalReason } from './messages.ts';
import type { Results } from './replies.ts';
import type { ServiceSend, ServiceTimerChange } from './types.ts';

/** How a client behaves; everything has a default. */
export interface ClientOptions {
  /**
   * The number of its session, if that is known: 0 for a client that has never been here. If it is
   * wrong, another is tried; only of one that was closed long ago nobody can tell what ran in it.
   * Unless told, the group is asked, but not in a machine's very first life.
   */
  readonly session?: number;
  /** Whom to ask first. The first member unless told. */
  readonly leader?: ReplicaId;
  /**
   * Most requests, and most queries, under way at a time; operations that come meanwhile share the
   * next one. 4 unless told.
   */
  readonly window?: number;
  /** Microseconds to wait before asking again; doubles up to `maxTimeout`. 500 ms unless told. */
  readonly timeout?: number;
  /** See `timeout`. 2 s unless told. */
  readonly maxTimeout?: number;
  /** Most unanswered operations; more are answered with an error at once. 65,536 unless told. */
  readonly maxWaiting?: number;
  /**
   * Whether reads go through the log like writes. Unless told: where more than one matching reply
   * is needed, unless `ClientPolicy.reads` says how else. A group that cannot read otherwise says
   * so, and then the client orders its reads.
   */
  readonly orderReads?: boolean;
  /**
   * Who answers reads for which one replica's state will do ('local'): 'leader', whom the client
   * takes for it, as unless told; 'one', the same one for as long as it answers in time; or 'any',
   * another one each time.
   */
  readonly localReadsAt?: 'leader' | 'one' | 'any';
}

/** Whether clients believe an answer to a read that has no place in the log. */
export const readsWithoutOrder = ({ matching, reads }: ClientPolicy): boolean =>
  matching === 1 || reads !== undefined;

/** {@link ClientOptions} with nothing left open. */
export type ClientSettings = Required<Omit<ClientOptions, 'session'>> &
  Pick<ClientOptions, 'session'>;

/** Fills in the defaults. */
export const settle = (
  options: ClientOptions,
  members: readonly ReplicaId[],
  policy: ClientPolicy,
): ClientSettings => ({
  leader: members[0] as ReplicaId,
  window: 4,
  timeout: ms(500),
  maxTimeout: ms(2000),
  maxWaiting: 65_536,
  orderReads: !readsWithoutOrder(policy),
  localReadsAt: 'leader',
  ...options,
});

/** One submitted operation. */
export interface Ticket {
  readonly id: number;
  readonly operation: Uint8Array;
  readonly readOnly: boolean;
  readonly local: boolean;
  /** It changes the group, not the application. */
  readonly configuration: boolean;
  /** When nobody waits for it any longer, if that was told. */
  readonly expires: Instant | undefined;
  cancelled: boolean;
}

/** One request or query under way. */
export interface Flight {
  /** The same object each time it is sent: a client never says two things under one sequence. */
  readonly message: Request | Query;
  readonly tickets: readonly Ticket[];
  target: ReplicaId | 'all';
  /** Who was asked beside `target` when the last answer was overdue. */
  also: ReplicaId | 'all' | undefined;
  /** Asked again if nothing came until then. */
  deadline: Instant;
  backoff: number;
  /** Somebody has answered that nobody leads: what waits is no sign of a slow network. */
  leaderless: boolean;
  /** Redirects followed since the last time-out: two confused replicas must not play ping-pong. */
  hops: number;
  /** What each replica answered, where more than one answer is needed. */
  replies: Map<ReplicaId, Answered> | undefined;
  /** Of the operations in it: answers to others are none to this. */
  readonly hash: number;
  /** Who says that it will not run, and why. */
  refusals: readonly Refusing[];
}

/** See {@link Flight}. */
export interface Refusing {
  readonly from: ReplicaId;
  readonly reason: RefusalReason;
  readonly next: number;
}

/** See {@link Flight}. */
export interface Answered {
  readonly results: Results;
  readonly leader: number | null;
  readonly term: number;
  /** Whether it says that the request ran. */
  readonly ran: boolean;
  /** Where it gave these results tentatively, if it has said so. */
  readonly tentative: { readonly slot: Slot; readonly term: number } | undefined;
}

/** Requests or queries: what waits and what is under way. */
export interface Lane {
  readonly kind: 'request' | 'query';
  next: number;
  waiting: Ticket[];
  /** How many of `waiting` have been taken: shifting a long array again and again is slow. */
  taken: number;
  readonly flights: Map<number, Flight>;
}

/** See {@link ClientOptions}. */
export interface ClientState {
  believed: ReplicaId;
  /** How many members further on than the client's own one answers local reads. */
  near: number;
  term: number;
  /** When the timer fires, if it is set. */
  armed: Instant | undefined;
  orderReads: boolean;
  /** Which life of the client this is, as its sequences tell. */
  life: number;
  /** The number of the session in which it asks; undefined: the group is to tell it one. */
  session: number | undefined;
  readonly requests: Lane;
  readonly queries: Lane;
  /** Everything not yet answered. */
  readonly tickets: Map<number, Ticket>;
  /** Those of them that expire. */
  readonly expiring: Map<number, Ticket>;
}

const lane = (kind: Lane['kind']): Lane => ({
  kind,
  next: firstSequenceOf(0),
  waiting: [],
  taken: 0,
  flights: new Map(),
});

/** A client that has done nothing yet. */
export const emptyClient = (settings: ClientSettings): ClientState => ({
  believed: settings.leader,
  near: 0,
  term: 0,
  armed: undefined,
  orderReads: settings.orderReads,
  life: 0,
  session: 0,
  requests: lane('request'),
  queries: lane('query'),
  tickets: new Map(),
  expiring: new Map(),
});

/** An independent copy: tickets that the original shares are shared in the copy too. */
export function copyClient(state: ClientState): ClientState {
  const made = new Map<Ticket, Ticket>();
  const ticket = (of: Ticket): Ticket => {
    const other = made.get(of) ?? { ...of };
    made.set(of, other);
    return other;
  };
  const laneCopy = (of: Lane): Lane => ({
    ...of,
    waiting: of.waiting.slice(of.taken).map(ticket),
    taken: 0,
    flights: new Map(
      [...of.flights].map(([sequence, flight]) => [
        sequence,
        {
          ...flight,
          tickets: flight.tickets.map(ticket),
          replies: flight.replies && new Map(flight.replies),
        },
      ]),
    ),
  });
  return {
    ...state,
    requests: laneCopy(state.requests),
    queries: laneCopy(state.queries),
    tickets: new Map([...state.tickets].map(([id, each]) => [id, ticket(each)])),
    expiring: new Map([...state.expiring].map(([id, each]) => [id, ticket(each)])),
  };
}

/** A delay that clients which started together do not share. */
export const spread = (delay: number): Delay => [delay, delay + Math.floor(delay / 4)];

/** What a client is made of. */
export interface ClientConfig {
  readonly self: PrincipalId;
  readonly members: readonly ReplicaId[];
  /** How many equal answers make one believed. */
  readonly matching: number;
  /** How many make one believed that is tentative: see `ClientPolicy.tentative`. */
  readonly tentative: number | undefined;
  /** How many make a read believed that is asked of all replicas: see `ClientPolicy.reads`. */
  readonly reads: number | undefined;
  /** Whether any replica answers its linearizable reads: see `ClientPolicy.readsAnywhere`. */
  readonly readsAnywhere: boolean;
  /** Whether it stays with the replica that it asks: see `ClientPolicy.stays`. */
  readonly stays: boolean;
  readonly settings: ClientSettings;
}

/** What a client of a group of `members` with this policy goes by. */
export const clientConfigOf = (
  self: PrincipalId,
  members: readonly ReplicaId[],
  { matching, tentative, reads, readsAnywhere = false, stays = false }: ClientPolicy,
  settings: ClientSettings,
): ClientConfig => ({
  ...{ self, members, matching, tentative, reads, readsAnywhere, stays, settings },
});

/** Takes an operation out of the books: it has been answered, or nobody waits for it. */
export function forget(state: ClientState, id: number): void {
  state.tickets.delete(id);
  state.expiring.delete(id);
}

/** What one step of a client asks for. */
export interface ClientOutputs {
  readonly sends: ServiceSend[];
  readonly timers: ServiceTimerChange[];
  readonly answers: Answer[];
}
