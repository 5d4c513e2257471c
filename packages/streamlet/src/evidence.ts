/** What makes these messages provable: the signed parts in them. */
import type { Evidence } from '@quorumlab/core';
import type { Message } from './messages.ts';
import type { Streamlet } from './state.ts';

/**
 * Every signed statement inside `message`. The host checks all of them before a handler sees it.
 */
export function evidence(message: Message): readonly Evidence<Streamlet>[] {
  switch (message.kind) {
    case 'proposal': {
      const { notarization, block } = message;
      return notarization === null ? block.batch : [notarization, ...block.batch];
    }
    case 'notarized':
      return [message.notarization, ...message.block.batch];
    case 'clock':
      return message.tip === null ? [] : [message.tip];
    case 'relay':
      return message.requests;
    case 'stable-checkpoint':
      return [message.checkpoint];
    case 'vote':
    case 'checkpoint':
      return [];
  }
}
