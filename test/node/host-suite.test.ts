import { testHost } from '@quorumlab/harness/testing';
import { describe, test } from 'vitest';
import { realHost } from './support/hosted.ts';

describe('the loop over libp2p and files', () => {
  for (const { name, run } of testHost(realHost)) test(name, run);
});
