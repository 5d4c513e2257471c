/**
 * The messages of PBFT and what a replica must not forget, each declared once: type, encoding and
 * limits. `v`, `n`, `d` and `i` of the paper are `view`, `sequence`, `digest` and `from`.
 */
import {
  type Batch,
  batchField,
  boolean,
  type Certificate,
  certificate,
  type Digest,
  digest,
  type Field,
  integer,
  list,
  type MessageField,
  type MessagesField,
  message,
  messages,
  nullable,
  type Request,
  record,
  request,
  type Signed,
  type StoredFields,
  signed,
} from '@quorumlab/core';
import type { Pbft, Stable } from './state.ts';

/** ⟨⟨PRE-PREPARE, v, n, d⟩σp, m⟩, section 4.2: the primary gives `batch` the number `sequence`. */
export interface PrePrepare {
  readonly kind: 'pre-prepare';
  readonly view: number;
  readonly sequence: number;
  readonly digest: Digest;
  readonly batch: Batch;
}

/** ⟨PREPARE, v, n, d, i⟩, section 4.2: a backup agrees to the number. */
export interface Prepare {
  readonly kind: 'prepare';
  readonly view: number;
  readonly sequence: number;
  readonly digest: Digest;
}

/** ⟨COMMIT, v, n, D(m), i⟩, section 4.2: the sender is prepared. */
export interface Commit {
  readonly kind: 'commit';
  readonly view: number;
  readonly sequence: number;
  readonly digest: Digest;
}

/** ⟨CHECKPOINT, n, d, i⟩, section 4.3: the state after `sequence` has this digest. */
export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly sequence: number;
  readonly digest: Digest;
}

/** An entry of P in a view-change: this batch was prepared under this number in this view. */
export interface Claim {
  readonly view: number;
  readonly sequence: number;
  readonly digest: Digest;
}

/** A stable checkpoint without its proof. */
export interface Reached {
  readonly sequence: number;
  readonly digest: Digest;
}

/**
 * ⟨VIEW-CHANGE, v+1, n, C, P, i⟩, section 4.4. `checkpoint` stands for C (its sequence is n),
 * `prepared` for P. Who does not know their proofs asks for them.
 */
export interface ViewChange {
  readonly kind: 'view-change';
  readonly view: number;
  /** The last stable checkpoint; null before the first one. */
  readonly checkpoint: Reached | null;
  /** By ascending sequence: what was prepared, in the highest view. */
  readonly prepared: readonly Claim[];
}

/** One pre-prepare of a new view, without its batch. */
export interface Ordered {
  readonly sequence: number;
  readonly digest: Digest;
}

/** ⟨NEW-VIEW, v+1, V, O⟩, section 4.4. */
export interface NewView {
  readonly kind: 'new-view';
  readonly view: number;
  /** Proof of the last stable checkpoint of the new primary, which is no lower than any of V. */
  readonly checkpoint: Certificate<Checkpoint> | null;
  readonly viewChanges: readonly Signed<ViewChange>[];
  readonly orders: readonly Ordered[];
}

/** Section 4.1: a backup passes requests on to the primary. */
export interface Relay {
  readonly kind: 'relay';
  readonly requests: Batch;
}

/** Where the sender stands. Whoever has what it lacks sends it. */
export interface StatusReport {
  readonly kind: 'status';
  readonly view: number;
  readonly active: boolean;
  readonly stable: number;
  readonly executed: number;
}

/** A batch with a quorum's Commits: enough to execute it, whoever sends it. */
export interface Committed {
  readonly kind: 'committed';
  readonly commit: Certificate<Commit>;
  readonly batch: Batch;
}

/** The proof of a stable checkpoint, for a replica that lags. */
export interface StableCheckpoint {
  readonly kind: 'stable-checkpoint';
  readonly checkpoint: Certificate<Checkpoint>;
}

/** Asks for the batch that `digest` at `sequence` stands for. */
export interface FetchBatch {
  readonly kind: 'fetch-batch';
  readonly sequence: number;
  readonly digest: Digest;
}

/** The answer to {@link FetchBatch}. Its digest says whether it is the right one. */
export interface BatchBody {
  readonly kind: 'batch';
  readonly sequence: number;
  readonly batch: Batch;
}

/** Asks for the proofs of claims that the receiver makes, or has built its view on. */
export interface FetchProofs {
  readonly kind: 'fetch-proofs';
  readonly claims: readonly Claim[];
}

/** The answer to {@link FetchProofs}: the Prepares of a quorum for each claim that it can prove. */
export interface Proofs {
  readonly kind: 'proofs';
  readonly proofs: readonly Certificate<Prepare>[];
}

/** Every message of this protocol. */
export type Message =
  | PrePrepare
  | Prepare
  | Commit
  | Checkpoint
  | ViewChange
  | NewView
  | Relay
  | StatusReport
  | Committed
  | StableCheckpoint
  | FetchBatch
  | BatchBody
  | FetchProofs
  | Proofs;

/** What the limits of the encodings follow from. */
export interface Sizes {
  readonly n: number;
  readonly window: number;
  readonly maxBatch: number;
}

/** Most proofs in one message, and most claims that one asks about. */
export const proofsAtOnce = 64;

/** Encodings for one group. */
export interface Codec {
  /** What D(m) is taken of: the requests without their signatures, which are not unique. */
  readonly content: Field<readonly Request[]>;
  readonly messages: MessagesField<Message>;
  readonly stored: StoredFields<Pbft>;
}

// Small enough that adding to it stays exact, large enough never to be reached.
const number = integer(2 ** 40);

/** Builds the encodings of a group of `n` with a log of `window` batches. */
export function codec({ n, window, maxBatch }: Sizes): Codec {
  const batch = batchField(maxBatch);
  const vote = { view: number, sequence: number, digest };
  const prePrepare: MessageField<PrePrepare> = message('pre-prepare', { ...vote, batch });
  const prepare: MessageField<Prepare> = message('prepare', vote);
  const commit: MessageField<Commit> = message('commit', vote);
  const checkpoint: MessageField<Checkpoint> = message('checkpoint', { sequence: number, digest });
  const stable = certificate(checkpoint, n);
  const viewChange: MessageField<ViewChange> = message('view-change', {
    view: number,
    checkpoint: nullable(record({ sequence: number, digest })),
    prepared: list(record(vote), window),
  });
  const newView: MessageField<NewView> = message('new-view', {
    view: number,
    checkpoint: nullable(stable),
    viewChanges: list(signed(viewChange), n),
    orders: list(record({ sequence: number, digest }), window),
  });
  return {
    content: list(request, maxBatch),
    messages: messages(
      prePrepare,
      prepare,
      commit,
      checkpoint,
      viewChange,
      newView,
      message('relay', { requests: batch }),
      message('status', { view: number, active: boolean, stable: number, executed: number }),
      message('committed', { commit: certificate(commit, n), batch }),
      message('stable-checkpoint', { checkpoint: stable }),
      message('fetch-batch', { sequence: number, digest }),
      message('batch', { sequence: number, batch }),
      message('fetch-proofs', { claims: list(record(vote), proofsAtOnce) }),
      message('proofs', { proofs: list(certificate(prepare, n), proofsAtOnce) }),
    ),
    stored: {
      view: number,
      active: boolean,
      prePrepares: record({ view: number, digest, batch: nullable(batch) }),
      prepared: record({ proof: certificate(prepare, n), batch }),
      viewChange: nullable(viewChange),
      newView: nullable(newView),
      stableCheckpoint: nullable(stable),
      checkpoints: digest,
      snapshot: number,
    } satisfies Record<keyof Stable, Field<never> | Field<unknown>> as StoredFields<Pbft>,
  };
}
