/** A condition that only a bug of ours can break did not hold. The host stops the replica. */
export class AssertionError extends Error {
  override readonly name: string = 'AssertionError';
}

/**
 * Throws {@link AssertionError} unless `condition` holds; for our own bugs, never for a stranger's
 * input.
 */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new AssertionError(why);
}
