/** Sessions as snapshots hold them. */
import {
  bytes,
  digest,
  type Field,
  integer,
  list,
  type PrincipalId,
  record,
} from '@quorumlab/core';
import { maxOperationBytes, maxOperations, maxOutstanding } from './messages.ts';
import { keptOf, weigh } from './replies.ts';
import {
  type Account,
  grow,
  maxClients,
  maxSessionsOfClient,
  type Session,
  type Sessions,
  type StoredAccount,
  sessionWeight,
} from './session-state.ts';

/**
 * The sessions as they stand in a snapshot: clients in the order in which the log has first heard
 * of them, numbers and sequences ascending.
 */
export interface StoredSessions {
  readonly forgotten: number;
  readonly clients: readonly StoredAccount[];
}

/** See {@link StoredSessions}. */
export const storedSessions: Field<StoredSessions> = record({
  forgotten: integer(),
  clients: list(
    record({
      client: integer(),
      opened: integer(),
      complete: integer(),
      used: integer(),
      sessions: list(
        record({
          number: integer(),
          life: integer(),
          acknowledged: integer(),
          used: integer(),
          replies: list(
            record({
              sequence: integer(),
              digest,
              results: list(bytes(maxOperationBytes), maxOperations),
            }),
            maxOutstanding,
          ),
        }),
        maxSessionsOfClient,
      ),
    }),
    maxClients,
  ),
});

/** For a snapshot. What has not changed since the last one costs next to nothing. */
export const storeSessions = ({ accounts, forgotten }: Sessions): StoredSessions => ({
  forgotten,
  clients: [...accounts].map(
    ([client, account]) => (account.stored ??= storeAccount(client, account)),
  ),
});

const storeAccount = (
  client: PrincipalId,
  { opened, complete, used, sessions }: Account,
): StoredAccount => ({
  client,
  opened,
  complete,
  used,
  // A number is given once, so they stand in their order already.
  sessions: [...sessions].map(([number, session]) => ({
    number,
    life: session.life,
    acknowledged: session.acknowledged,
    used: session.used,
    replies: session.replies.flatMap((reply, i) =>
      reply === undefined ? [] : [{ sequence: session.acknowledged + i, ...keptOf(reply) }],
    ),
  })),
});

/** From a snapshot. It may be a liar's: what no honest replica would have stored is left out. */
export function loadSessions({ forgotten, clients }: StoredSessions): Sessions {
  const sessions: Sessions = { accounts: new Map(), forgotten, size: 0 };
  for (const { client, sessions: stored, ...rest } of clients) {
    const account: Account = { ...rest, sessions: new Map(), stored: undefined };
    sessions.accounts.set(client, account);
    for (const { number, life, acknowledged, used, replies } of stored) {
      const session: Session = { life, acknowledged, used, size: 0, replies: [] };
      account.sessions.set(number, session);
      sessions.size += sessionWeight;
      for (const { sequence, ...reply } of replies) {
        const place = sequence - acknowledged;
        if (place < 0 || place >= maxOutstanding) continue;
        while (session.replies.length < place) session.replies.push(undefined);
        session.replies[place] = reply;
        grow(sessions, session, weigh(reply));
      }
    }
  }
  return sessions;
}
