/**
 * What signing these messages promises, and what breaking that promise looks like. Observers use it
 * to prove that a member lied, adversaries to lie on purpose.
 */
import { type Batch, type Digest, otherBatch, otherDigest } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Link, Message, Proposal, Timeout, Vote } from './messages.ts';

/** What an honest replica says only once: [about what, what]. */
export function* vows(
  group: Group,
  message: Message,
): Iterable<readonly [about: string, what: string]> {
  switch (message.kind) {
    case 'proposal':
      yield [`proposal/${viewIn(message.block)}`, nameOf(group, message)];
      return;
    case 'vote':
      yield [`vote/${phaseIn(message)}${viewIn(message)}`, message.block];
      return;
    case 'timeout':
      yield [`timeout/${viewIn(message)}`, `${message.highView}`];
      return;
    case 'checkpoint':
      yield [
        `checkpoint/${message.height}`,
        `${message.block} ${message.state}${message.set === 1 ? '' : ` of set ${message.set}`}`,
      ];
      return;
    case 'new-view':
    case 'relay':
    case 'blocks':
    case 'stable-checkpoint':
    case 'pre-commit':
    case 'commit':
    case 'decide':
    case 'status':
    case 'fetch-blocks':
    case 'epoch-change':
  }
}

/** Views are counted anew in each epoch; of the first one there is nothing to say. */
const viewIn = ({ set, view }: { readonly set: number; readonly view: number }): string =>
  set === 1 ? `${view}` : `${view} of set ${set}`;

/** Each phase of a view has a vote of its own. */
const phaseIn = ({ phase }: Vote): string => (phase === undefined ? '' : `${phase}/`);

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
    case 'pre-commit':
    case 'commit':
    case 'decide':
    case 'status':
    case 'fetch-blocks':
    case 'epoch-change':
      return message;
  }
}

/** Another block in the same place: whoever sees only this one finds nothing wrong. */
function otherBlock(group: Group, message: Proposal, fork: number, known: Batch): Proposal {
  const { block } = message;
  const batch = otherBatch(block.batch, fork, known);
  const other = { ...message, block: { ...block, batch } };
  return nameOf(group, other) === nameOf(group, message) ? message : other;
}

/** Denies the highest certificate; one that has none claims one. */
const otherTimeout = (message: Timeout): Timeout =>
  message.highView > 0 || message.view <= 1
    ? { ...message, highView: Math.max(0, message.highView - 1) }
    : { ...message, highView: 1 };
