import type { MeshLimits } from './limits.ts';
import { now } from './time.ts';
import { TokenBucket } from './token-bucket.ts';

/** Bytes of a yamux header: version, type, flags (2), stream (4), length (4). */
const HEADER_BYTES = 12;
const DATA = 0;
const WINDOW_UPDATE = 1;
const PING = 2;
const SYN = 1;

/**
 * Reads the headers of a yamux channel before yamux does, and says what is wrong with one that
 * would cost more than its sender has paid for: yamux stores all data that a header announces
 * before it looks at windows, and answers every ping and every stream. What yamux itself refuses is
 * left to it.
 */
export class YamuxInspector {
  readonly #maxDataBytes: number;
  readonly #pings: TokenBucket;
  readonly #streams: TokenBucket;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of data that are still to come before the next header. */
  #skip = 0;

  constructor(limits: MeshLimits) {
    const at = now();
    this.#maxDataBytes = limits.streamWindowBytes;
    this.#pings = new TokenBucket(limits.pingsPerSecond, 16 * limits.pingsPerSecond, at);
    this.#streams = new TokenBucket(limits.streamsPerSecond, 16 * limits.streamsPerSecond, at);
  }

  /** Why the connection must end, if it must. */
  read(data: Uint8Array | Iterable<Uint8Array>): string | undefined {
    if (data instanceof Uint8Array) return this.#read(data);
    for (const part of data) {
      const fault = this.#read(part);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #read(bytes: Uint8Array): string | undefined {
    let at = 0;
    while (at < bytes.byteLength) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.byteLength - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      const taken = Math.min(HEADER_BYTES - this.#headerBytes, bytes.byteLength - at);
      this.#header.set(bytes.subarray(at, at + taken), this.#headerBytes);
      this.#headerBytes += taken;
      at += taken;
      if (this.#headerBytes < HEADER_BYTES) return undefined;
      this.#headerBytes = 0;
      const fault = this.#judge();
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #judge(): string | undefined {
    const [, type = 0, , flags = 0, , , , , a = 0, b = 0, c = 0, d = 0] = this.#header;
    const length = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    if (type === DATA) {
      if (length > this.#maxDataBytes) {
        return `a yamux frame of ${length} bytes, above the window of ${this.#maxDataBytes}`;
      }
      this.#skip = length;
    }
    if (type === PING) return this.#pings.tryTake(now()) ? undefined : 'too many pings';
    if (type === DATA || type === WINDOW_UPDATE) {
      if ((flags & SYN) !== 0 && !this.#streams.tryTake(now())) return 'too many streams';
    }
    return undefined;
  }
}
