import { protocolOf, testProtocol } from '@quorumlab/harness';
import { describe, test } from 'vitest';

describe('raft', () => {
  for (const { name, run } of testProtocol(protocolOf('raft'))) test(name, run);
});
