/**
 * What replicas and clients say to each other beside the protocol: requests, replies, reads and
 * the transfer of snapshots. Every kind has a size limit, because a host caps frames by it.
 */
import {
  bounded,
  bytes,
  digest,
  type Field,
  type Forgotten,
  type Infer,
  integer,
  list,
  type MessageField,
  type MessageOf,
  type MessagesField,
  maxEncodedOperationsBytes,
  maxOperationBytes,
  maxOperations,
  maxRequestBytes,
  maxResultBytes,
  message,
  messages,
  nullable,
  type Refusal,
  request,
  text,
  word,
} from '@quorumlab/core';
import { reply, results } from './reply.ts';

export { type Reply, reply } from './reply.ts';
export { maxOperationBytes, maxOperations, maxRequestBytes, maxResultBytes };
/** A client may have this many sequences between its oldest unanswered request and its newest. */
export const maxOutstanding = 1024;
/** Most bytes of one chunk of a snapshot. */
export const chunkBytes: number = 1 << 17;
/** Most chunks of a snapshot: 1 GiB in chunks of 8 KiB. A list of their digests has 4 MiB. */
export const maxChunks: number = 1 << 17;
/** Most bytes of a snapshot, whose state may be 1 GiB: with sessions, and room to encode it. */
export const maxSnapshotBytes: number = 2 ** 31;

/** The result of a request about the group: why it was refused; empty: the change was made. */
export const outcome: Field<string> = text(4096);

/** The result of a request that only asks for the number of its client's next session. */
export const sessionNumber: Field<number> = integer();

/**
 * "Not I: ask `leader`", or ask anybody else if it is null. `about` tells which counter `sequence`
 * is of.
 */
export const redirect: MessageField<
  MessageOf<
    'redirect',
    {
      readonly about: Field<'request' | 'query'>;
      readonly sequence: Field<number>;
      readonly leader: Field<number | null>;
      readonly term: Field<number>;
    }
  >
> = message('redirect', {
  about: word('request', 'query'),
  sequence: integer(),
  leader: nullable(integer()),
  term: integer(),
});

/**
 * Why a request is not run. 'session-taken': the number of its session was given to another life of
 * its client, so it has not run and never will; its client tries again in session `next`.
 */
export type RefusalReason = Refusal | Forgotten | 'session-taken';

/**
 * "It will not run from now on": see `Refusal` and `Forgotten`. The reason is the same on every
 * replica that says so. `hash` is that of {@link reply}; `next` is 0 where it is of no use.
 */
export const refusal: MessageField<
  MessageOf<
    'refusal',
    {
      readonly sequence: Field<number>;
      readonly hash: Field<number>;
      readonly reason: Field<RefusalReason>;
      readonly next: Field<number>;
    }
  >
> = message('refusal', {
  sequence: integer(),
  hash: integer(2 ** 32 - 1),
  reason: word(
    'log-full',
    'sequence-reused',
    'too-old',
    'session-expired',
    'session-taken',
    'state-too-large',
  ),
  next: integer(),
});

/** Read-only operations that stay out of the log. `sequence` counts the queries of one client. */
export const query: MessageField<
  MessageOf<
    'query',
    {
      readonly sequence: Field<number>;
      readonly consistency: Field<'linearizable' | 'local'>;
      readonly operations: Field<readonly Uint8Array[]>;
    }
  >
> = message('query', {
  sequence: integer(),
  consistency: word('linearizable', 'local'),
  operations: bounded(list(bytes(maxOperationBytes), maxOperations), maxEncodedOperationsBytes),
});

/** The answer to a query. Null: this group cannot read without writing; order the reads instead. */
export const queryReply: MessageField<
  MessageOf<
    'query-reply',
    {
      readonly sequence: Field<number>;
      readonly results: Field<readonly Uint8Array[] | null>;
    }
  >
> = message('query-reply', { sequence: integer(), results: nullable(results) });

const slot = integer();
const chunkIndex = integer(maxChunks - 1);

/** "Send me the manifest of the snapshot at `slot` whose root digest is `root`." */
export const snapshotRequest: MessageField<
  MessageOf<'snapshot-request', { readonly slot: Field<number>; readonly root: Field<string> }>
> = message('snapshot-request', { slot, root: digest });

/** The digests of a snapshot's chunks. Its digest is the snapshot's root digest. */
export const snapshotManifest: MessageField<
  MessageOf<
    'snapshot-manifest',
    {
      readonly slot: Field<number>;
      readonly size: Field<number>;
      readonly chunks: Field<readonly string[]>;
    }
  >
> = message('snapshot-manifest', { slot, size: integer(), chunks: list(digest, maxChunks) });

/** "I have no such snapshot." */
export const snapshotAbsent: MessageField<
  MessageOf<'snapshot-absent', { readonly slot: Field<number>; readonly root: Field<string> }>
> = message('snapshot-absent', { slot, root: digest });

/** "Send me chunk `index` of the snapshot whose root digest is `root`." */
export const chunkRequest: MessageField<
  MessageOf<'chunk-request', { readonly root: Field<string>; readonly index: Field<number> }>
> = message('chunk-request', { root: digest, index: chunkIndex });

/** One chunk of a snapshot. */
export const snapshotChunk: MessageField<
  MessageOf<
    'snapshot-chunk',
    {
      readonly root: Field<string>;
      readonly index: Field<number>;
      readonly bytes: Field<Uint8Array>;
    }
  >
> = message('snapshot-chunk', { root: digest, index: chunkIndex, bytes: bytes(chunkBytes) });

/** See {@link redirect}. */
export type Redirect = Infer<typeof redirect>;
/** See {@link query}. */
export type Query = Infer<typeof query>;
/** See {@link queryReply}. */
export type QueryReply = Infer<typeof queryReply>;
/** See {@link snapshotManifest}. */
export type SnapshotManifest = Infer<typeof snapshotManifest>;
/** See {@link refusal}. */
export type RefusalMessage = Infer<typeof refusal>;
/** See {@link snapshotChunk}. */
export type SnapshotChunk = Infer<typeof snapshotChunk>;

/** Order is the tag on the wire: only ever append, and then raise every protocol's version. */
const kinds = [
  request,
  reply,
  redirect,
  query,
  queryReply,
  snapshotRequest,
  snapshotManifest,
  snapshotAbsent,
  chunkRequest,
  snapshotChunk,
  refusal,
] as const;

/** What a client or a service can be sent beside the messages of its protocol. */
export type ServiceMessage = Infer<(typeof kinds)[number]>;

/** The messages that pure clients understand. */
export const clientMessages: MessagesField<ServiceMessage> = messages(...kinds);
