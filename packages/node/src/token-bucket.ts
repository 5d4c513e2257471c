/**
 * A token bucket that lends: `take` always succeeds and may leave a debt, and says how long to
 * wait until the debt is paid. That suits a reader that has to finish the chunk it was given and
 * can only pause afterwards. Time is in milliseconds of any monotonic clock.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  /** A full bucket of `burst` tokens that refills at `perSecond`; Infinity means no limit. */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes tokens and returns the milliseconds until the bucket is out of debt: 0 if it is. */
  take(tokens: number, now: number): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    this.#refill(now);
    this.#tokens -= tokens;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  /** Adds tokens, up to a full bucket. */
  give(tokens: number, now: number): void {
    this.#refill(now);
    this.#tokens = Math.min(this.#burst, this.#tokens + tokens);
  }

  /** Takes one token only if it is there. */
  tryTake(now: number): boolean {
    this.#refill(now);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #refill(now: number): void {
    const gained = ((now - this.#at) * this.#perSecond) / 1000;
    if (gained > 0) this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#at = now;
  }
}
