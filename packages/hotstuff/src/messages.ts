/**
 * The messages of the HotStuff family and what a replica must not forget, each declared once: type,
 * encoding and limits.
 */
import {
  type Batch,
  batchField,
  bounded,
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
  record,
  request,
  type Signed,
  type StoredFields,
  signed,
} from '@quorumlab/core';
import type { HotStuff, Stable } from './state.ts';

/**
 * A node of the tree. Its name is the digest of all of it but the clients' signatures, which are
 * not unique. The certificate that justifies it is that of its parent.
 */
export interface Block {
  readonly view: number;
  /** Its place in the chain; the first block has height 1, and slot 0 of the log. */
  readonly height: number;
  /** The digest of the parent, which is always a certified block. */
  readonly parent: Digest;
  readonly batch: Batch;
}

/** ⟨VOTE, v, b⟩: for `block`, whose parent was certified in `justifyView`. */
export interface Vote {
  readonly kind: 'vote';
  readonly view: number;
  readonly block: Digest;
  /** Makes forks attributable: one vote says what its signer had seen (protocols.md 10.6). */
  readonly justifyView: number;
}

/** QC: votes of a quorum for one block. */
export type QuorumCertificate = Certificate<Vote>;

/** ⟨TIMEOUT, v, v'⟩: no more votes up to view v; the highest certificate known is of view v'. */
export interface Timeout {
  readonly kind: 'timeout';
  readonly view: number;
  readonly highView: number;
}

/** TC: timeouts of a quorum for one view, signers ascending. */
export type TimeoutCertificate = readonly Signed<Timeout>[];

/** A leader's block, with what proves that its view has begun. */
export interface Proposal {
  readonly kind: 'proposal';
  readonly block: Block;
  /** The certificate of the parent; null: the parent is the genesis block. */
  readonly justify: QuorumCertificate | null;
  /** Why the view was entered, if not by a certificate of the view before. */
  readonly timeouts: TimeoutCertificate | null;
}

/** The highest certificates that the sender knows. */
export interface NewView {
  readonly kind: 'new-view';
  readonly justify: QuorumCertificate | null;
  readonly timeouts: TimeoutCertificate | null;
}

/** A replica passes requests on to the leader. */
export interface Relay {
  readonly kind: 'relay';
  readonly requests: Batch;
}

/** Asks for a block by its digest, and for its ancestors above a height. */
export interface FetchBlocks {
  readonly kind: 'fetch-blocks';
  readonly block: Digest;
  readonly above: number;
}

/** A block with the certificate of its parent. */
export interface Link {
  readonly block: Block;
  readonly justify: QuorumCertificate | null;
}

/** The answer to {@link FetchBlocks}: each one is the parent of the one before it. */
export interface Blocks {
  readonly kind: 'blocks';
  readonly blocks: readonly Link[];
}

/** Where the sender stands. Whoever has what it lacks sends it. */
export interface StatusReport {
  readonly kind: 'status';
  readonly view: number;
  readonly highView: number;
  readonly height: number;
  readonly stable: number;
}

/** The state after the block at `height` has this digest. */
export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly height: number;
  readonly view: number;
  readonly block: Digest;
  readonly state: Digest;
}

/** f+1 members have the same state after the same block: one of them is honest. */
export interface StableCheckpoint {
  readonly kind: 'stable-checkpoint';
  readonly checkpoint: Certificate<Checkpoint>;
}

/** Every message of this protocol. */
export type Message =
  | Proposal
  | Vote
  | Timeout
  | NewView
  | Relay
  | FetchBlocks
  | Blocks
  | StatusReport
  | Checkpoint
  | StableCheckpoint;

/** A block on the disk, under the number of its view. Null: it was let go. */
export type Row = (Link & { readonly hash: Digest }) | null;

/** Most blocks in one answer to a laggard. */
export const maxBlocks = 16;

/** What the limits of the encodings follow from. */
export interface Sizes {
  readonly n: number;
  readonly maxBatch: number;
}

/** Encodings for one group. */
export interface Codec {
  /** What a block's name is the digest of. */
  readonly content: Field<Block>;
  readonly messages: MessagesField<Message>;
  readonly stored: StoredFields<HotStuff>;
}

// Small enough that adding to it stays exact, large enough never to be reached.
const number = integer(2 ** 40);

/** Builds the encodings of a group of `n`. */
export function codec({ n, maxBatch }: Sizes): Codec {
  const batch = batchField(maxBatch);
  const place = { view: number, height: number, parent: digest };
  const block: Field<Block> = record({ ...place, batch });
  const vote: MessageField<Vote> = message('vote', {
    view: number,
    block: digest,
    justifyView: number,
  });
  const timeout: MessageField<Timeout> = message('timeout', { view: number, highView: number });
  const justify = nullable(certificate(vote, n));
  const timeouts = nullable(list(signed(timeout), n));
  const link = record({ block, justify });
  const point = { height: number, view: number, block: digest };
  const checkpoint: MessageField<Checkpoint> = message('checkpoint', { ...point, state: digest });
  const stable = certificate(checkpoint, n);
  const proposal: MessageField<Proposal> = message('proposal', { block, justify, timeouts });
  return {
    content: record({ ...place, batch: list(request, maxBatch) }) as unknown as Field<Block>,
    messages: messages(
      proposal,
      vote,
      timeout,
      message('new-view', { justify, timeouts }),
      message('relay', { requests: batch }),
      message('fetch-blocks', { block: digest, above: number }),
      // An answer holds no more requests than one block, so it is hardly larger than a proposal.
      message('blocks', {
        blocks: bounded(
          list(link, maxBlocks),
          batch.maxBytes + maxBlocks * (justify.maxBytes + 128),
        ),
      }),
      message('status', { view: number, highView: number, height: number, stable: number }),
      checkpoint,
      message('stable-checkpoint', { checkpoint: stable }),
    ),
    stored: {
      lastVoted: number,
      lastProposed: number,
      lastTimeout: nullable(timeout),
      high: justify,
      locked: record({ view: number, block: digest }),
      timeouts,
      blocks: nullable(record({ hash: digest, block, justify })),
      snapshot: record(point),
      stableCheckpoint: nullable(stable),
      checkpoints: checkpoint,
    } satisfies Record<keyof Stable, Field<never> | Field<unknown>> as StoredFields<HotStuff>,
  };
}
