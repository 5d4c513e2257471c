/**
 * What makes these messages provable: the signed parts in them, what signing them promises, and
 * what breaking that promise looks like.
 */
import {
  type Batch,
  type Digest,
  type Evidence,
  type Request,
  requestKey,
  type Signed,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Link, Message, NewView, Proposal, Timeout } from './messages.ts';
import { type HotStuff, nothing } from './state.ts';

/**
 * Every signed statement inside `message`. The host checks all of them before a handler sees it.
 */
export function evidence(message: Message): readonly Evidence<HotStuff>[] {
  switch (message.kind) {
    case 'proposal':
      return [...linked(message), ...(message.timeouts ?? [])];
    case 'new-view':
      return certificates(message);
    case 'relay':
      return message.requests;
    case 'blocks':
      return message.blocks.flatMap(linked);
    case 'stable-checkpoint':
      return [message.checkpoint];
    case 'vote':
    case 'timeout':
    case 'checkpoint':
    case 'status':
    case 'fetch-blocks':
      return [];
  }
}

const linked = ({ block, justify }: Link): readonly Evidence<HotStuff>[] =>
  justify === null ? block.batch : [justify, ...block.batch];

const certificates = ({ justify, timeouts }: NewView): readonly Evidence<HotStuff>[] => [
  ...(justify === null ? [] : [justify]),
  ...(timeouts ?? []),
];

type Vow = readonly [about: string, what: string];

/** What an honest replica says only once: [about what, what]. */
export function vows(group: Group, message: Message): readonly Vow[] {
  switch (message.kind) {
    case 'proposal':
      return [[`proposal/${message.block.view}`, nameOf(group, message)]];
    case 'vote':
      return [[`vote/${message.view}`, message.block]];
    case 'timeout':
      return [[`timeout/${message.view}`, `${message.highView}`]];
    case 'checkpoint':
      return [[`checkpoint/${message.height}`, `${message.block} ${message.state}`]];
    case 'new-view':
    case 'relay':
    case 'blocks':
    case 'stable-checkpoint':
    case 'status':
    case 'fetch-blocks':
      return [];
  }
}

const nameOf = ({ content, digest }: Group, { block }: Link): Digest => digest(content, block);

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
  others.push(block.batch.length > 0 ? nothing : known.slice(0, 1));
  const batch = others[fork % others.length] ?? nothing;
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
