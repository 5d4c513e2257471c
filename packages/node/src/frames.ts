/**
 * Length-prefixed frames over a byte stream: four bytes of length (big endian), then the frame.
 * A frame of length zero carries nothing; the mesh uses it as a heartbeat.
 */

import { buffers, scratchBytes } from '@quorumlab/core';

/** Bytes in front of every frame. */
export const FRAME_HEADER_BYTES = 4;

/** An assembly buffer starts no larger than this, whatever length the prefix claims. */
const FIRST_ASSEMBLY_BYTES = 4096;

/** An assembly buffer up to this size is kept for the next frame; a larger one is given back. */
const KEPT_ASSEMBLY_BYTES = 64 * 1024;

/** The larger buffers of all readers of this process: two of the usual frames of full size. */
const spare = buffers(2 * scratchBytes);

/**
 * Called with every complete frame. The frame is a view that is valid only during the call: the
 * bytes behind it are reused afterwards, so copy what you keep. Return false to stop reading.
 */
export type FrameHandler = (frame: Uint8Array) => boolean;

/** What became of the bytes given to {@link FrameReader.push}. */
export type ReadResult = 'ok' | 'stopped' | 'too-long';

/**
 * Cuts a byte stream into frames.
 *
 * A length above the cap is refused as soon as its four bytes are known, before anything is
 * allocated. A length below the cap is not believed either: the buffer that assembles a frame
 * from several chunks grows with the bytes that really arrived (at most twice as many, from
 * 4 KiB), so a prefix that lies costs its sender as much as it costs us.
 */
export class FrameReader {
  readonly #onFrame: FrameHandler;
  #maxFrameBytes: number;
  #stopped = false;
  /** Header bytes read so far, 0 to 4; at 4 the body of `#length` bytes is being assembled. */
  #headerBytes = 0;
  #length = 0;
  #assembly: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #assembled = 0;

  constructor(maxFrameBytes: number, onFrame: FrameHandler) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
  }

  /** Raises or lowers the cap; holds from the next prefix on. */
  limit(maxFrameBytes: number): void {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Bytes this reader holds in memory for a frame that is not complete yet. */
  get heldBytes(): number {
    return this.#assembly.byteLength;
  }

  /**
   * Reads the next bytes of the stream and calls the handler for each frame they complete.
   * After `stopped` or `too-long` the reader ignores everything: the stream has to be reset.
   */
  push(chunk: Uint8Array): ReadResult {
    if (this.#stopped) return 'stopped';
    const end = chunk.byteLength;
    let at = 0;
    if (this.#headerBytes > 0) {
      at = this.#resume(chunk);
      if (at < 0) return this.#tooLong();
      if (this.#stopped) return 'stopped';
      if (this.#headerBytes > 0) return 'ok';
    }
    while (end - at >= FRAME_HEADER_BYTES) {
      const length = readLength(chunk, at);
      if (length > this.#maxFrameBytes) return this.#tooLong();
      const next = at + FRAME_HEADER_BYTES + length;
      if (next > end) break;
      if (!this.#deliver(chunk.subarray(at + FRAME_HEADER_BYTES, next))) return 'stopped';
      at = next;
    }
    // What is left is less than one frame, so a single step stores all of it.
    if (at < end && this.#resume(at === 0 ? chunk : chunk.subarray(at)) < 0) return this.#tooLong();
    return 'ok';
  }

  /** Continues the frame begun in an earlier chunk; returns bytes used, or -1 for a bad length. */
  #resume(chunk: Uint8Array): number {
    let at = 0;
    while (this.#headerBytes < FRAME_HEADER_BYTES) {
      const byte = chunk[at];
      if (byte === undefined) return at;
      this.#length = this.#headerBytes === 0 ? byte : this.#length * 256 + byte;
      this.#headerBytes++;
      at++;
    }
    if (this.#length > this.#maxFrameBytes) return -1;
    const wanted = this.#length - this.#assembled;
    const taken = Math.min(wanted, chunk.byteLength - at);
    this.#reserve(this.#assembled + taken);
    this.#assembly.set(chunk.subarray(at, at + taken), this.#assembled);
    this.#assembled += taken;
    if (taken === wanted) this.#complete();
    return at + taken;
  }

  /** Grows the assembly buffer by doubling, never past the length the prefix announced. */
  #reserve(bytes: number): void {
    if (bytes <= this.#assembly.byteLength) return;
    const doubled = Math.max(FIRST_ASSEMBLY_BYTES, this.#assembly.byteLength * 2, bytes);
    const grown = spare.take(Math.max(bytes, Math.min(doubled, this.#length)));
    grown.set(this.#assembly.subarray(0, this.#assembled));
    spare.give(this.#assembly);
    this.#assembly = grown;
  }

  #complete(): void {
    const assembly = this.#assembly;
    this.#headerBytes = 0;
    this.#assembled = 0;
    const isLarge = assembly.byteLength > KEPT_ASSEMBLY_BYTES;
    if (isLarge) this.#assembly = new Uint8Array(0);
    this.#deliver(assembly.subarray(0, this.#length));
    if (isLarge) spare.give(assembly);
  }

  #deliver(frame: Uint8Array): boolean {
    if (!this.#onFrame(frame)) this.#stop();
    return !this.#stopped;
  }

  #tooLong(): ReadResult {
    this.#stop();
    return 'too-long';
  }

  #stop(): void {
    this.#stopped = true;
    this.#assembly = new Uint8Array(0);
  }
}

/** Writes `length` as the four bytes of a frame header at `at`. */
export function writeLength(target: Uint8Array, at: number, length: number): void {
  target[at] = length >>> 24;
  target[at + 1] = length >>> 16;
  target[at + 2] = length >>> 8;
  target[at + 3] = length;
}

function readLength(source: Uint8Array, at: number): number {
  // The caller has checked that four bytes are there.
  return (
    ((source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!) >>> 0
  );
}
