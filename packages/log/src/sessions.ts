/**
 * Exactly once (Ongaro's thesis 6.3): the replies that clients may still ask for again. What is in
 * here is a function of what was ordered and of nothing else, so all replicas agree on it, and it
 * is part of every snapshot: without it a replica that installs one would run old requests again.
 *
 * A client may have several sessions, one for each of its processes that is at work. Their numbers
 * are counted here, in the order of the log: a number opens a session once, so a request of a
 * session that is no longer kept can never be taken for a new one.
 */
import {
  type Digest,
  type DigestOf,
  lifeOf,
  type PrincipalId,
  type Request,
  type Signed,
  type Slot,
  sessionBytes,
  sessionsBytes,
} from '@quorumlab/core';
import { StateMachineError } from './errors.ts';
import {
  maxOperationBytes,
  maxOperations,
  maxOutstanding,
  maxRequestBytes,
  maxResultBytes,
  type RefusalReason,
} from './messages.ts';
import { contentsOf, digestIn, type Results, replyOf, weigh } from './replies.ts';
import {
  type Account,
  grow,
  maxClients,
  type Session,
  type SessionCaps,
  type Sessions,
  sessionWeight,
  usualCaps,
} from './session-state.ts';
import type { StateMachine } from './types.ts';

/** What came of an ordered request, now or before. */
export interface Ran {
  readonly fresh: boolean;
  readonly results: Results;
}

/** Why an ordered request did not run: see `refusal`. */
export interface Refused {
  readonly reason: RefusalReason;
  /** The number of the client's next session, where that helps. */
  readonly next: number;
}

/** The next session is of no use to a request that is refused for this reason. */
const never = (reason: RefusalReason): Refused => ({ reason, next: 0 });

/** By what a session knows a request. */
export type Name = Pick<Request, 'client' | 'session' | 'sequence'>;

/**
 * Whether this could be a request of an honest client. Checked when it arrives and once more when
 * it was ordered: a lying leader can order whatever a lying client has signed.
 */
export function wellFormed(request: Signed<Request>): boolean {
  const { operations, sequence, acknowledged, configuration } = request;
  if (request.from !== request.client) return false;
  // It is for the application or about the group, and never both.
  if (operations.length > 0 && configuration !== undefined) return false;
  if (acknowledged > sequence || sequence - acknowledged >= maxOutstanding) return false;
  if (lifeOf(acknowledged) !== lifeOf(sequence)) return false;
  if (operations.length > maxOperations) return false;
  let size = 0;
  for (const operation of operations) {
    if (operation.length > maxOperationBytes) return false;
    size += operation.length;
  }
  return size <= maxRequestBytes;
}

/** The number of the next session of `client`. */
export const nextSession = ({ accounts, forgotten }: Sessions, client: PrincipalId): number =>
  accounts.get(client)?.opened ?? forgotten;

/**
 * What is known of a request: its results if it ran, or why it never will; nothing if it may run.
 * Whatever a replica finds here stays true for ever, so one that lags behind says nothing wrong.
 */
export function lookUp(
  sessions: Sessions,
  { client, session: number = 0, sequence }: Name,
  contentsDigest: () => Digest,
): Results | Refused | undefined {
  const account = sessions.accounts.get(client);
  const next = account?.opened ?? sessions.forgotten;
  if (number >= next) return undefined;
  const session = account?.sessions.get(number);
  // One that is still kept tells that this request is not of it; of others nobody knows.
  if (session === undefined && number < (account?.complete ?? next))
    return never('session-expired');
  if (session?.life !== lifeOf(sequence)) return { reason: 'session-taken', next };
  if (sequence < session.acknowledged) return never('too-old');
  const reply = session.replies[sequence - session.acknowledged];
  if (reply === undefined) return undefined;
  return digestIn(reply) === contentsDigest() ? reply.results : never('sequence-reused');
}

/** Tells the two kinds of finds apart. */
export const isRefused = (found: Results | Refused | Ran): found is Refused => 'reason' in found;

/**
 * Runs an ordered request unless it ran before, or unless nobody can tell whether it did.
 * `answer` is what a request about the group gave: the application has no part in it.
 */
export function runOnce(
  sessions: Sessions,
  slot: Slot,
  request: Signed<Request>,
  digestOf: DigestOf,
  application: StateMachine,
  answer?: Results,
  caps: SessionCaps = usualCaps,
): Ran | Refused {
  const { client, session: number = 0, sequence } = request;
  const found = lookUp(sessions, request, () => contentsOf(request, digestOf));
  if (found !== undefined) return isRefused(found) ? found : { fresh: false, results: found };
  const next = nextSession(sessions, client);
  if (number > next) return { reason: 'session-taken', next };
  const account = sessions.accounts.get(client) ?? register(sessions, client, caps);
  const session =
    account.sessions.get(number) ?? open(sessions, account, slot, lifeOf(sequence), caps);
  account.stored = undefined;
  account.used = slot;
  session.used = slot;
  acknowledge(sessions, session, request.acknowledged);
  // The window is checked against the request itself, so this many replies are the most there are.
  const place = sequence - session.acknowledged;
  const results = answer ?? run(request, sessionBytes - session.size, application);
  const reply = replyOf(request, results, digestOf);
  while (session.replies.length < place) session.replies.push(undefined);
  session.replies[place] = reply;
  grow(sessions, session, weigh(reply));
  if (sessions.size > sessionsBytes && !caps.keepsAll) shed(sessions);
  return { fresh: true, results };
}

/** Forgets those who are too many, where `keepsAll` has put that off and all have the same. */
export function forgetSome(sessions: Sessions, caps: SessionCaps): void {
  if (sessions.accounts.size > caps.clients) forgetSilent(sessions, caps);
  if (sessions.size > sessionsBytes) shed(sessions);
}

/** Whether so many came that one who is not known has to wait until some are forgotten. */
export const isCrowded = (
  { accounts }: Sessions,
  { client }: Name,
  { clients }: SessionCaps,
): boolean => !accounts.has(client) && accounts.size >= clients + maxClients;

function run(
  { client, operations }: Signed<Request>,
  budget: number,
  application: StateMachine,
): Results {
  let results: Uint8Array[] | undefined;
  let left = Math.min(budget, maxResultBytes);
  for (const operation of operations) {
    const result = application.apply(operation, client);
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

function acknowledge(sessions: Sessions, session: Session, below: number): void {
  const { replies } = session;
  const gone = Math.min(below - session.acknowledged, replies.length);
  if (below <= session.acknowledged) return;
  session.acknowledged = below;
  for (let i = 0; i < gone; i++) {
    const reply = replies[i];
    if (reply !== undefined) grow(sessions, session, -weigh(reply));
  }
  if (gone === replies.length) replies.length = 0;
  else replies.splice(0, gone);
}

function register(sessions: Sessions, client: PrincipalId, caps: SessionCaps): Account {
  if (sessions.accounts.size >= caps.clients && !caps.keepsAll) forgetSilent(sessions, caps);
  const { forgotten } = sessions;
  const account: Account = {
    opened: forgotten,
    complete: forgotten,
    used: 0,
    sessions: new Map(),
    stored: undefined,
  };
  sessions.accounts.set(client, account);
  return account;
}

function open(
  sessions: Sessions,
  account: Account,
  slot: Slot,
  life: number,
  caps: SessionCaps,
): Session {
  if (account.sessions.size >= caps.ofClient) closeSilent(sessions, account);
  const session: Session = { life, acknowledged: 0, used: slot, size: 0, replies: [] };
  account.sessions.set(account.opened++, session);
  sessions.size += sessionWeight;
  return session;
}

function close(sessions: Sessions, account: Account, number: number): void {
  const size = account.sessions.get(number)?.size ?? 0;
  account.stored = undefined;
  account.sessions.delete(number);
  account.complete = Math.max(account.complete, number + 1);
  sessions.size -= size + sessionWeight;
}

/** Closes the session that was silent longest; of two in one slot, the older one. */
function closeSilent(sessions: Sessions, account: Account): void {
  let silent: readonly [number, Session] | undefined;
  for (const each of account.sessions)
    if (silent === undefined || each[1].used < silent[1].used) silent = each;
  if (silent !== undefined) close(sessions, account, silent[0]);
}

/** Same clients on every replica: ordered by the slot of the last request, then by number. */
function forgetSilent(sessions: Sessions, caps: SessionCaps): void {
  const order = [...sessions.accounts].sort(
    ([first, { used }], [second, other]) => used - other.used || first - second,
  );
  const over = Math.max(0, sessions.accounts.size - caps.clients);
  for (const [client, account] of order.slice(0, over + Math.ceil(caps.clients / 16))) {
    for (const number of [...account.sessions.keys()]) close(sessions, account, number);
    sessions.forgotten = Math.max(sessions.forgotten, account.opened);
    sessions.accounts.delete(client);
  }
}

/**
 * Makes room at the expense of those clients that take most, so that nobody can push out others:
 * first they lose the results that are kept for them, then whole sessions.
 */
function shed(sessions: Sessions): void {
  const enough = (sessionsBytes / 16) * 15;
  const heaviest = (): Account[] =>
    [...sessions.accounts]
      .map(([client, account]) => ({ client, account, size: sizeOf(account) }))
      .sort((one, two) => two.size - one.size || one.client - two.client)
      .map(({ account }) => account);
  for (const account of heaviest()) {
    if (sessions.size <= enough) return;
    account.stored = undefined;
    for (const session of account.sessions.values()) dropResults(sessions, session);
  }
  for (const account of heaviest())
    while (account.sessions.size > 1 && sessions.size > enough) closeSilent(sessions, account);
  for (const account of heaviest()) if (sessions.size > enough) closeSilent(sessions, account);
}

function sizeOf({ sessions }: Account): number {
  let sum = 0;
  for (const { size } of sessions.values()) sum += size + sessionWeight;
  return sum;
}

/** That they ran stays known, so they never run again. */
function dropResults(sessions: Sessions, session: Session): void {
  const { replies } = session;
  for (let i = 0; i < replies.length; i++) {
    const reply = replies[i];
    if (reply === undefined) continue;
    const less = { ...reply, results: [] };
    grow(sessions, session, weigh(less) - weigh(reply));
    replies[i] = less;
  }
}
