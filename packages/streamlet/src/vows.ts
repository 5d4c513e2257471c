/**
 * What signing Streamlet's messages promises, and what breaking that promise looks like. Observers
 * use it to prove that a member lied, adversaries to lie on purpose.
 */
import { type Batch, otherBatch, otherDigest } from '@quorumlab/core';
import { idOf } from './chain.ts';
import type { Group } from './group.ts';
import type { Message, Proposal } from './messages.ts';

/**
 * What an honest replica says only once: [about what, what]. It proposes and votes at most once an
 * epoch, and has one state at a height.
 */
export function* vows(
  group: Group,
  message: Message,
): Iterable<readonly [about: string, what: string]> {
  switch (message.kind) {
    case 'proposal':
      yield [`proposal/${message.block.epoch}`, idOf(group, message.block)];
      return;
    case 'vote':
      yield [`vote/${message.epoch}`, `${message.id} ${message.height}`];
      return;
    case 'checkpoint':
      yield [`checkpoint/${message.height}`, `${message.epoch} ${message.id} ${message.state}`];
      return;
    case 'clock':
    case 'notarized':
    case 'relay':
    case 'stable-checkpoint':
  }
}

/**
 * `message` with a vow broken: what an equivocator sends to some. `known` are requests of real
 * clients.
 */
export function conflict(group: Group, message: Message, fork: number, known: Batch): Message {
  switch (message.kind) {
    case 'proposal':
      return otherProposal(group, message, fork, known);
    case 'vote':
      return { ...message, id: otherDigest(message.id, fork) };
    case 'checkpoint':
      return { ...message, state: otherDigest(message.state, fork) };
    case 'clock':
    case 'notarized':
    case 'relay':
    case 'stable-checkpoint':
      return message;
  }
}

/** Another block on the same parent: whoever sees only this one finds nothing wrong. */
function otherProposal(group: Group, message: Proposal, fork: number, known: Batch): Proposal {
  const block = { ...message.block, batch: otherBatch(message.block.batch, fork, known) };
  return idOf(group, block) === idOf(group, message.block) ? message : { ...message, block };
}
