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
 * In how many pieces a frame may come: an honest one is written at once, and Noise cuts it every
 * 64 KiB. What gathers the pieces is slow in the square of their number: a frame of 100,000 bytes
 * in as many pieces stopped the process for six seconds.
 */
const MAX_PIECES = 64;

/**
 * Reads the headers of a yamux channel before yamux does, and says what is wrong with one that
 * would cost more than its sender has paid for: yamux stores all data that a header announces
 * before it looks at windows, answers every ping and every stream, and what is sent to a stream
 * before the frames waits or is answered as well. What yamux itself refuses is left to it.
 */
export class YamuxInspector {
  readonly #limits: MeshLimits;
  readonly #inbound: boolean;
  readonly #pings: TokenBucket;
  readonly #streams: TokenBucket;
  readonly #frames: TokenBucket;
  readonly #stray: TokenBucket;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  /** Bytes of data that are still to come before the next header. */
  #skip = 0;
  /** The first stream that the caller opens, which is the one of the frames. */
  #frameStream: number | undefined;
  #admitted = false;
  /** Frames of a caller whose hello was not answered yet. */
  #early = 0;
  /** Bytes of data that were no frames: before the hello was answered, or on other streams. */
  #strayBytes = 0;
  #waitMs = 0;
  /** Pieces of the frame that is not complete. */
  #pieces = 0;

  constructor(limits: MeshLimits, direction: 'inbound' | 'outbound') {
    const at = now();
    const { pingsPerSecond, streamsPerSecond, muxerFramesPerSecond, strayFrames } = limits;
    this.#limits = limits;
    this.#inbound = direction === 'inbound';
    this.#pings = new TokenBucket(pingsPerSecond, 16 * pingsPerSecond, at);
    this.#streams = new TokenBucket(streamsPerSecond, 16 * streamsPerSecond, at);
    this.#stray = new TokenBucket(strayFrames, 16 * strayFrames, at);
    this.#frames = new TokenBucket(muxerFramesPerSecond, muxerFramesPerSecond, at);
  }

  /** From now on the frame stream may carry what it likes. */
  admit(): void {
    this.#admitted = true;
  }

  /** For how long nothing more should be read, after what was read last. */
  waitMs(): number {
    return this.#waitMs;
  }

  /** Why the connection must end, if it must. */
  read(data: Uint8Array | Iterable<Uint8Array>): string | undefined {
    let frames = 0;
    for (const part of data instanceof Uint8Array ? [data] : data) {
      for (let at = 0; at < part.byteLength; ) {
        at = this.#take(part, at);
        if (this.#headerBytes < HEADER_BYTES) continue;
        this.#headerBytes = 0;
        this.#pieces = 0;
        frames++;
        const fault = this.#judge();
        if (fault !== undefined) return fault;
      }
    }
    this.#waitMs = this.#frames.take(frames, now());
    if (this.#skip === 0 && this.#headerBytes === 0) this.#pieces = 0;
    return ++this.#pieces > MAX_PIECES ? 'a yamux frame in too many pieces' : undefined;
  }

  /** Skips data or gathers a header; returns where to go on. */
  #take(bytes: Uint8Array, at: number): number {
    const left = bytes.byteLength - at;
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, left);
      this.#skip -= skipped;
      return at + skipped;
    }
    const taken = Math.min(HEADER_BYTES - this.#headerBytes, left);
    this.#header.set(bytes.subarray(at, at + taken), this.#headerBytes);
    this.#headerBytes += taken;
    return at + taken;
  }

  #judge(): string | undefined {
    const header = this.#header;
    const type = header[1];
    const isSyn = ((header[3] ?? 0) & SYN) !== 0;
    if (type === PING) return this.#pings.tryTake(now()) ? undefined : 'too many pings';
    if (type !== DATA && type !== WINDOW_UPDATE) return undefined;
    const stream = wordAt(header, 4);
    const isStray = this.#judgeNumber(stream);
    if (isStray !== undefined) return isStray;
    if (isSyn) {
      if (!this.#inbound) return 'a stream opened by the side that was called';
      if (!this.#streams.tryTake(now())) return 'too many streams';
      this.#frameStream ??= stream;
    }
    return type === DATA ? this.#judgeData(stream, wordAt(header, 8)) : undefined;
  }

  /** A frame costs the same whether there is anything in it or not. */
  #judgeNumber(stream: number): string | undefined {
    const { strayFrames } = this.#limits;
    if (this.#inbound && !this.#admitted)
      return ++this.#early > strayFrames
        ? `more than ${strayFrames} yamux frames before the hello`
        : undefined;
    if (this.#frameStream === undefined || stream === this.#frameStream) return undefined;
    return this.#stray.tryTake(now()) ? undefined : 'too many yamux frames on other streams';
  }

  #judgeData(stream: number, length: number): string | undefined {
    const { muxerFrameBytes, strayBytes } = this.#limits;
    if (length > muxerFrameBytes) {
      return `a yamux frame of ${length} bytes, above the limit of ${muxerFrameBytes}`;
    }
    this.#skip = length;
    // Whoever was called may send frames right behind its hello; yamux's window bounds them.
    if (!this.#inbound || (this.#admitted && stream === this.#frameStream)) return undefined;
    this.#strayBytes += length;
    if (this.#strayBytes <= strayBytes) return undefined;
    return `more than ${strayBytes} bytes before the hello or on streams without frames`;
  }
}

/** Four bytes as a number, big endian. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)) >>>
  0;
