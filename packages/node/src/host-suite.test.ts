import { describe, test } from 'vitest';
import { testHost } from '../../harness/src/conformance/host-suite.ts';
import { realHost } from '../test-support/hosted.ts';

describe('the loop over libp2p and files', () => {
  for (const { name, run } of testHost(realHost)) test(name, run);
});
