import { protocolOf, testProtocol } from '@quorumlab/harness';
import { describe, test } from 'vitest';

describe('multi-paxos', () => {
  for (const { name, run } of testProtocol(protocolOf('multi-paxos'))) test(name, run);
});
