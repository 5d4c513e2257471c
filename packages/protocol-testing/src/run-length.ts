/** How much random tests try. */
export interface RunLength {
  /** Whether many small variants of the code meet the tests, one after the other. */
  readonly isShort: boolean;
  /** How many of the `count` seeds of a long run this run tries. */
  readonly seeds: (count: number) => number;
}

/**
 * Half of what a long run does; all of it with `QUORUMLAB_LONG_TESTS=1` in `environment`, which is
 * that of the process, and a twentieth with `QUORUMLAB_SHORT_TESTS=1`.
 */
export function runLength(environment: Readonly<Record<string, string | undefined>>): RunLength {
  const isShort = environment.QUORUMLAB_SHORT_TESTS === '1';
  const isLong = environment.QUORUMLAB_LONG_TESTS === '1';
  return { isShort, seeds: (count) => Math.ceil(count / (isShort ? 20 : isLong ? 1 : 2)) };
}
