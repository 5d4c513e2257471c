/** What makes these messages provable: the signed parts in them. */
import type { Evidence } from '@quorumlab/core';
import type { Message } from './messages.ts';
import type { MinBft } from './state.ts';

/**
 * Every signed statement inside `message`. The host checks all of them before a handler sees it.
 */
export function evidence(message: Message): readonly Evidence<MinBft>[] {
  switch (message.kind) {
    case 'commit':
      return [message.prepare];
    case 'view-change':
      return message.stable;
    case 'said':
      return [message.statement];
    case 'stable-checkpoint':
      return message.proof;
    case 'batch':
      return message.batch;
    case 'relay':
      return message.requests;
    case 'prepare':
    case 'checkpoint':
    case 'new-view':
    case 'req-view-change':
    case 'status':
    case 'fetch-batch':
      return [];
  }
}
