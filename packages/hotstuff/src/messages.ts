/**
 * The messages of the HotStuff family, each declared once: its schema is its encoding and its
 * limits, and its type follows from it. `set` is the set of validators of the epoch that a
 * statement is of, by the first height of that epoch: see `epochs.ts`.
 */
import {
  batchField,
  bounded,
  certificate,
  type Digest,
  digest,
  type Infer,
  integer,
  list,
  type MessageField,
  message,
  messages,
  nullable,
  type OfKind,
  record,
  request,
  signed,
} from '@quorumlab/core';

/** Most blocks in one answer to a laggard. */
export const maxBlocks = 16;

/** Most blocks of an epoch behind its last one: they are empty, and told by their views. */
export const maxBehind = 1024;

/** The phases of a view whose votes are certified, in their order: algorithm 2. */
export const Phase = { prepare: 0, preCommit: 1, commit: 2 } as const;

/** What the limits of the encodings follow from. */
export interface Sizes {
  readonly n: number;
  readonly maxBatch: number;
  /** Whether a view has several phases, and votes say of which they are. */
  readonly phased?: boolean;
}

// Small enough that adding to it stays exact, large enough never to be reached.
const number = integer(2 ** 40);

/** Every schema of a group with room for `n`. The order of `messages` is the tag on the wire. */
export function schemas({ n, maxBatch, phased = false }: Sizes) {
  const batch = batchField(maxBatch);
  // Its place in the chain: the first block has height 1, and slot 0 of the log. The parent is
  // always a certified block.
  const place = { set: number, view: number, height: number, parent: digest };
  const block = record({ ...place, batch });
  // The view in which its parent was certified makes forks attributable: one vote says what its
  // signer had seen.
  const votes = { set: number, view: number, block: digest, justifyView: number };
  const vote: MessageField<Vote> = phased
    ? message('vote', { phase: integer(Phase.commit), ...votes })
    : message('vote', votes);
  const timeout = message('timeout', { set: number, view: number, highView: number });
  // The certificate of the parent; null: the parent is the last block of the epoch before, or the
  // genesis block.
  const justify = nullable(certificate(vote, n));
  const timeouts = list(signed(timeout), n);
  const why = nullable(timeouts);
  const link = record({ block, justify });
  const point = { set: number, height: number, view: number, block: digest };
  const checkpoint = message('checkpoint', { ...point, state: digest });
  const stable = certificate(checkpoint, n);
  const change = { block, views: list(number, maxBehind), commit: certificate(vote, n) };
  const shown = { justify: certificate(vote, n) };
  const phases = [
    message('pre-commit', shown),
    message('commit', shown),
    message('decide', shown),
  ] as const;
  return {
    // What a block's name is the digest of.
    content: record({ ...place, batch: list(request, maxBatch) }),
    number,
    block,
    justify,
    timeout,
    timeouts,
    link,
    checkpoint,
    stable,
    change: record(change),
    messages: messages(
      message('proposal', { block, justify, timeouts: why }),
      vote,
      timeout,
      message('new-view', { justify, timeouts: why }),
      message('relay', { requests: batch }),
      message('fetch-blocks', { block: digest, above: number }),
      // An answer holds no more requests than one block, so it is hardly larger than a proposal.
      message('blocks', {
        blocks: bounded(
          list(link, maxBlocks),
          batch.maxBytes + maxBlocks * (justify.maxBytes + 128),
        ),
      }),
      message('status', {
        ...{ set: number, view: number, highView: number },
        ...{ height: number, stable: number },
      }),
      checkpoint,
      message('stable-checkpoint', { checkpoint: stable }),
      message('epoch-change', change),
      ...(phased ? phases : []),
    ),
  };
}

/** The schemas of one group. */
export type Schemas = ReturnType<typeof schemas>;

/** Every message of this protocol. */
export type Message = Infer<Schemas['messages']>;

/**
 * A node of the tree. Its name is the digest of all of it but the clients' signatures, which are
 * not unique. The certificate that justifies it is that of its parent.
 */
export type Block = Infer<Schemas['block']>;

/** ⟨VOTE, v, b⟩: for `block`, whose parent was certified in `justifyView`. */
export interface Vote {
  readonly kind: 'vote';
  /** One of {@link Phase} in basic HotStuff; the other rules have one phase, which is not named. */
  readonly phase?: number;
  readonly set: number;
  readonly view: number;
  readonly block: Digest;
  readonly justifyView: number;
}

/** QC: votes of a quorum for one block. */
export type QuorumCertificate = NonNullable<Infer<Schemas['justify']>>;

/** ⟨TIMEOUT, v, v'⟩: no more votes up to view v; the highest certificate known is of view v'. */
export type Timeout = OfKind<Message, 'timeout'>;

/** TC: timeouts of a quorum for one view, signers ascending. */
export type TimeoutCertificate = Infer<Schemas['timeouts']>;

/**
 * A leader's block, with what proves that its view has begun: `timeouts` unless it is the
 * certificate of the view before.
 */
export type Proposal = OfKind<Message, 'proposal'>;

/** The highest certificates that the sender knows. */
export type NewView = OfKind<Message, 'new-view'>;

/** A replica passes requests on to the leader. */
export type Relay = OfKind<Message, 'relay'>;

/** Asks for a block by its digest, and for its ancestors above a height. */
export type FetchBlocks = OfKind<Message, 'fetch-blocks'>;

/** A block with the certificate of its parent. */
export type Link = Infer<Schemas['link']>;

/** The answer to {@link FetchBlocks}: each one is the parent of the one before it. */
export type Blocks = OfKind<Message, 'blocks'>;

/** Where the sender stands, and the newest set it knows. Whoever has what it lacks sends it. */
export type StatusReport = OfKind<Message, 'status'>;

/**
 * The state after the block at `height` has this digest. Those say so who go on from there, the
 * validators of the next height: `set` is theirs.
 */
export type Checkpoint = OfKind<Message, 'checkpoint'>;

/** Msg(pre-commit, ⊥, prepareQC). */
export type PreCommit = OfKind<Message, 'pre-commit'>;

/** Msg(commit, ⊥, precommitQC). */
export type Commit = OfKind<Message, 'commit'>;

/** Msg(decide, ⊥, commitQC). */
export type Decide = OfKind<Message, 'decide'>;

/**
 * `block` is committed and ends its epoch: behind it are empty blocks of these views, each on the
 * one before, and `commit` certifies the last of them, or itself.
 */
export type EpochChange = Infer<Schemas['change']>;

/** Shows the next set of validators to whoever knows that of the epoch that ended. */
export type EpochChangeMessage = OfKind<Message, 'epoch-change'>;

/** f+1 members have the same state after the same block: one of them is honest. */
export type StableCheckpoint = OfKind<Message, 'stable-checkpoint'>;
