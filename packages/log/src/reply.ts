/** What a replica tells a client of the request that it asked for. */
import {
  bounded,
  bytes,
  type Field,
  type Infer,
  integer,
  list,
  type MessageField,
  maxEncodedResultsBytes,
  maxOperationBytes,
  maxOperations,
  message,
  nullable,
  type Reader,
  type Slot,
} from '@quorumlab/core';

/** Results of the operations of one message. */
export const results: Field<readonly Uint8Array[]> = bounded(
  list(bytes(maxOperationBytes), maxOperations),
  maxEncodedResultsBytes,
);

const hashes = 2 ** 32;

/** See {@link reply}. */
export interface Reply {
  readonly kind: 'reply';
  readonly client: number;
  readonly sequence: number;
  readonly hash: number;
  readonly leader: number | null;
  readonly term: number;
  readonly results: readonly Uint8Array[];
  /** In which slot, in `term`, the request gave these results tentatively. Absent: it ran. */
  readonly tentative?: Slot;
}

/**
 * The results of request `sequence` of `client`, in the order of its operations. There are fewer
 * results than operations if the rest did not fit in {@link maxResultBytes}: all operations ran.
 * `hash` tells which operations, so that nobody takes it for an answer to others. Who only asked
 * for a session gets one result, its number as {@link sessionNumber} encodes it. `leader` and
 * `term` are what the replica believes now; they are hints and part of no comparison, but for the
 * term of a reply that is `tentative`.
 */
export const reply: MessageField<Reply> = replyField();

/** Hardly any reply is tentative, so it takes no room to say that one is not. */
function replyField(): MessageField<Reply> {
  const partsUpTo = (most: number) =>
    message('reply', {
      client: integer(),
      sequence: integer(),
      hash: integer(most),
      leader: nullable(integer()),
      term: integer(),
      results,
    });
  const parts = partsUpTo(hashes - 1);
  // A hash above all hashes: the slot follows.
  const wide = partsUpTo(2 * hashes - 1);
  const slot = integer();
  const ended = (value: Infer<typeof wide>, from: Reader): Reply =>
    value.hash < hashes
      ? value
      : { ...value, hash: value.hash - hashes, tentative: slot.read(from) };
  const joined = ({ tentative }: Reply, value: Infer<typeof parts>): Reply =>
    tentative === undefined ? value : { ...value, tentative };
  return {
    ...parts,
    type: `${parts.type}, if tentative: slot ${slot.type}`,
    maxBytes: wide.maxBytes + slot.maxBytes,
    write(to, value) {
      const { tentative } = value;
      if (tentative === undefined) return parts.write(to, value);
      wide.write(to, { ...value, hash: value.hash + hashes });
      slot.write(to, tentative);
    },
    read: (from) => ended(wide.read(from), from),
    mix(hash, value) {
      const out = parts.mix(hash, value);
      return value.tentative === undefined ? out : slot.mix(out, value.tentative);
    },
    mutate: (value, random) =>
      value.tentative === undefined || random.below(2) === 0
        ? joined(value, parts.mutate(value, random))
        : { ...value, tentative: slot.mutate(value.tentative, random) },
  };
}
