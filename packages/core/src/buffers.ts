/**
 * Memory for large byte strings that live for a moment. A batch goes through a dozen of them on its
 * way from a socket to the disk. Left to the garbage collector they are let go late, 64 MiB at a
 * time, and the holes that they leave between what stays are never given back.
 */

/** Shorter ones cost less to make than to look for. */
const leastBytes = 16_384;
/** Nobody gets one that is more times as large as what was asked for. */
const mostWasted = 4;

/** See the top of this file. */
export interface Buffers {
  /** `length` bytes to write to. What somebody else has written may still be in them. */
  take(length: number): Uint8Array<ArrayBuffer>;
  /** Gives back what {@link Buffers.take} gave: nobody may look at it any more. */
  give(bytes: Uint8Array<ArrayBuffer>): void;
}

/** Buffers of which `most` bytes are kept for whoever wants some next. */
export function buffers(most: number): Buffers {
  /** The one that was given back last stands last. */
  const free: Uint8Array<ArrayBuffer>[] = [];
  /** Those that are somewhere else: what is given back twice would be given out twice. */
  const lent = new WeakSet<ArrayBuffer>();
  let kept = 0;

  function best(length: number): number {
    let found = -1;
    for (const [i, { byteLength }] of free.entries()) {
      const fits = byteLength >= length && byteLength <= mostWasted * length;
      if (fits && byteLength < (free[found]?.byteLength ?? Number.POSITIVE_INFINITY)) found = i;
    }
    return found;
  }

  return {
    take(length) {
      if (length < leastBytes) return new Uint8Array(length);
      const place = best(length);
      const [whole = new Uint8Array(sizeFor(length))] = place < 0 ? [] : free.splice(place, 1);
      if (place >= 0) kept -= whole.byteLength;
      lent.add(whole.buffer);
      return whole.subarray(0, length);
    },
    give({ buffer }) {
      if (!lent.delete(buffer) || buffer.byteLength > most) return;
      free.push(new Uint8Array(buffer));
      kept += buffer.byteLength;
      while (kept > most) kept -= free.shift()?.byteLength ?? 0;
    },
  };
}

/** The next power of two: so that what is given back fits others too. */
function sizeFor(length: number): number {
  let size = leastBytes;
  while (size < length) size *= 2;
  return size;
}
