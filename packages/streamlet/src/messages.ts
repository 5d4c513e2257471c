/**
 * The messages of Streamlet, each declared once: its schema is its encoding and its limits, and its
 * type follows from it.
 */
import {
  batchField,
  certificate,
  digest,
  type Infer,
  integer,
  list,
  message,
  messages,
  nullable,
  type OfKind,
  record,
  request,
} from '@quorumlab/core';

/** What the limits of the encodings follow from. */
export interface Sizes {
  readonly n: number;
  readonly maxBatch: number;
}

// Small enough that adding to it stays exact, large enough never to be reached.
const number = integer(2 ** 40);

/** Every schema of a group of `n`. The order of `messages` is the tag on the wire. */
export function schemas({ n, maxBatch }: Sizes) {
  const batch = batchField(maxBatch);
  const parent = record({ epoch: number, id: digest });
  // The height of a block is the length of the chain that ends in it: slot height - 1 of the log.
  const place = { epoch: number, height: number };
  const block = record({ ...place, parent, batch });
  const vote = message('vote', { ...place, id: digest });
  const notarization = certificate(vote, n);
  const checkpoint = message('checkpoint', { ...place, id: digest, state: digest });
  const stable = certificate(checkpoint, n);
  return {
    number,
    // What the id of a block is the digest of: requests without their signatures, which are not
    // unique.
    content: record({ ...place, parent, batch: list(request, maxBatch) }),
    turn: record({ epoch: number }),
    block,
    stored: record({ id: digest, block }),
    ref: record({ ...place, id: digest }),
    notarization,
    stable,
    messages: messages(
      message('proposal', { block, notarization: nullable(notarization) }),
      vote,
      message('clock', {
        over: number,
        final: number,
        stable: number,
        tip: nullable(notarization),
      }),
      message('notarized', { block, notarization }),
      message('relay', { requests: batch }),
      checkpoint,
      message('stable-checkpoint', { checkpoint: stable }),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/** A block: what one epoch adds to a chain. Its parent is the block that it extends. */
export type Block = Infer<Schemas['block']>;

/** A block as others refer to it. */
export type Ref = Infer<Schemas['ref']>;

/** The leader of `block.epoch` proposes. The votes of a quorum for its parent are beside it. */
export type Proposal = OfKind<Message, 'proposal'>;

/** A vote: a signature on the block called `id`. */
export type Vote = OfKind<Message, 'vote'>;

/** Votes of a quorum for one block: it is notarized. */
export type Notarization = Infer<Schemas['notarization']>;

/**
 * Where the sender stands: its epochs up to `over` are over, what is final ends at height `final`,
 * and the longest notarized chain that it has seen ends in `tip`.
 */
export type ClockReport = OfKind<Message, 'clock'>;

/** A notarized block, for whoever has not seen it. */
export type Notarized = OfKind<Message, 'notarized'>;

/** A replica passes requests on to the others. */
export type Relay = OfKind<Message, 'relay'>;

/** The state after the final block `id` has this digest. */
export type Checkpoint = OfKind<Message, 'checkpoint'>;

/** A quorum has the same state after the same block. */
export type StableCheckpoint = OfKind<Message, 'stable-checkpoint'>;
