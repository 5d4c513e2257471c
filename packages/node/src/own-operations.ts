/** Operations of this process that wait to be stepped: how many there may be. */
import type { Answer, Submit } from '@quorumlab/core';
import type { HostLimits } from './host-limits.ts';

/** See the module's comment. */
export class OwnOperations {
  readonly #limits: Pick<HostLimits, 'waitingSubmits' | 'waitingSubmitBytes'>;
  #waiting = 0;
  #bytes = 0;

  constructor(limits: Pick<HostLimits, 'waitingSubmits' | 'waitingSubmitBytes'>) {
    this.#limits = limits;
  }

  /** Makes room for one more; false: there is none. */
  admit({ operation }: Submit): boolean {
    const bytes = this.#bytes + operation.length;
    if (this.#waiting >= this.#limits.waitingSubmits || bytes > this.#limits.waitingSubmitBytes)
      return false;
    this.#waiting++;
    this.#bytes = bytes;
    return true;
  }

  /** It is stepped now. */
  release({ operation }: Submit): void {
    this.#waiting--;
    this.#bytes -= operation.length;
  }
}

/** What whoever submitted `id` is told if there is no room. */
export const overloaded = (id: number): Answer => ({
  id,
  error: 'too many operations wait in this process and this one was not sent; submit it later',
});
