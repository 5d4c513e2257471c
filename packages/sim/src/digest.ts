/** The digest of a run: two rolling 32-bit lanes in the hot loop, sha256 over them at the end. */
import { type Digest, integer, record } from '@quorumlab/core';
import { digestOf } from '@quorumlab/wire';

/** Two lanes. Integers only, so the same on every engine. */
export type Lanes = Int32Array;

/** Lanes at the start of a run. */
export const startLanes = (): Lanes => Int32Array.of(0x2545f491, 0x1b873593);

/** Folds a number below 2^53 into both lanes, its lower 32 bits. */
export function mixWord(lanes: Lanes, word: number): void {
  const a = Math.imul((lanes[0] as number) ^ word, 0x85ebca6b);
  const b = Math.imul((lanes[1] as number) + word, 0xc2b2ae35);
  lanes[0] = (a << 13) | (a >>> 19);
  lanes[1] = (b << 15) | (b >>> 17);
}

/** Folds one event into the lanes: when, where, what sort of thing, what exactly. */
export function mixEvent(
  lanes: Lanes,
  now: number,
  seat: number,
  kind: number,
  hash: number,
): void {
  const place = (seat << 3) | kind;
  let a = Math.imul((lanes[0] as number) ^ now, 0x85ebca6b);
  let b = Math.imul((lanes[1] as number) + now, 0xc2b2ae35);
  a = Math.imul(((a << 13) | (a >>> 19)) ^ hash, 0x9e3779b1);
  b = Math.imul(((b << 15) | (b >>> 17)) ^ place, 0x27d4eb2f);
  a = Math.imul(((a << 11) | (a >>> 21)) ^ place, 0x85ebca6b);
  b = Math.imul(((b << 17) | (b >>> 15)) + hash, 0xc2b2ae35);
  lanes[0] = a ^ (a >>> 15);
  lanes[1] = b ^ (b >>> 13);
}

/** FNV-1a over the units of a short text. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

/** FNV-1a over bytes. */
export function hashBytes(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash;
}

const summary = record({
  now: integer(),
  events: integer(),
  choices: integer(),
  first: integer(),
  second: integer(),
});

/** sha256 over the lanes and how far the run has come. */
export const finalDigest = (lanes: Lanes, now: number, events: number, choices: number): Digest =>
  digestOf(summary, {
    now,
    events,
    choices,
    first: (lanes[0] as number) >>> 0,
    second: (lanes[1] as number) >>> 0,
  });
