/**
 * The messages of PBFT, each declared once: its schema is its encoding and its limits, and its type
 * follows from it. `v`, `n`, `d` and `i` of the paper are `view`, `sequence`, `digest` and `from`.
 * Views are counted in each `epoch` from 0: see `epochs.ts`.
 */
import {
  batchField,
  boolean,
  certificate,
  digest,
  type Field,
  type Infer,
  integer,
  list,
  type MessagesField,
  message,
  messages,
  nullable,
  type OfKind,
  record,
  request,
  signed,
} from '@quorumlab/core';
import { configurationField } from './epochs.ts';
import {
  type MacMessage,
  type MacNewView,
  type MacViewChange,
  macMessages,
} from './mac-messages.ts';

/** What the limits of the encodings follow from. */
export interface Sizes {
  readonly n: number;
  readonly window: number;
  readonly maxBatch: number;
  /** Whether replicas authenticate with MACs; false unless told. */
  readonly mac?: boolean;
}

/** Most proofs in one message, and most claims that one asks about. */
export const proofsAtOnce = 64;

/** Most epochs that one message shows. */
export const epochsAtOnce = 16;

// Small enough that adding to it stays exact, large enough never to be reached.
const number = integer(2 ** 40);

const checkpoint = message('checkpoint', {
  epoch: number,
  sequence: number,
  digest,
  // The digest of the configuration after `sequence`; null: nobody has asked for a change.
  group: nullable(digest),
});

const status = message('status', {
  epoch: number,
  view: number,
  active: boolean,
  stable: number,
  executed: number,
});

/** What the messages are made of, and those whose types others use. */
function partsOf({ n, window, maxBatch }: Sizes) {
  const batch = batchField(maxBatch);
  const place = { view: number, sequence: number, digest };
  const vote = { epoch: number, ...place };
  const claim = record(place);
  const reached = record({ sequence: number, digest });
  const ordered = record({ sequence: number, digest });
  const prePrepare = message('pre-prepare', { ...vote, batch });
  const prepare = message('prepare', vote);
  const commit = message('commit', vote);
  const prepared = certificate(prepare, n);
  const stable = certificate(checkpoint, n);
  const configuration = nullable(configurationField);
  const handover = record({ checkpoint: stable, configuration: configurationField });
  const viewChange = message('view-change', {
    epoch: number,
    view: number,
    // The last stable checkpoint; null before the first one of the epoch.
    checkpoint: nullable(reached),
    // By ascending sequence: what was prepared, in the highest view.
    prepared: list(claim, window),
  });
  const newView = message('new-view', {
    epoch: number,
    view: number,
    // Proof of the last stable checkpoint of the new primary, which is no lower than any of V; null
    // before the first one of the epoch.
    checkpoint: nullable(stable),
    configuration,
    viewChanges: list(signed(viewChange), n),
    orders: list(ordered, window),
  });
  return {
    ...{ batch, claim, reached, ordered, prePrepare, prepare, commit, prepared },
    ...{ stable, configuration, handover, viewChange, newView },
  };
}

/**
 * Every schema of a group of `n` with a log of `window` batches. The order of `messages` is the tag
 * on the wire.
 */
export function schemas({ mac = false, ...sizes }: Sizes) {
  const parts = partsOf(sizes);
  const { prePrepare, prepare, commit, stable, configuration, viewChange, newView } = parts;
  const { batch, prepared, claim, handover, reached, ordered } = parts;
  const { n, maxBatch } = sizes;
  const relay = message('relay', { requests: batch });
  const fetchBatch = message('fetch-batch', { sequence: number, digest });
  const body = message('batch', { sequence: number, batch });
  const withSignatures = messages(
    prePrepare,
    prepare,
    commit,
    checkpoint,
    viewChange,
    newView,
    relay,
    status,
    message('committed', { commit: certificate(commit, n), batch }),
    message('stable-checkpoint', { checkpoint: stable, configuration }),
    fetchBatch,
    body,
    message('fetch-proofs', { claims: list(claim, proofsAtOnce) }),
    message('proofs', { proofs: list(prepared, proofsAtOnce) }),
    message('epochs', { handovers: list(handover, epochsAtOnce) }),
  );
  const withMacs = macMessages({ ...sizes, number, batch, claim, reached });
  const shared = [
    prePrepare,
    prepare,
    commit,
    checkpoint,
    relay,
    status,
    fetchBatch,
    body,
  ] as const;
  type Either = Infer<typeof withSignatures> | MacMessage;
  // A group has the messages of its mode alone, and no handler says another.
  const either = (mac ? messages(...shared, ...withMacs.others) : withSignatures) as unknown;
  return {
    // What D(m) is taken of: the requests without their signatures, which are not unique.
    content: list(request, maxBatch),
    number,
    batch,
    claim,
    reached,
    ordered,
    prepared,
    viewChange: (mac ? withMacs.viewChange : viewChange) as unknown as Field<
      Infer<typeof viewChange> | MacViewChange
    >,
    newView: (mac ? withMacs.newView : newView) as unknown as Field<
      Infer<typeof newView> | MacNewView
    >,
    macViewChange: withMacs.viewChange,
    stable,
    configuration,
    handover,
    messages: either as MessagesField<Either>,
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** ⟨⟨PRE-PREPARE, v, n, d⟩σp, m⟩, section 4.2: the primary gives `batch` the number `sequence`. */
export type PrePrepare = OfKind<Message, 'pre-prepare'>;

/** ⟨PREPARE, v, n, d, i⟩, section 4.2: a backup agrees to the number. */
export type Prepare = OfKind<Message, 'prepare'>;

/** ⟨COMMIT, v, n, D(m), i⟩, section 4.2: the sender is prepared. */
export type Commit = OfKind<Message, 'commit'>;

/**
 * ⟨CHECKPOINT, n, d, i⟩, section 4.3: the state after `sequence` has this digest, and `group` is
 * that of the configuration then. The epoch is that of `sequence`: who ends one names the next.
 */
export type Checkpoint = OfKind<Message, 'checkpoint'>;

/** An entry of P in a view-change: this batch was prepared under this number in this view. */
export type Claim = Infer<Schemas['claim']>;

/** A stable checkpoint without its proof. */
export type Reached = Infer<Schemas['reached']>;

/**
 * ⟨VIEW-CHANGE, v+1, n, C, P, i⟩, section 4.4. `checkpoint` stands for C (its sequence is n),
 * `prepared` for P. Who does not know their proofs asks for them.
 */
export type ViewChange = OfKind<Message, 'view-change'>;

/** One pre-prepare of a new view, without its batch. */
export type Ordered = Infer<Schemas['ordered']>;

/** ⟨NEW-VIEW, v+1, V, O⟩, section 4.4. */
export type NewView = OfKind<Message, 'new-view'>;

/** Section 4.1: a backup passes requests on to the primary. */
export type Relay = OfKind<Message, 'relay'>;

/** Where the sender stands. Whoever has what it lacks sends it. */
export type StatusReport = OfKind<Message, 'status'>;

/** A batch with a quorum's Commits: enough to execute it, whoever sends it. */
export type Committed = OfKind<Message, 'committed'>;

/** The proof of a stable checkpoint, and what it names, for a replica that lags. */
export type StableCheckpoint = OfKind<Message, 'stable-checkpoint'>;

/** Asks for the batch that `digest` at `sequence` stands for. */
export type FetchBatch = OfKind<Message, 'fetch-batch'>;

/** The answer to {@link FetchBatch}. Its digest says whether it is the right one. */
export type BatchBody = OfKind<Message, 'batch'>;

/** Asks for the proofs of claims that the receiver makes, or has built its view on. */
export type FetchProofs = OfKind<Message, 'fetch-proofs'>;

/** The answer to {@link FetchProofs}: the Prepares of a quorum for each claim that it can prove. */
export type Proofs = OfKind<Message, 'proofs'>;

/** The checkpoint with which an epoch ended, and the configuration after it, which it names. */
export type Handover = Infer<Schemas['handover']>;

/** For one in an earlier epoch: each one that followed, shown by the members of the one before. */
export type Epochs = OfKind<Message, 'epochs'>;
