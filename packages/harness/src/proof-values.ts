/** What two statements of a proof say, for people: the operations, also where only a digest is. */
import type { Request, Tagged } from '@quorumlab/core';
import type { Proof } from '@quorumlab/wire';
import { describeFully, emptyRequest } from './describe.ts';
import { requestsIn } from './story.ts';

/** What each statement of a proof is for. */
export interface ProofValues {
  readonly first: string;
  readonly second: string;
}

/** Remembers what digests stand for, as the messages of a run told it. */
export interface Meanings<M extends Tagged> {
  /** A message was said. */
  heard(message: M): void;
  of(proof: Proof<M>): ProofValues;
}

/** Digests that are shown in full are of no use to people. */
const shownDigits = 16;

/** What was vowed, where nobody knows what it stands for: a digest by its first digits. */
export const shortened = (what: string): string =>
  what.length > shownDigits ? `${what.slice(0, shownDigits)}…` : what;

/** Meanings by the vows of a protocol: whoever vows one thing and carries requests names them. */
export function meanings<M extends Tagged>(
  vows: (message: M) => Iterable<readonly [about: string, what: string]>,
): Meanings<M> {
  const known = new Map<string, readonly Request[]>();
  const saidIn = (message: M, about: string): string => {
    const own = requestsIn(message);
    if (own.length > 0) return operationsOf(own);
    const [, what] = [...vows(message)].find(([each]) => each === about) ?? [];
    if (what === undefined) return 'nothing';
    const meant = known.get(what);
    return meant === undefined ? shortened(what) : operationsOf(meant);
  };
  return {
    heard(message) {
      const requests = requestsIn(message);
      const [first, ...rest] = requests.length > 0 ? [...vows(message)] : [];
      if (first !== undefined && rest.length === 0) known.set(first[1], requests);
    },
    of: ({ about, first, second }) => ({
      first: saidIn(first, about),
      second: saidIn(second, about),
    }),
  };
}

/** What requests ask for, in full: `put x=Ann then get x`. */
export const operationsOf = (requests: readonly Request[]): string =>
  requests
    .map(({ operations }) => operations.map(describeFully).join(' + ') || emptyRequest)
    .join(' then ');
