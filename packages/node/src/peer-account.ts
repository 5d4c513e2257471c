/** What each peer has taken of this process, so that an operator sees who takes what. */
import { now } from './time.ts';

/**
 * What time goes into: reading a frame, checking its signatures, stepping the machine with it, and
 * signing and writing what the machine says, which nobody but this process itself is charged for.
 */
export type WorkKind = 'decode' | 'verify' | 'step' | 'say';

/** What one peer has taken since the start; counters only grow. */
export interface PeerAccount {
  /** Its number; nothing stands for all that are no principals of the cluster. */
  readonly id: number | undefined;
  /** Time on this process's thread, in microseconds with fractions, by what it went into. */
  readonly work: Record<WorkKind, number>;
  /** Frames that were handed on, and bytes of its streams, hellos and heartbeats included. */
  framesIn: number;
  bytesIn: number;
  /** As they, for what was queued for it, and given to the channel. */
  framesOut: number;
  bytesOut: number;
  /** Times that a link to it was made. */
  links: number;
  /** Connections that were ended because of what it sent. */
  resets: number;
  /** Why the last one was, in at most {@link REASON_LETTERS} letters. */
  lastReset: string | undefined;
  /** Its frames and connections that were refused, by reason. */
  readonly refused: Map<string, number>;
  /** Frames for it that were not sent, by reason. */
  readonly dropped: Map<string, number>;
}

/** Most letters of a reason that is kept: a peer chooses some of them. */
const REASON_LETTERS = 120;

/** An account at zero. */
const newAccount = (id: number | undefined): PeerAccount => ({
  id,
  work: { decode: 0, verify: 0, step: 0, say: 0 },
  framesIn: 0,
  bytesIn: 0,
  framesOut: 0,
  bytesOut: 0,
  links: 0,
  resets: 0,
  lastReset: undefined,
  refused: new Map(),
  dropped: new Map(),
});

/** Counts `more` of `reason`, which must be one of few: it is kept for good. */
export function countReason(reasons: Map<string, number>, reason: string, more = 1): void {
  if (more === 0) return;
  reasons.set(reason, (reasons.get(reason) ?? 0) + more);
}

/** Notes that a connection was ended because of what the peer sent. */
export function noteReset(account: PeerAccount, reason: string): void {
  account.resets++;
  account.lastReset = reason.slice(0, REASON_LETTERS);
}

/** What a peer has taken so far, and what it holds now: plain data. */
export interface PeerUse
  extends Omit<PeerAccount, 'refused' | 'dropped' | 'lastReset'>,
    PeerHoldings {
  readonly lastReset?: string;
  readonly refused: Readonly<Record<string, number>>;
  readonly dropped: Readonly<Record<string, number>>;
}

/** What a peer holds of this process now. */
export interface PeerHoldings {
  /** Connections whose key is proven. */
  readonly connections: number;
  /** Streams on them. */
  readonly streams: number;
  /** Bytes that wait to be sent to it. */
  readonly queuedBytes: number;
  /** Its frames that wait to be checked and stepped. */
  readonly waitingFrames: number;
  /** Bytes of those frames. */
  readonly waitingBytes: number;
  /** For how long it is kept out still, in milliseconds; 0: it is not. */
  readonly bannedMilliseconds: number;
}

/** Who holds nothing. */
const noHoldings: PeerHoldings = {
  connections: 0,
  streams: 0,
  queuedBytes: 0,
  waitingFrames: 0,
  waitingBytes: 0,
  bannedMilliseconds: 0,
};

/** An account as plain data, which does not change any more, with what the peer holds. */
export function useOf(account: PeerAccount, holdings: PeerHoldings = noHoldings): PeerUse {
  const { lastReset, ...rest } = account;
  return {
    ...rest,
    ...holdings,
    work: { ...account.work },
    ...(lastReset === undefined ? {} : { lastReset }),
    refused: Object.fromEntries(account.refused),
    dropped: Object.fromEntries(account.dropped),
  };
}

/**
 * One account for each principal and one for all strangers together: as many as the cluster has
 * keys, whoever connects.
 */
export class PeerAccounts {
  /** All that are no principals of the cluster. */
  readonly strangers: PeerAccount = newAccount(undefined);
  readonly #byId = new Map<number, PeerAccount>();

  /** The account of a principal; `id` must have been proven, since accounts are kept for good. */
  of(id: number): PeerAccount {
    let account = this.#byId.get(id);
    if (account === undefined) {
      account = newAccount(id);
      this.#byId.set(id, account);
    }
    return account;
  }

  /** Accounts of principals that have come up, by number, and that of the strangers last. */
  all(): readonly PeerAccount[] {
    const known = [...this.#byId.values()].sort((one, two) => (one.id ?? 0) - (two.id ?? 0));
    return [...known, this.strangers];
  }

  /**
   * Charges `id` with the time since `begin`, which `now()` gave, and says how much that is in
   * microseconds. Spans that are charged must not overlap, or time counts twice.
   */
  charge(id: number, kind: WorkKind, begin: number): number {
    const spent = (now() - begin) * 1000;
    this.of(id).work[kind] += spent;
    return spent;
  }
}
