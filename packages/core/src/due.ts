import type { Instant } from './vocabulary.ts';

/**
 * Whether something that may happen once in `pause` may happen now, which was last done at `last`.
 * Never done, it may.
 */
export const isDue = (last: Instant | undefined, pause: number, now: Instant): boolean =>
  last === undefined || now - last >= pause;
