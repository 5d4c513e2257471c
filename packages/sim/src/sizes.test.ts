import {
  bytes,
  type Event,
  envelopeBytes,
  idle,
  type Machine,
  maxFrameBytes,
  message,
  messages,
} from '@quorumlab/core';
import { expect, test } from 'vitest';
import { believing } from '../fixtures/counting.ts';
import { lan, simulate } from './index.ts';

const words = messages(message('word', { of: bytes(2 * maxFrameBytes) }));

interface Talker {
  readonly Stable: object;
  readonly Volatile: object;
  readonly Message: { readonly kind: 'word'; readonly of: Uint8Array };
  readonly Timer: string;
  readonly Command: unknown;
}

/** Seat 0 says one word of `size` bytes to all; what the others hear, in bytes. */
function heard(size: number, traitor = false) {
  const heardBy: number[][] = [[], [], []];
  const machine = (self: number): Machine<Talker> => ({
    self,
    step({ event }: { readonly event: Event<Talker> }) {
      if (event.type === 'message') heardBy[self]?.push(event.message.of.length);
      if (event.type !== 'start' || self !== 0) return idle<Talker>();
      const word = { kind: 'word', of: new Uint8Array(size) } as const;
      return { ...idle<Talker>(), sends: [{ to: 'all', message: word }] };
    },
    snapshot: () => ({ stable: {}, volatile: {} }),
    restore: () => undefined,
    fork: () => machine(self),
    status: () => ({ term: 0, role: '-' }),
  });
  const simulation = simulate<Talker>({
    messages: words,
    keyring: believing,
    seats: [0, 1, 2].map((self) => ({
      principal: self,
      make: () => machine(self),
      traitor: traitor && self === 0,
    })),
    network: lan,
    seed: 1,
    limits: { until: 1_000_000 },
    stopAtViolation: false,
  });
  return { heardBy, ...simulation.run() };
}

/** What a word takes beside its bytes: kind and length. */
const around = 1 + 4;

test('the largest frame arrives, and one byte more is a violation and arrives nowhere', () => {
  const most = maxFrameBytes - envelopeBytes - around;
  const fits = heard(most);
  expect(fits.heardBy).toEqual([[most], [most], [most]]);
  expect(fits.counters.oversized).toBe(0);
  expect(fits.violation).toBeUndefined();
  const large = heard(most + 1);
  // What a replica says to itself needs no frame.
  expect(large.heardBy).toEqual([[most + 1], [], []]);
  expect(large.counters).toMatchObject({ oversized: 1, dropped: 2 });
  expect(large.violation).toMatchObject({ word: 'invalid', rule: 'size', seats: [0] });
  expect(large.violation?.sentence).toMatch(/n0 said a word of \d+ bytes, and a frame has at most/);
});

test('what a traitor says too large is lost, and nobody else is to blame', () => {
  const large = heard(maxFrameBytes, true);
  expect(large.heardBy).toEqual([[maxFrameBytes], [], []]);
  expect(large.counters.oversized).toBe(1);
  expect(large.violation).toBeUndefined();
});
