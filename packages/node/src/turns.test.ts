/** What is read in which turn, where more has come than one turn takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import {
  bytes,
  principals,
  startNode,
  stopAll,
  type TestNode,
  until,
} from '../test-support/cluster.ts';
import { FIRST_CLIENT } from './principal.ts';
import { type Readable, Turns, Unread } from './turns.ts';

const running: TestNode[] = [];

afterEach(() => stopAll(running.splice(0)));

test('bytes are read as they came, in pieces of at most what was asked for', () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 20 });
  fc.assert(
    fc.property(chunks, fc.integer({ min: 1, max: 50 }), (sent, most) => {
      const unread = new Unread();
      for (const chunk of sent) unread.push(chunk);
      const got: number[] = [];
      for (let piece = unread.take(most); piece; piece = unread.take(most)) {
        expect(piece.length).toBeLessThanOrEqual(most);
        got.push(...piece);
        expect(unread.bytes).toBe(sent.reduce((sum, { length }) => sum + length, -got.length));
      }
      expect(got).toEqual(sent.flatMap((chunk) => [...chunk]));
    }),
  );
});

test('whoever has no end of bytes keeps neither the loop nor others from their turns', async () => {
  const turns = new Turns();
  let stopped = false;
  let ended = 0;
  const endless = (): Readable => ({ readPiece: () => !stopped });
  for (let k = 0; k < 3; k++) turns.read(endless());
  let left = 5;
  turns.read({ readPiece: () => --left > 0 || !++ended });
  for (let turn = 0; turn < 20 && ended === 0; turn++) await sleep(1);
  stopped = true;
  expect(ended).toBe(1);
});

/**
 * A replica whose loop holds whoever sends for `holdMs`, and clients who each send it `frames` of
 * `size` bytes in one go.
 */
async function flooded(
  clients: number,
  { frames, size }: { readonly frames: number; readonly size: number },
  holdMs: number,
  changes: Parameters<typeof startNode>[2] = {},
): Promise<TestNode> {
  const all = await principals(1, clients);
  const heldUntil = new Map<number, number>();
  const replica: TestNode = await startNode(all, 0, {
    ...changes,
    busyMs: (from) => Math.max(0, (heldUntil.get(from) ?? 0) - performance.now()),
    onFrame(from, frame) {
      heldUntil.set(from, performance.now() + holdMs);
      changes.onFrame?.(from, frame);
    },
  });
  running.push(replica);
  const senders: TestNode[] = [];
  for (let k = 0; k < clients; k++) senders.push(await startNode(all, FIRST_CLIENT + k));
  running.push(...senders);
  for (const { mesh } of senders) await mesh.ready();
  for (const { mesh } of senders)
    for (let i = 0; i < frames; i++) mesh.send(0, bytes(`${i} `.padEnd(size, '.')));
  return replica;
}

test('who is held is read no further, amid what has come, and loses nothing', async () => {
  const frames = 3_000;
  const order: number[] = [];
  let inTurn = 0;
  let most = 0;
  // Held for longer than a busy machine stands still: a piece of what has come is 160 frames.
  await flooded(1, { frames, size: 100 }, 50, {
    onFrame(_, frame) {
      if (inTurn === 0) setImmediate(() => void (inTurn = 0));
      most = Math.max(most, ++inTurn);
      order.push(Number.parseInt(Buffer.from(frame).toString(), 10));
    },
  });
  await until('all are there', () => order.length === frames);
  expect(order).toEqual([...Array(frames).keys()]);
  expect(most).toBeLessThan(frames / 10);
});

test('what is unread of all is bounded, and who holds the most of it makes way', async () => {
  const streamWindowBytes = 256 * 1024;
  const maxFrameBytes = 64 * 1024;
  const limits = { streamWindowBytes, unreadBytesOfOthers: 1 };
  const bound = 2 * (maxFrameBytes + streamWindowBytes);
  const sent = { frames: 200, size: 16 * 1024 };
  const { mesh } = await flooded(4, sent, 1000, { maxFrameBytes, limits });
  let most = 0;
  await until('one makes way', () => {
    most = Math.max(most, mesh.stats().unreadBytes);
    return mesh.stats().resets > 0;
  });
  expect(most).toBeLessThanOrEqual(bound);
  expect(most).toBeGreaterThan(streamWindowBytes);
});

test('a peer for which there is no room is not read until there is some', async () => {
  const all = await principals(1, 2);
  const heard: number[] = [];
  let hasRoom = false;
  const replica = await startNode(all, 0, {
    busyMs: (from) => (from === FIRST_CLIENT && !hasRoom ? 5 : 0),
    onFrame: (from) => void heard.push(from),
  });
  running.push(replica);
  const [held, other] = [
    await startNode(all, FIRST_CLIENT),
    await startNode(all, FIRST_CLIENT + 1),
  ] as const;
  running.push(held, other);
  for (const { mesh } of [held, other]) await mesh.ready();
  for (let i = 0; i < 10; i++) held.mesh.send(0, bytes(`${i}`));
  // However often it is asked, nothing of one comes, and all of the other.
  for (let i = 0; i < 50; i++) {
    other.mesh.send(0, bytes(`${i}`));
    await until('the other is heard', () => heard.length === i + 1);
  }
  expect(new Set(heard)).toEqual(new Set([FIRST_CLIENT + 1]));
  hasRoom = true;
  await until('nothing was lost', () => heard.length === 60);
});
