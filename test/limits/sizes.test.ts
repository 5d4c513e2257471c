/** No message that a protocol may say is larger than a frame, in any group of up to 100. */
import { envelopeBytes, maxFrameBytes } from '@quorumlab/core';
import { protocols } from '@quorumlab/harness';
import { serviced } from '@quorumlab/log';
import { pbft } from '@quorumlab/pbft';
import { describe, expect, test } from 'vitest';

describe.each(protocols.map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
  test.each([4, 7, 31, 49, 100])('says nothing that no frame could carry, n=%i', (n) => {
    const f = entry.claims.faults === 'crash' ? Math.floor((n - 1) / 2) : Math.floor((n - 1) / 3);
    const { messages } = serviced(entry.create({ n, f }));
    for (const { kind, maxBytes } of messages.kinds)
      expect(maxBytes + envelopeBytes, kind).toBeLessThanOrEqual(maxFrameBytes);
  });
});

test('pbft, n=512, a full window: a view-change has 12 kB, a new-view a third of a frame', () => {
  const sizes = new Map(
    serviced(pbft({ n: 512 })).messages.kinds.map(({ kind, maxBytes }) => [kind, maxBytes]),
  );
  expect(sizes.get('view-change')).toBeLessThan(12_500);
  expect(sizes.get('new-view')).toBeLessThan(0.4 * maxFrameBytes);
  for (const [kind, most] of sizes) expect(most + envelopeBytes, kind).toBeLessThan(maxFrameBytes);
});
