/** A seat as whoever watches a run sees it. */
import type { Shape } from '@quorumlab/core';
import { readStorage } from './disk.ts';
import type { SeatView } from './options.ts';
import type { SeatState } from './world.ts';

/** A class, so that each question is answered when it is asked, and none costs an object. */
export class View<S extends Shape> implements SeatView<S> {
  readonly #state: SeatState<S>;
  constructor(state: SeatState<S>) {
    this.#state = state;
  }
  get principal() {
    return this.#state.principal;
  }
  get running() {
    return this.#state.machine !== undefined;
  }
  get paused() {
    return this.#state.paused;
  }
  get reason() {
    return this.#state.reason;
  }
  get starts() {
    return this.#state.starts;
  }
  get machine() {
    return this.#state.machine;
  }
  get status() {
    return this.#state.machine?.status();
  }
  get stable() {
    const { storage } = this.#state;
    return storage?.written ? readStorage<S>(storage, false) : undefined;
  }
  get boundaries() {
    return this.#state.boundaries;
  }
}
