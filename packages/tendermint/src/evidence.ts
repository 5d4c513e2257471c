/** What makes these messages provable: the signed parts in them. */
import type { Evidence } from '@quorumlab/core';
import type { Message } from './messages.ts';
import type { Tendermint } from './state.ts';

/**
 * Every signed statement inside `message`. The host checks all of them before a handler sees it.
 */
export function evidence(message: Message): readonly Evidence<Tendermint>[] {
  switch (message.kind) {
    case 'proposal':
      return message.polka === null ? message.batch : [message.polka, ...message.batch];
    case 'polka':
      return [message.polka];
    case 'decision':
      return [message.commit, ...message.batch];
    case 'relay':
      return message.requests;
    case 'batch':
      return message.batch;
    case 'stable-checkpoint':
      return [message.checkpoint];
    case 'prevote':
    case 'precommit':
    case 'status':
    case 'fetch-batch':
    case 'checkpoint':
      return [];
  }
}
