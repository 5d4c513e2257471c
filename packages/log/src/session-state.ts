/** What is remembered of the sessions of clients. */

import type { PrincipalId, Slot } from '@quorumlab/core';
import type { HeldReply, KeptReply } from './replies.ts';

/** The sessions of one client in a snapshot. */
export interface StoredAccount {
  readonly client: number;
  readonly opened: number;
  readonly complete: number;
  readonly used: number;
  readonly sessions: readonly {
    readonly number: number;
    readonly life: number;
    readonly acknowledged: number;
    readonly used: number;
    readonly replies: readonly (KeptReply & { readonly sequence: number })[];
  }[];
}

/** Most clients. One more, and the sixteenth part that was silent longest is forgotten. */
export const maxClients = 65_536;
/** Most sessions of one client. One more, and the one that was silent longest is closed. */
export const maxSessionsOfClient = 16;

/** Where somebody is forgotten. All replicas of a group have the same, for as long as it lives. */
export interface SessionCaps {
  /** Most clients: {@link maxClients} unless told. */
  readonly clients: number;
  /** Most sessions of one client: {@link maxSessionsOfClient} unless told, and never more. */
  readonly ofClient: number;
  /**
   * Nobody is forgotten because others came, before `forgetSome`: where the order of clients
   * is each replica's own, they would not forget the same ones.
   */
  readonly keepsAll?: boolean;
}

/** What a group has unless told. */
export const usualCaps: SessionCaps = { clients: maxClients, ofClient: maxSessionsOfClient };

/** What a session takes beside its replies: no less than on the disk. */
export const sessionWeight = 256;

/** What a replica remembers of one session. */
export interface Session {
  /** Which life of its client has opened it. */
  readonly life: number;
  acknowledged: number;
  /** The slot of its last request: who is silent longest is forgotten first. */
  used: Slot;
  /** Bytes that `replies` take. */
  size: number;
  /** Of sequences from `acknowledged` on, as far as they ran: shorter than `maxOutstanding`. */
  readonly replies: (HeldReply | undefined)[];
}

/** What a replica remembers of one client. */
export interface Account {
  /** How many sessions it has opened: the number of the next one. */
  opened: number;
  /** All its sessions from this number on are kept. */
  complete: number;
  /** The slot of its last request. */
  used: Slot;
  /** By number. */
  readonly sessions: Map<number, Session>;
  /** How it stands in a snapshot, unless something has changed since that was made. */
  stored: StoredAccount | undefined;
}

/** All sessions, by client. */
export interface Sessions {
  readonly accounts: Map<PrincipalId, Account>;
  /** Where the numbers of an unknown client begin: above those of all that were forgotten. */
  forgotten: number;
  /** Bytes that all sessions take. */
  size: number;
}

/** Sessions of nobody. */
export const noSessions = (): Sessions => ({ accounts: new Map(), forgotten: 0, size: 0 });

/** A session takes `by` bytes more. */
export function grow(sessions: Sessions, session: Session, by: number): void {
  session.size += by;
  sessions.size += by;
}

/**
 * Has what runs for these clients from now on run on copies of their accounts. Returns what puts
 * the accounts back as they are now. Nobody else may be touched meanwhile: see `keepsAll`.
 */
export function markSessions(sessions: Sessions, clients: ReadonlySet<PrincipalId>): () => void {
  const { accounts, forgotten, size } = sessions;
  const before = [...clients].map((client) => [client, accounts.get(client)] as const);
  for (const [client, account] of before)
    if (account !== undefined) accounts.set(client, copyAccount(account));
  return () => {
    for (const [client, account] of before)
      if (account === undefined) accounts.delete(client);
      else accounts.set(client, account);
    Object.assign(sessions, { forgotten, size });
  };
}

const copyAccount = (account: Account): Account => ({
  ...account,
  sessions: new Map(
    [...account.sessions].map(([number, session]) => [
      number,
      { ...session, replies: [...session.replies] },
    ]),
  ),
});
