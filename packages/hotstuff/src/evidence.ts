/** What makes these messages provable: the signed parts in them. */
import type { Evidence } from '@quorumlab/core';
import type { Link, Message, NewView } from './messages.ts';
import type { HotStuff } from './state.ts';

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
    case 'pre-commit':
    case 'commit':
    case 'decide':
      return [message.justify];
    case 'epoch-change':
      return [message.commit, ...message.block.batch];
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
