/**
 * What signing these messages promises, and what breaking that promise looks like. Observers use it
 * to prove that a member lied, adversaries to lie on purpose.
 */
import { type Batch, type Digest, type Request, requestKey, type Signed } from '@quorumlab/core';
import { emptyBatch } from './blocks.ts';
import type { Group } from './group.ts';
import type { Link, Message, Proposal, Timeout } from './messages.ts';

/** What an honest replica says only once: [about what, what]. */
export function* vows(
  group: Group,
  message: Message,
): Iterable<readonly [about: string, what: string]> {
  switch (message.kind) {
    case 'proposal':
      yield [`proposal/${message.block.view}`, nameOf(group, message)];
      return;
    case 'vote':
      yield [`vote/${message.view}`, message.block];
      return;
    case 'timeout':
      yield [`timeout/${message.view}`, `${message.highView}`];
      return;
    case 'checkpoint':
      yield [`checkpoint/${message.height}`, `${message.block} ${message.state}`];
      return;
    case 'new-view':
    case 'relay':
    case 'blocks':
    case 'stable-checkpoint':
    case 'status':
    case 'fetch-blocks':
  }
}

const nameOf = ({ schemas, digest }: Group, { block }: Link): Digest =>
  digest(schemas.content, block);

/**
 * `message` with a vow broken: what an equivocator sends to some. `known` are requests of real
 * clients.
 */
export function conflict(group: Group, message: Message, fork: number, known: Batch): Message {
  switch (message.kind) {
    case 'proposal':
      return otherBlock(group, message, fork, known);
    case 'vote':
      return { ...message, block: otherDigest(message.block, fork) };
    case 'timeout':
      return otherTimeout(message);
    case 'checkpoint':
      return { ...message, state: otherDigest(message.state, fork) };
    case 'new-view':
    case 'relay':
    case 'blocks':
    case 'stable-checkpoint':
    case 'status':
    case 'fetch-blocks':
      return message;
  }
}

/** Another block in the same place: whoever sees only this one finds nothing wrong. */
function otherBlock(group: Group, message: Proposal, fork: number, known: Batch): Proposal {
  const { block } = message;
  const used = new Set(block.batch.map(requestKey));
  const fresh = (each: Signed<Request>): boolean => !used.has(requestKey(each));
  const others: Batch[] = known.filter(fresh).map((each) => [each]);
  if (block.batch.length > 1) others.push([...block.batch].reverse(), block.batch.slice(1));
  others.push(block.batch.length > 0 ? emptyBatch : known.slice(0, 1));
  const batch = others[fork % others.length] ?? emptyBatch;
  const other = { ...message, block: { ...block, batch } };
  return nameOf(group, other) === nameOf(group, message) ? message : other;
}

function otherDigest(digest: Digest, fork: number): Digest {
  const digit = (Number.parseInt(digest.slice(0, 1), 16) + 1 + (fork % 15)) % 16;
  return digit.toString(16) + digest.slice(1);
}

/** Denies the highest certificate; one that has none claims one. */
const otherTimeout = (message: Timeout): Timeout =>
  message.highView > 0 || message.view <= 1
    ? { ...message, highView: Math.max(0, message.highView - 1) }
    : { ...message, highView: 1 };
