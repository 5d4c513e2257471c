import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader } from './frames.ts';
import { BATCH_BYTES, PeerQueue } from './peer-queue.ts';

/** A sink under the test's control that keeps references, as libp2p does. */
class Pipe {
  open = true;
  readonly writes: Uint8Array[] = [];
  readonly pending: (() => void)[] = [];

  writable(): boolean {
    return this.open;
  }

  send(bytes: Uint8Array): void {
    this.writes.push(bytes);
  }

  readonly schedule = (callback: () => void): void => {
    this.pending.push(callback);
  };

  tick(): void {
    for (const callback of this.pending.splice(0)) callback();
  }

  /** Reads what was written, as late as possible: reused bytes would show. */
  frames(): Uint8Array[] {
    const frames: Uint8Array[] = [];
    const reader = new FrameReader(2 ** 31, (frame) => {
      frames.push(Uint8Array.from(frame));
      return true;
    });
    for (const bytes of this.writes) expect(reader.push(bytes)).toBe('ok');
    return frames;
  }
}

describe('PeerQueue', () => {
  test('all small frames of one tick leave in one write', () => {
    const pipe = new Pipe();
    const queue = new PeerQueue(pipe, 1_000_000, pipe.schedule);
    for (let k = 0; k < 600; k++) queue.push(new Uint8Array(100));
    expect(pipe.writes).toHaveLength(0);
    pipe.tick();
    expect(pipe.writes).toHaveLength(1);
    expect(pipe.frames()).toHaveLength(600);
  });

  test('complete frames arrive in order, whatever the sizes, stalls and ticks', () => {
    const sizes = fc.oneof(
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: BATCH_BYTES - 8, max: BATCH_BYTES + 8 }),
      fc.integer({ min: 0, max: 3 * BATCH_BYTES }),
    );
    const step = fc.record({ size: sizes, open: fc.boolean(), tick: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const pipe = new Pipe();
        const queue = new PeerQueue(pipe, 400_000, pipe.schedule);
        const scratch = new Uint8Array(3 * BATCH_BYTES);
        const accepted: number[] = [];
        steps.forEach(({ size, open, tick }, k) => {
          pipe.open = open;
          const frame = scratch.subarray(0, size).fill(k + 1);
          if (queue.push(frame)) accepted.push(size > 0 ? k + 1 : 0);
          expect(queue.queuedBytes).toBeLessThanOrEqual(400_000);
          frame.fill(0); // the caller may reuse its buffer at once
          if (tick) pipe.tick();
        });
        pipe.open = true;
        queue.flush();
        expect(queue.queuedBytes).toBe(0);
        const got = pipe.frames();
        expect(got.map((frame) => frame[0] ?? 0)).toEqual(accepted);
        for (const frame of got) expect(frame.every((byte) => byte === frame[0])).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('a blocked sink makes push say no, and the bytes held stay at the cap', () => {
    const pipe = new Pipe();
    pipe.open = false;
    const queue = new PeerQueue(pipe, 10_400, pipe.schedule);
    let accepted = 0;
    for (let k = 0; k < 1000; k++) if (queue.push(new Uint8Array(100))) accepted++;
    expect(accepted).toBe(100);
    expect(queue.queuedBytes).toBe(10_400);
    pipe.tick();
    expect(pipe.writes).toHaveLength(0);
    pipe.open = true;
    queue.wake();
    pipe.tick();
    expect(pipe.frames()).toHaveLength(100);
    expect(queue.push(new Uint8Array(100))).toBe(true);
  });

  test('a closed queue refuses, and its pending flush writes nothing', () => {
    const pipe = new Pipe();
    const queue = new PeerQueue(pipe, 1000, pipe.schedule);
    queue.push(new Uint8Array(10));
    queue.close();
    pipe.tick();
    expect(pipe.writes).toHaveLength(0);
    expect(queue.push(new Uint8Array(10))).toBe(false);
  });
});
