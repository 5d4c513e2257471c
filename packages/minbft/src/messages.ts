/**
 * The messages of MinBFT, each declared once: its schema is its encoding and its limits, and its
 * type follows from it. `v`, `d` and `i` of the paper are `view`, `digest` and `from`; the counter
 * value of a UI is `number`, and its certificate the signature that the trusted counter lets pass.
 */
import {
  batchField,
  boolean,
  digest,
  type Infer,
  integer,
  list,
  message,
  messages,
  type OfKind,
  record,
  request,
  signed,
} from '@quorumlab/core';

/** What the limits of the encodings follow from. */
export interface Sizes {
  readonly n: number;
  readonly window: number;
  readonly maxBatch: number;
}

/** Most view-changes of a member that are remembered below where it is heard from. */
export const keptChanges = 64;

// Small enough that adding to it stays exact, large enough never to be reached.
const number = integer(2 ** 40);

/** Every schema of a group. The order of `messages` is the tag on the wire. */
export function schemas({ n, window, maxBatch }: Sizes) {
  const batch = batchField(maxBatch);
  const order = record({ sequence: number, digest });
  const prepare = message('prepare', { number, view: number, sequence: number, digest });
  const commit = message('commit', { number, prepare: signed(prepare) });
  const checkpoint = message('checkpoint', { number, sequence: number, digest });
  // Checkpoints of f+1 members for one state; empty: before the first one.
  const proof = list(signed(checkpoint), n);
  const viewChange = message('view-change', { number, view: number, stable: proof });
  const newView = message('new-view', {
    number,
    view: number,
    // V: whose view-changes it begins with, by their numbers.
    changes: list(record({ member: number, number }), n),
  });
  const numbered = messages(prepare, commit, checkpoint, viewChange, newView);
  const anchor = record({
    member: number,
    // The number of its checkpoint after `sequence`; both 0: it has said nothing.
    number,
    sequence: number,
    view: number,
    // Its latest view-changes: a new view may name them.
    changes: list(record({ number, view: number }), keptChanges),
    // Whether it has begun the view as its primary, and what it has to order again above.
    begun: boolean,
    orders: list(order, 2 * window),
  });
  return {
    number,
    batch,
    proof,
    anchor,
    numbered,
    logged: signed(numbered),
    anchors: list(anchor, n),
    stored: record({ digest, batch }),
    // What D(m) is taken of: the requests without their signatures, which are not unique.
    content: list(request, maxBatch),
    messages: messages(
      prepare,
      commit,
      checkpoint,
      viewChange,
      newView,
      message('batch', { batch }),
      message('relay', { requests: batch }),
      message('req-view-change', { view: number }),
      message('status', { view: number, stable: number, executed: number, heard: list(number, n) }),
      message('said', { statement: signed(numbered) }),
      message('stable-checkpoint', { proof, anchors: list(anchor, n) }),
      message('fetch-batch', { sequence: number, digest }),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** What carries a number of its sender's trusted counter. */
export type Numbered = Infer<Schemas['numbered']>;

/** ⟨PREPARE, v, m, UI⟩: the primary gives the batch of `digest`, sent beside it, a position. */
export type Prepare = OfKind<Message, 'prepare'>;

/** ⟨COMMIT, v, UI of the PREPARE, UI⟩: its sender takes part in that. */
export type Commit = OfKind<Message, 'commit'>;

/** ⟨CHECKPOINT, sequence, digest of the state, UI⟩ */
export type Checkpoint = OfKind<Message, 'checkpoint'>;

/** ⟨VIEW-CHANGE, v, proof of the last stable checkpoint, UI⟩. Its log is what was heard before. */
export type ViewChange = OfKind<Message, 'view-change'>;

/** ⟨NEW-VIEW, v, V, UI⟩. S follows from V. */
export type NewView = OfKind<Message, 'new-view'>;

/** ⟨REQ-VIEW-CHANGE, v⟩: its sender has waited too long. It has no number. */
export type ReqViewChange = OfKind<Message, 'req-view-change'>;

/** A batch: its digest says which. */
export type BatchBody = OfKind<Message, 'batch'>;

/** A backup passes requests on to the primary. */
export type Relay = OfKind<Message, 'relay'>;

/** Where its sender stands: `heard` are the numbers up to which it has heard each member. */
export type StatusReport = OfKind<Message, 'status'>;

/** A statement of some member, handed on by any. */
export type Said = OfKind<Message, 'said'>;

/** A stable checkpoint, and from which number on each member is to be heard after it. */
export type StableCheckpoint = OfKind<Message, 'stable-checkpoint'>;

/** Asks for the batch that `digest` stands for. */
export type FetchBatch = OfKind<Message, 'fetch-batch'>;

/** See {@link StableCheckpoint}. */
export type Anchor = Infer<Schemas['anchor']>;

/** What a new view orders again. */
export type Order = Anchor['orders'][number];
