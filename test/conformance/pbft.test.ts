import { protocolOf, testProtocol } from '@quorumlab/harness';
import { describe, test } from 'vitest';

describe('pbft', () => {
  for (const { name, run } of testProtocol(protocolOf('pbft'))) test(name, run);
});
