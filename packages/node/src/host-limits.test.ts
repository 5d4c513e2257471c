import { bytes, message, messages } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { defaultHostLimits, hostLimits, requireFrames } from './host-limits.ts';

const protocol = {
  name: 'toy',
  messages: messages(message('small', { of: bytes(10) }), message('large', { of: bytes(5000) })),
  limitedBy: { large: 'batch' },
};

test('limits that contradict each other, or the protocol, are refused with what to set', () => {
  expect(hostLimits(undefined)).toEqual(defaultHostLimits);
  expect(() => requireFrames(hostLimits({ maxFrameBytes: 4096 }), protocol)).toThrow(
    /A large of toy may take \d+ bytes.*is 4096: set maxFrameBytes to \d+.*or lower batch of/,
  );
  expect(() => hostLimits({ waitingBytes: 1000 })).toThrow(
    /waitingBytes is 1000 and waitingBytesPerPeer .* set waitingBytes to/,
  );
  expect(() => hostLimits({ waitingSubmits: 0.5 })).toThrow(/waitingSubmits is 0.5/);
});
