/**
 * What replicas say with MACs instead of signatures: Castro and Liskov, "Practical Byzantine Fault
 * Tolerance and Proactive Recovery" (TOCS 2002), section 3.2. Nothing in these messages convinces a
 * third party, so nobody quotes another. There is one epoch: the group stays as it is.
 */
import {
  type Batch,
  type Digest,
  digest,
  type Field,
  type Infer,
  integer,
  list,
  membersLimit,
  message,
  nullable,
  type OfKind,
  record,
} from '@quorumlab/core';

interface Parts {
  readonly n: number;
  readonly window: number;
  readonly number: Field<number>;
  readonly batch: Field<Batch>;
  readonly claim: Field<{
    readonly view: number;
    readonly sequence: number;
    readonly digest: Digest;
  }>;
  readonly reached: Field<{ readonly sequence: number; readonly digest: Digest }>;
}

/** The messages of a group that uses MACs, beside those that it shares with one that signs. */
export function macMessages({ n, window, number, batch, claim, reached }: Parts) {
  const member = integer(membersLimit - 1);
  const viewChange = message('mac-view-change', {
    view: number,
    // h: the last stable checkpoint.
    low: number,
    // C, by ascending sequence: the checkpoints that the sender has, or knows to be stable.
    checkpoints: list(reached, window + 2),
    // P, by ascending sequence: what was prepared, in the highest view.
    prepared: list(claim, window),
    // Q, by ascending sequence, of each number the latest view first: what was pre-prepared.
    prePrepared: list(claim, 2 * window),
  });
  const newView = message('mac-new-view', {
    view: number,
    // V: whose view-changes it rests on, by ascending number, and their digests.
    viewChanges: list(record({ member, digest }), n),
    // X: the checkpoint from which the view begins, and the numbers above it.
    checkpoint: nullable(reached),
    orders: list(reached, window),
  });
  const others = [
    viewChange,
    message('view-change-ack', { view: number, of: member, digest }),
    newView,
    message('fetch-view-change', { view: number, of: member, digest }),
    message('vouched', { of: member, viewChange }),
    message('executed', { sequence: number, digest, batch }),
  ] as const;
  return { viewChange, newView, others };
}

/** Every message that only a group with MACs has. */
export type MacMessage = Infer<ReturnType<typeof macMessages>['others'][number]>;

/** ⟨VIEW-CHANGE, v+1, h, C, P, Q, i⟩, section 3.2.4. */
export type MacViewChange = OfKind<MacMessage, 'mac-view-change'>;

/** ⟨VIEW-CHANGE-ACK, v+1, i, j, d⟩, section 3.2.4: i has got j's view-change, of digest d. */
export type ViewChangeAck = OfKind<MacMessage, 'view-change-ack'>;

/** ⟨NEW-VIEW, v+1, V, X⟩, section 3.2.4. */
export type MacNewView = OfKind<MacMessage, 'mac-new-view'>;

/** Asks for a view-change that a new view rests on. */
export type FetchViewChange = OfKind<MacMessage, 'fetch-view-change'>;

/** The answer to {@link FetchViewChange}: the sender has got this view-change from `of` itself. */
export type Vouched = OfKind<MacMessage, 'vouched'>;

/** The sender has executed this batch. With the word of f+1 a replica that lags executes it too. */
export type Executed = OfKind<MacMessage, 'executed'>;
