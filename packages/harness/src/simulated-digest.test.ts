import { request } from '@quorumlab/core';
import { digestOf } from '@quorumlab/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simulatedDigest } from './simulated-digest.ts';

test('replicas digest in a simulation as they do anywhere else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (operation, sequence) => {
      const asked = { client: 65_536, sequence, acknowledged: 0, operations: [operation] };
      const value = { kind: 'request', ...asked } as const;
      expect(simulatedDigest(request, value)).toBe(digestOf(request, { ...value }));
    }),
  );
});
