import { FRAME_HEADER_BYTES, writeLength } from './frames.ts';

/** Where a {@link PeerQueue} writes: a libp2p stream in the mesh, anything else in a test. */
export interface ByteSink {
  /** False while the sink is full or closed; the queue then keeps its bytes. */
  writable(): boolean;
  /** Takes the bytes for good: the sink may keep the reference, the queue never touches them. */
  send(bytes: Uint8Array): void;
}

/** Runs a callback once, soon: when the queue is flushed after the first frame of a tick. */
export type Schedule = (callback: () => void) => void;

/**
 * Bytes given to the sink at once. A yamux header (12 bytes) and this many bytes fill exactly one
 * Noise record (65,519 bytes of plaintext), the largest unit of encryption.
 */
export const BATCH_BYTES = 65_519 - 12;

/** An arena with less room than this is not continued after a flush. */
const WORN_ARENA_BYTES = 1024;

/**
 * The outgoing frames of one peer, held as the bytes that go on the wire.
 *
 * Frames are copied into an arena when they are pushed (the caller may reuse its buffer at once)
 * and all frames of one tick leave in one `send` per {@link BATCH_BYTES}. Bytes that were handed to
 * the sink are never written again, because libp2p keeps references to unsent data. The queue
 * holds at most `maxBytes`; a frame that does not fit is refused as a whole, so what a peer reads
 * is always a sequence of complete frames.
 */
export class PeerQueue {
  readonly #sink: ByteSink;
  readonly #schedule: Schedule;
  readonly #maxBytes: number;
  readonly #runFlush: () => void;
  /** Full batches, oldest first. */
  #sealed: Uint8Array[] = [];
  #arena: Uint8Array = new Uint8Array(0);
  /** The unsent bytes of the arena are [#start, #end). */
  #start = 0;
  #end = 0;
  #queuedBytes = 0;
  #sentBytes = 0;
  #scheduled = false;
  #flushing = false;
  #closed = false;

  constructor(sink: ByteSink, maxBytes: number, schedule: Schedule) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
    this.#schedule = schedule;
    this.#runFlush = () => {
      this.#scheduled = false;
      this.flush();
    };
  }

  /** Bytes waiting, headers included; never above the cap. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Bytes given to the sink since the queue was made. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Queues one frame; false when the queue is closed or the frame would exceed the cap. */
  push(frame: Uint8Array): boolean {
    const length = frame.byteLength;
    const need = FRAME_HEADER_BYTES + length;
    if (this.#closed || this.#queuedBytes + need > this.#maxBytes) return false;
    this.#queuedBytes += need;
    if (this.#arena.byteLength - this.#end < need) {
      this.#pushInPieces(frame);
    } else {
      writeLength(this.#arena, this.#end, length);
      this.#arena.set(frame, this.#end + FRAME_HEADER_BYTES);
      this.#end += need;
    }
    this.wake();
    return true;
  }

  /** Schedules a flush if there is something to send and none is on its way. */
  wake(): void {
    if (this.#scheduled || this.#queuedBytes === 0) return;
    this.#scheduled = true;
    this.#schedule(this.#runFlush);
  }

  /** Gives the sink everything it will take. */
  flush(): void {
    this.#drain(false);
  }

  /** Drops what is queued and refuses everything from now on. */
  close(): void {
    this.#closed = true;
    this.#queuedBytes = 0;
    this.#sealed = [];
    this.#arena = new Uint8Array(0);
    this.#start = 0;
    this.#end = 0;
  }

  /** The slow path of push: the frame fills the arena and continues in fresh ones. */
  #pushInPieces(frame: Uint8Array): void {
    if (this.#arena.byteLength - this.#end < FRAME_HEADER_BYTES) this.#renewArena();
    writeLength(this.#arena, this.#end, frame.byteLength);
    this.#end += FRAME_HEADER_BYTES;
    let at = 0;
    while (at < frame.byteLength) {
      if (this.#end === this.#arena.byteLength) this.#renewArena();
      const taken = Math.min(frame.byteLength - at, this.#arena.byteLength - this.#end);
      this.#arena.set(frame.subarray(at, at + taken), this.#end);
      this.#end += taken;
      at += taken;
    }
    // Full batches need not wait for the end of the tick.
    this.#drain(true);
  }

  #drain(sealedOnly: boolean): void {
    // A sink that answers send() with a drain event must not start a second pass inside the first.
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while ((sealedOnly ? this.#sealed.length : this.#queuedBytes) > 0 && this.#sink.writable()) {
        const bytes = this.#sealed.shift() ?? this.#cut();
        this.#queuedBytes -= bytes.byteLength;
        this.#sentBytes += bytes.byteLength;
        this.#sink.send(bytes);
      }
    } finally {
      this.#flushing = false;
    }
  }

  #renewArena(): void {
    if (this.#end > this.#start) this.#sealed.push(this.#arena.subarray(this.#start, this.#end));
    // Every byte is written before it is sent, so the arena need not be zeroed.
    this.#arena = Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#start = 0;
    this.#end = 0;
  }

  /** Takes the unsent bytes of the arena; later frames continue behind them. */
  #cut(): Uint8Array {
    const bytes = this.#arena.subarray(this.#start, this.#end);
    this.#start = this.#end;
    if (this.#arena.byteLength - this.#end < WORN_ARENA_BYTES) {
      this.#arena = new Uint8Array(0);
      this.#start = 0;
      this.#end = 0;
    }
    return bytes;
  }
}
