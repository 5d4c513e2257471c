/** No message that a protocol may say is larger than a frame, in any group of up to 100. */
import { envelopeBytes, maxFrameBytes } from '@quorumlab/core';
import { protocols } from '@quorumlab/harness';
import { serviced } from '@quorumlab/log';
import { describe, expect, test } from 'vitest';

describe.each(protocols.map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
  test.each([4, 7, 31, 49, 100])('says nothing that no frame could carry, n=%i', (n) => {
    const f = entry.claims.faults === 'crash' ? Math.floor((n - 1) / 2) : Math.floor((n - 1) / 3);
    const { messages } = serviced(entry.create({ n, f }));
    for (const { kind, maxBytes } of messages.kinds)
      expect(maxBytes + envelopeBytes, kind).toBeLessThanOrEqual(maxFrameBytes);
  });
});
