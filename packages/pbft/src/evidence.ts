/** What makes PBFT's messages provable: the signed parts in them. */
import type { Evidence } from '@quorumlab/core';
import type { Message } from './messages.ts';
import type { Pbft } from './state.ts';

/**
 * Every signed statement inside `message`. The host checks all of them before a handler sees it.
 */
export function evidence(message: Message): readonly Evidence<Pbft>[] {
  switch (message.kind) {
    case 'pre-prepare':
    case 'batch':
    case 'executed':
      return message.batch;
    case 'relay':
      return message.requests;
    case 'committed':
      return [message.commit, ...message.batch];
    case 'stable-checkpoint':
      return [message.checkpoint];
    case 'new-view':
      return message.checkpoint === null
        ? message.viewChanges
        : [message.checkpoint, ...message.viewChanges];
    case 'proofs':
      return message.proofs;
    case 'epochs':
      return message.handovers.map(({ checkpoint }) => checkpoint);
    case 'mac-view-change':
    case 'view-change-ack':
    case 'mac-new-view':
    case 'fetch-view-change':
    case 'vouched':
    case 'view-change':
    case 'fetch-proofs':
    case 'prepare':
    case 'commit':
    case 'checkpoint':
    case 'status':
    case 'fetch-batch':
      return [];
  }
}
