/**
 * Who is read when more has come than is read in one turn of the event loop. What a socket hands
 * over at once, or a stream that was paused, may be megabytes of small frames: to read all of it
 * would hold up everybody else, and what a frame does to a peer (it is held, or cut off) would come
 * too late for the frames behind it.
 */
import { now } from './time.ts';

/** Something that is read piece by piece. */
export interface Readable {
  /** Reads one piece; false: nothing more is to be read now. */
  readPiece(): boolean;
}

/** Most milliseconds of a turn in which all together are read. */
const sliceMs = 2;

/** Reads many in turns, a piece of each, so long that all others of the loop get theirs. */
export class Turns {
  /** Those that are not done, in the order in which they go on. */
  readonly #waiting = new Set<Readable>();
  /** When this turn is over; nothing: none has begun. */
  #end: number | undefined;

  /** Reads `readable` now, and in later turns what this turn has no time for. */
  read(readable: Readable): void {
    if (this.#waiting.has(readable)) return;
    const end = this.#begun();
    while (readable.readPiece()) {
      if (now() < end) continue;
      this.#waiting.add(readable);
      return;
    }
  }

  /** When the turn that is under way is over. */
  #begun(): number {
    if (this.#end === undefined) {
      this.#end = now() + sliceMs;
      // After the sockets have had their turn.
      setImmediate(this.#next);
    }
    return this.#end;
  }

  readonly #next = (): void => {
    this.#end = undefined;
    if (this.#waiting.size === 0) return;
    const end = this.#begun();
    // Whoever is put back stands at the end of what is gone through here.
    for (const readable of this.#waiting) {
      this.#waiting.delete(readable);
      if (readable.readPiece()) this.#waiting.add(readable);
      if (now() >= end) break;
    }
  };
}

/** Stands where a chunk was that has been read: nothing may hold it any longer. */
const nothing = new Uint8Array(0);

/** Bytes that have come and are not read. */
export class Unread {
  #chunks: Uint8Array[] = [];
  /** How many of them are taken: shifting a long array again and again is slow. */
  #taken = 0;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
  }

  /** The next bytes, `most` of them at most; nothing: none are left. */
  take(most: number): Uint8Array | undefined {
    const chunk = this.#chunks[this.#taken];
    if (chunk === undefined) return undefined;
    const piece = chunk.subarray(0, most);
    this.#bytes -= piece.byteLength;
    const left = chunk.subarray(piece.byteLength);
    this.#chunks[this.#taken] = left.byteLength > 0 ? left : nothing;
    if (left.byteLength === 0 && ++this.#taken === this.#chunks.length) this.clear();
    return piece;
  }

  clear(): void {
    this.#chunks = [];
    this.#taken = 0;
    this.#bytes = 0;
  }
}
