/**
 * Exactly once (Ongaro's thesis 6.3): the replies that clients may still ask for again. What is in
 * here is a function of what was ordered and of nothing else, so all replicas agree on it, and it
 * is part of every snapshot: without it a replica that installs one would run old requests again.
 */
import type { Field, PrincipalId, Request, Signed, Slot } from '@quorumlab/core';
import { bytes, integer, list, record } from '@quorumlab/core';
import { StateMachineError } from './errors.ts';
import {
  maxOperationBytes,
  maxOperations,
  maxOutstanding,
  maxRequestBytes,
  maxResultBytes,
} from './messages.ts';
import type { StateMachine } from './types.ts';

/** Most sessions. One more, and the sixteenth part that was silent longest is forgotten. */
export const maxSessions = 65_536;
/** Most bytes of results that are kept for one client; what does not fit is not kept. */
export const maxSessionBytes: number = 4 << 20;

/** Results of one request. */
export type Results = readonly Uint8Array[];

/** What a replica remembers of one client. */
export interface Session {
  acknowledged: number;
  /** The slot of its last request: who is silent longest is forgotten first. */
  used: Slot;
  /** Bytes of all results in `replies`. */
  size: number;
  /** Of sequences from `acknowledged` on, as far as they ran: shorter than `maxOutstanding`. */
  readonly replies: (Results | undefined)[];
}

/** All sessions, by client. */
export type Sessions = Map<PrincipalId, Session>;

/** What {@link runOnce} found. */
export interface Ran {
  readonly fresh: boolean;
  readonly results: Results;
}

/**
 * Whether this could be a request of an honest client. Checked when it arrives and once more when
 * it was ordered: a lying leader can order whatever a lying client has signed.
 */
export function wellFormed(request: Signed<Request>): boolean {
  const { operations, sequence, acknowledged, configuration } = request;
  if (request.from !== request.client) return false;
  // It is for the application or about the group, and never both or nothing.
  if ((operations.length === 0) !== (configuration !== undefined)) return false;
  if (acknowledged > sequence || sequence - acknowledged >= maxOutstanding) return false;
  if (operations.length > maxOperations) return false;
  let size = 0;
  for (const operation of operations) {
    if (operation.length > maxOperationBytes) return false;
    size += operation.length;
  }
  return size <= maxRequestBytes;
}

/** The reply to a request that ran and that its client has not acknowledged, or nothing. */
export const replyOf = (
  sessions: Sessions,
  client: PrincipalId,
  sequence: number,
): Results | undefined => {
  const session = sessions.get(client);
  return session?.replies[sequence - session.acknowledged];
};

/** Whether the client said that it no longer waits for `sequence`. */
export const isForgotten = (sessions: Sessions, client: PrincipalId, sequence: number): boolean =>
  sequence < (sessions.get(client)?.acknowledged ?? 0);

/**
 * Runs an ordered request unless it ran before. Nothing is returned, and nothing runs, for a
 * request that its client no longer waits for: it may have run before, and no one can tell.
 * `answer` is what a request about the group gave: the application has no part in it.
 */
export function runOnce(
  sessions: Sessions,
  slot: Slot,
  request: Signed<Request>,
  application: StateMachine,
  answer?: Results,
): Ran | undefined {
  const session = sessions.get(request.client) ?? open(sessions, request.client);
  session.used = slot;
  acknowledge(session, request.acknowledged);
  if (request.sequence < session.acknowledged) return undefined;
  const place = request.sequence - session.acknowledged;
  const before = session.replies[place];
  if (before !== undefined) return { fresh: false, results: before };
  // The window is checked against the request itself, so this many replies are the most there are.
  const budget = maxSessionBytes - session.size;
  const results = answer ?? run(request.operations, budget, application);
  for (const result of results) session.size += result.length;
  while (session.replies.length < place) session.replies.push(undefined);
  session.replies[place] = results;
  return { fresh: true, results };
}

function run(
  operations: readonly Uint8Array[],
  budget: number,
  application: StateMachine,
): Results {
  let results: Uint8Array[] | undefined;
  let left = Math.min(budget, maxResultBytes);
  for (const operation of operations) {
    const result = application.apply(operation);
    if (result.length > maxOperationBytes)
      throw new StateMachineError(
        `a result of ${result.length} bytes is above ${maxOperationBytes}; ` +
          'make the application answer less at once',
      );
    left -= result.length;
    if (left < 0) continue;
    // Mostly there is one, and a list that begins with one takes no room for more.
    if (results === undefined) results = [result];
    else results.push(result);
  }
  return results ?? [];
}

function acknowledge(session: Session, below: number): void {
  const { replies } = session;
  const gone = Math.min(below - session.acknowledged, replies.length);
  if (below <= session.acknowledged) return;
  session.acknowledged = below;
  for (let i = 0; i < gone; i++)
    for (const result of replies[i] ?? []) session.size -= result.length;
  if (gone === replies.length) replies.length = 0;
  else replies.splice(0, gone);
}

function open(sessions: Sessions, client: PrincipalId): Session {
  if (sessions.size >= maxSessions) forgetSilent(sessions);
  const session: Session = { acknowledged: 0, used: 0, size: 0, replies: [] };
  sessions.set(client, session);
  return session;
}

/** Same clients on every replica: ordered by the slot of the last request, then by number. */
function forgetSilent(sessions: Sessions): void {
  const order = [...sessions].sort(
    ([first, { used }], [second, other]) => used - other.used || first - second,
  );
  for (const [client] of order.slice(0, maxSessions / 16)) sessions.delete(client);
}

/** The sessions as they stand in a snapshot: clients and sequences ascending. */
export type StoredSessions = readonly {
  readonly client: number;
  readonly acknowledged: number;
  readonly used: number;
  readonly replies: readonly { readonly sequence: number; readonly results: Results }[];
}[];

/** See {@link StoredSessions}. */
export const storedSessions: Field<StoredSessions> = list(
  record({
    client: integer(),
    acknowledged: integer(),
    used: integer(),
    replies: list(
      record({
        sequence: integer(),
        results: list(bytes(maxOperationBytes), maxOperations),
      }),
      maxOutstanding,
    ),
  }),
  maxSessions,
);

/** For a snapshot. */
export const storeSessions = (sessions: Sessions): StoredSessions =>
  [...sessions]
    .sort(([first], [second]) => first - second)
    .map(([client, { acknowledged, used, replies }]) => ({
      client,
      acknowledged,
      used,
      replies: replies.flatMap((results, i) =>
        results === undefined ? [] : [{ sequence: acknowledged + i, results }],
      ),
    }));

/** From a snapshot. */
export const loadSessions = (stored: StoredSessions): Sessions =>
  new Map(
    stored.map(({ client, acknowledged, used, replies }) => [
      client,
      {
        acknowledged,
        used,
        size: replies.reduce((sum, { results }) => sum + sizeOf(results), 0),
        replies: placed(acknowledged, replies),
      },
    ]),
  );

/** A snapshot may be a liar's: what an honest replica would not have stored is left out. */
function placed(
  acknowledged: number,
  stored: StoredSessions[number]['replies'],
): (Results | undefined)[] {
  const replies: (Results | undefined)[] = [];
  for (const { sequence, results } of stored) {
    const place = sequence - acknowledged;
    if (place < 0 || place >= maxOutstanding) continue;
    while (replies.length < place) replies.push(undefined);
    replies[place] = results;
  }
  return replies;
}

const sizeOf = (results: Results): number => results.reduce((sum, each) => sum + each.length, 0);
