import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_HEADER_BYTES, FrameReader, writeLength } from './frames.ts';

function encode(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const header = new Uint8Array(FRAME_HEADER_BYTES);
      writeLength(header, 0, frame.byteLength);
      return [header, frame];
    }),
  );
}

function prefix(length: number): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER_BYTES);
  writeLength(header, 0, length);
  return header;
}

describe('FrameReader', () => {
  test('frames come out as they went in, however the stream is cut', () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(frames, cuts, (sent, sizes) => {
        const got: Uint8Array[] = [];
        const reader = new FrameReader(300, (frame) => {
          got.push(Uint8Array.from(frame));
          return true;
        });
        const stream = encode(sent);
        for (let at = 0, k = 0; at < stream.byteLength; k++) {
          const size = sizes[k % sizes.length] ?? 1;
          expect(reader.push(Uint8Array.from(stream.subarray(at, at + size)))).toBe('ok');
          at += size;
        }
        expect(got).toEqual(sent.map((frame) => Uint8Array.from(frame)));
      }),
    );
  });

  test('a length above the cap is refused before a byte of the body, cut anywhere', () => {
    for (const length of [101, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      for (let cut = 0; cut <= FRAME_HEADER_BYTES; cut++) {
        const reader = new FrameReader(100, () => true);
        const header = prefix(length);
        const first = reader.push(header.subarray(0, cut));
        const second = reader.push(header.subarray(cut));
        expect(first === 'too-long' || second === 'too-long').toBe(true);
        expect(reader.heldBytes).toBe(0);
        expect(reader.push(new Uint8Array(1000))).toBe('stopped');
      }
    }
  });

  test('memory follows the bytes received, not the length announced', () => {
    const reader = new FrameReader(2 ** 31, () => true);
    reader.push(prefix(2 ** 31 - 1));
    reader.push(new Uint8Array(1));
    expect(reader.heldBytes).toBeLessThanOrEqual(4096);
    for (let k = 0; k < 100; k++) reader.push(new Uint8Array(10_000));
    expect(reader.heldBytes).toBeLessThanOrEqual(2 * 1_000_001);
  });

  test('arbitrary bytes never throw and never deliver more than they hold', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 30 });
    fc.assert(
      fc.property(chunks, (stream) => {
        let delivered = 0;
        const reader = new FrameReader(1000, (frame) => {
          delivered += frame.byteLength + FRAME_HEADER_BYTES;
          return true;
        });
        for (const chunk of stream) reader.push(chunk);
        expect(delivered).toBeLessThanOrEqual(stream.reduce((sum, c) => sum + c.byteLength, 0));
      }),
    );
  });

  test('nothing is delivered after the handler said stop', () => {
    let calls = 0;
    const reader = new FrameReader(100, () => ++calls < 2);
    expect(reader.push(encode([prefix(1), prefix(2), prefix(3)]))).toBe('stopped');
    expect(calls).toBe(2);
  });
});
