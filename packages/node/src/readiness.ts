interface Waiter {
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Those who wait until so many replicas are connected. */
export class Readiness {
  readonly #connected: () => number;
  readonly #waiters = new Set<Waiter>();
  #stopped: Error | undefined;

  constructor(connected: () => number) {
    this.#connected = connected;
  }

  /** Resolves when `count` are connected; rejects with the signal's reason, or that of the stop. */
  wait(count: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.reject(signal?.reason);
      const settle = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        count,
        resolve: () => {
          settle();
          resolve();
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted === true) onAbort();
      else if (this.#stopped !== undefined) waiter.reject(this.#stopped);
      else this.look();
    });
  }

  /** Looks who need not wait any longer. */
  look(): void {
    const connected = this.#connected();
    for (const waiter of this.#waiters) if (connected >= waiter.count) waiter.resolve();
  }

  /** Nobody will be connected any more. */
  stop(reason: Error): void {
    this.#stopped = reason;
    for (const waiter of this.#waiters) waiter.reject(reason);
  }
}
