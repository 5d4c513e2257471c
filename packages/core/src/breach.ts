/** Lies that take two statements of one member to be seen, though they break no vow together. */
import type { Digest } from './schema.ts';
import type { Tagged } from './vocabulary.ts';

/** Finds the encoding that a digest is of; nothing if nobody knows it. */
export type ContentOf = (digest: Digest) => Uint8Array | undefined;

/**
 * A rule that two statements of different kinds, views or rounds can break: a vote against one's
 * own lock, a report that leaves out what one has committed.
 */
export interface Breach<M extends Tagged> {
  /** The kinds of the two. */
  readonly kinds: readonly [one: string, other: string];
  /** Only two with equal answers can break the rule; absent: any two. */
  readonly at?: (message: M) => string;
  /**
   * Why no honest replica signs both, in words that follow its name; nothing if one may have. It
   * must hold in whichever order they were signed, and whatever others have told the signer, as
   * long as fewer than a quorum lie.
   */
  readonly why: (one: M, other: M, content: ContentOf) => string | undefined;
}

type Of<M extends Tagged, K> = Extract<M, { readonly kind: K }>;

/** Makes a {@link Breach} of messages of kind `one` and of kind `other`. */
export const breachOf =
  <M extends Tagged>() =>
  <K extends M['kind'], L extends M['kind']>(
    one: K,
    other: L,
    why: (one: Of<M, K>, other: Of<M, L>, content: ContentOf) => string | undefined,
    at?: (message: Of<M, K> | Of<M, L>) => string,
  ): Breach<M> => ({
    kinds: [one, other],
    // Nobody asks about messages of other kinds.
    ...(at === undefined ? {} : { at: at as unknown as (message: M) => string }),
    why: (first, second, content) => why(first as Of<M, K>, second as Of<M, L>, content),
  });
