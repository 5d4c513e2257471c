/** A replica that has a snapshot of many chunks to give. */
import { bytes, decode, encode, list } from '@quorumlab/core';
import type { StateMachine } from '../src/types.ts';
import { puppet, requestOf } from './puppet.ts';

export const group = Uint8Array.of(4, 2);
export const operation = (slot: number): Uint8Array => Uint8Array.of(7, 7, 7, 7, 7, slot);

/** All operations that ran, each of them a piece of a snapshot. */
export function pieces(): StateMachine {
  let all: readonly Uint8Array[] = [];
  const field = list(bytes(100), 1000);
  return {
    apply: (each) => Uint8Array.of((all = [...all, each]).length),
    query: () => Uint8Array.of(all.length),
    snapshot: () => encode(field, all),
    restore: (snapshot) => void (all = decode(field, snapshot)),
    capture: () => all.map((each) => ({ encode: () => [each] })),
    restorer() {
      const added: Uint8Array[] = [];
      return { add: (piece) => void added.push(piece), finish: () => void (all = added) };
    },
  };
}
export const service = { stateMachine: pieces };

/** A replica that has run `slots` slots and taken a snapshot after the last one. */
export function donor(slots = 12): ReturnType<typeof puppet> {
  const one = puppet({ self: 0, protocol: { snapshotEvery: slots }, service });
  for (let slot = 0; slot < slots; slot++) {
    const request = slot === 1 ? change(slot) : requestOf(slot + 1, [operation(slot)]);
    one.does((ctx) =>
      ctx.decide(slot, [request], undefined, slot === 1 ? { state: group } : undefined),
    );
  }
  return one;
}
export const change = (slot: number) => ({
  ...requestOf(slot + 1, []),
  configuration: Uint8Array.of(9),
});
