import { now } from './time.ts';

/** Pieces of work that are done in their order, for a slice of time at once. */
export class Backlog {
  #pieces: (() => void)[] = [];
  /** How many of them are done. */
  #done = 0;
  #running = false;

  /** Whether something is left to do. */
  get waits(): boolean {
    return this.#done < this.#pieces.length;
  }

  add(piece: () => void): void {
    this.#pieces.push(piece);
  }

  /** Does pieces until the clock is at `end`, one at least. What they throw comes out. */
  run(end: number): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.waits) {
        const piece = this.#pieces[this.#done] as () => void;
        // What is done holds nothing any longer.
        this.#pieces[this.#done++] = () => undefined;
        piece();
        if (now() >= end) break;
      }
    } finally {
      this.#running = false;
      if (!this.waits) this.clear();
    }
  }

  clear(): void {
    this.#pieces = [];
    this.#done = 0;
  }
}
