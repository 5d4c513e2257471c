/**
 * The one loop of a process, in which all its groups have their turns. However many have something
 * to do, sockets and disk are served again after a slice; a group that has more to do than the
 * others takes no more of it than they do.
 */
import { now } from './time.ts';

/** Does what waits until the clock is at `until`, in milliseconds: a little, in any case. */
export type Turn = (until: number) => void;

/** How soon a turn comes that has nothing to do but to look again, in milliseconds. */
export const patienceMs = 5;
/** The least part of a slice that is worth a turn, in milliseconds. */
const leastMs = 0.5;

/** See the module's comment. */
export class Loop {
  readonly #sliceMs: number;
  /** In the order of their turns. */
  readonly #ready = new Set<Turn>();
  readonly #patient = new Set<Turn>();
  #armed = false;
  #later: NodeJS.Timeout | undefined;

  constructor(sliceMs: number) {
    this.#sliceMs = sliceMs;
  }

  /** `turn` has something to do: it comes behind those that are ready already. */
  schedule(turn: Turn): void {
    this.#ready.add(turn);
    this.#arm();
  }

  /** `turn` looks again in a while. */
  wait(turn: Turn): void {
    this.#patient.add(turn);
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      for (const each of this.#patient) this.#ready.add(each);
      this.#patient.clear();
      this.#arm();
    }, patienceMs);
  }

  /** `turn` does not come any more. */
  leave(turn: Turn): void {
    this.#ready.delete(turn);
    this.#patient.delete(turn);
    if (this.#patient.size > 0) return;
    clearTimeout(this.#later);
    this.#later = undefined;
  }

  #arm(): void {
    if (this.#armed || this.#ready.size === 0) return;
    this.#armed = true;
    // After all sockets that are readable now, so that their frames share a tick.
    setImmediate(this.#tick);
  }

  readonly #tick = (): void => {
    this.#armed = false;
    const end = now() + this.#sliceMs;
    let left = this.#ready.size;
    const share = Math.max(leastMs, this.#sliceMs / left);
    // Whoever is put back stands at the end of what is gone through here.
    for (const turn of this.#ready) {
      this.#ready.delete(turn);
      turn(Math.min(end, now() + share));
      if (--left === 0 || now() >= end) break;
    }
    this.#arm();
  };
}
