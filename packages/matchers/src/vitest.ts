/**
 * `import '@quorumlab/matchers/vitest'` in a test, or in a file of `setupFiles`: then `expect` of
 * vitest has the matchers, and TypeScript knows them.
 *
 * @packageDocumentation
 */
import { expect } from 'vitest';
import { matchers, type SurvivalOptions } from './matchers.ts';

expect.extend(matchers);

/** What `expect` can say of consensus. */
interface ConsensusMatchers<R> {
  /** Every run under `attack` ends well, and the attack acted. 25 seeds unless told. */
  toSurvive(attack: string, options?: SurvivalOptions): R;
  /** No two honest replicas, or no two of these logs, have different values at one position. */
  toAgree(): R;
  /** What clients saw can be put into one order. */
  toBeLinearizable(): R;
  /** Its proofs convict these nodes and nobody else. */
  toConvict(...liars: readonly number[]): R;
}

declare module 'vitest' {
  // The parameters must be those that vitest declares.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown>
    extends ConsensusMatchers<R> {}
}
