import { protocolOf, testProtocol } from '@quorumlab/harness';
import { describe, test } from 'vitest';

describe('flexible-paxos', () => {
  for (const { name, run } of testProtocol(protocolOf('flexible-paxos'))) test(name, run);
});
