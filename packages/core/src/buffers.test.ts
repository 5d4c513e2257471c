import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buffers } from './buffers.ts';

const KiB = 1024;

describe('buffers that are used again', () => {
  test('are given out again once they are given back, as long as was asked for', () => {
    const all = buffers(1024 * KiB);
    const first = all.take(100 * KiB);
    expect(first.byteLength).toBe(100 * KiB);
    const { buffer } = first;
    expect(all.take(100 * KiB).buffer).not.toBe(buffer);
    all.give(first);
    const again = all.take(90 * KiB);
    expect([again.buffer === buffer, again.byteLength]).toEqual([true, 90 * KiB]);
  });

  test('are given to nobody who wants far less', () => {
    const all = buffers(1024 * KiB);
    const large = all.take(1024 * KiB);
    all.give(large);
    expect(all.take(20 * KiB).buffer).not.toBe(large.buffer);
    expect(all.take(600 * KiB).buffer).toBe(large.buffer);
  });

  test('make way where more would be kept than may be: the oldest first', () => {
    const all = buffers(256 * KiB);
    const [first, second, third] = [128, 128, 128].map((each) => all.take(each * KiB));
    for (const each of [first, second, third]) if (each) all.give(each);
    const found = [128, 128, 128].map((each) => all.take(each * KiB).buffer);
    expect(found).toContain(second?.buffer);
    expect(found).toContain(third?.buffer);
    expect(found).not.toContain(first?.buffer);
  });

  test('larger than all that may be kept are let go', () => {
    const all = buffers(256 * KiB);
    const large = all.take(512 * KiB);
    all.give(large);
    expect(all.take(512 * KiB).buffer).not.toBe(large.buffer);
  });

  test('are never with two at once, whoever gives back what and how often', () => {
    const use = fc.record({ takes: fc.boolean(), size: fc.nat(300 * KiB), which: fc.nat(7) });
    fc.assert(
      fc.property(fc.array(use, { maxLength: 60 }), (uses) => {
        const all = buffers(512 * KiB);
        const held: Uint8Array<ArrayBuffer>[] = [];
        let last: Uint8Array<ArrayBuffer> | undefined;
        for (const { takes, size, which } of uses) {
          if (takes) {
            const taken = all.take(size);
            expect(taken.byteLength).toBe(size);
            expect(held.every(({ buffer }) => buffer !== taken.buffer)).toBe(true);
            held.push(taken);
            continue;
          }
          if (last !== undefined && held.every(({ buffer }) => buffer !== last?.buffer))
            all.give(last);
          const [given] = held.splice(which % Math.max(1, held.length), 1);
          if (given === undefined) continue;
          all.give(given);
          last = given;
        }
      }),
    );
  });
});
