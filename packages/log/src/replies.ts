/** What a session keeps of the requests that ran, to answer them again and to know them again. */
import {
  bytes,
  type Digest,
  type DigestOf,
  type Field,
  list,
  type Request,
  record,
  type Wish,
} from '@quorumlab/core';
import { maxOperationBytes, maxOperations } from './messages.ts';

/** What a reply takes beside its results, and each of them: no less than on the disk. */
const weightOf = { reply: 128, result: 4 };

/** Results of one request. */
export type Results = readonly Uint8Array[];

/** A request that ran: what it asked for, and what it gave. */
export interface KeptReply {
  readonly digest: Digest;
  readonly results: Results;
}

/** A {@link KeptReply} in memory, the digest of which may not have been asked for yet. */
export interface HeldReply {
  digest: Digest | (() => Digest);
  readonly results: Results;
}

const parts = record({
  operations: list(bytes(maxOperationBytes), maxOperations),
  configuration: bytes(4096),
});
const nothing = new Uint8Array();
const contents: Field<Wish> = {
  ...parts,
  write: (to, { operations, configuration = nothing }) =>
    parts.write(to, { operations, configuration }),
};

/** The digest of what `request` asks for: two requests under one sequence are told apart by it. */
export const contentsOf = (request: Request, digestOf: DigestOf): Digest =>
  digestOf<Wish>(contents, request);

/** An operation of at most so many bytes takes about as much room as its digest. */
const shortBytes = 128;

/**
 * What is kept of a request that gave `results`. Hardly any is compared with another or stored
 * before its client has seen the answer, so who asked for something short has no digest until then.
 */
export function replyOf(request: Request, results: Results, digestOf: DigestOf): HeldReply {
  const { operations, configuration } = request;
  const [first, second] = operations;
  const isShort = first !== undefined && second === undefined && first.length <= shortBytes;
  if (!isShort || configuration !== undefined)
    return { digest: contentsOf(request, digestOf), results };
  return { digest: () => digestOf<Wish>(contents, { operations }), results };
}

/** The digest of what a request asked for that ran. */
export const digestIn = (reply: HeldReply): Digest =>
  typeof reply.digest === 'string' ? reply.digest : (reply.digest = reply.digest());

/** As it stands in a snapshot. */
export const keptOf = (reply: HeldReply): KeptReply => ({ ...reply, digest: digestIn(reply) });

/** How many bytes are counted for a reply. */
export function weigh({ results }: Pick<HeldReply, 'results'>): number {
  let sum = weightOf.reply;
  for (const each of results) sum += each.length + weightOf.result;
  return sum;
}
