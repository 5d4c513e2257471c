import { protocolOf, testProtocol } from '@quorumlab/harness';
import { describe, test } from 'vitest';

describe('basic-paxos', () => {
  for (const { name, run } of testProtocol(protocolOf('basic-paxos'))) test(name, run);
});
