import { protocolOf, testProtocol } from '@quorumlab/harness';
import { describe, test } from 'vitest';

const entry = protocolOf('hotstuff');

for (const rules of entry.variants?.values ?? [])
  describe(`hotstuff with the rules of ${rules}`, () => {
    for (const { name, run } of testProtocol(entry, { options: { rules } })) test(name, run);
  });
