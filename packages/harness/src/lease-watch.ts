/** Which read was answered by a lease that was over: what a stale read is explained by. */
import type { Violation } from '@quorumlab/checker';
import type { ReplicaId, Status } from '@quorumlab/core';
import type { Watcher } from '@quorumlab/sim';
import type { Claim } from './claims.ts';
import type { AnyShape, Prepared } from './prepare.ts';
import { readsIn } from './reads.ts';

/** A read that a leader answered by its lease after another one had begun to lead. */
interface LateRead {
  readonly at: number;
  readonly seat: ReplicaId;
  readonly rival: ReplicaId;
  readonly since: number;
}

/** See {@link leaseWatch}. */
export interface LeaseWatch {
  readonly watcher: Pick<Watcher<AnyShape>, 'stepped'>;
  /** A stale read with the reading that broke the bound, and the bound; others as they are. */
  explained(violation: Violation | undefined, claim: Claim): Violation | undefined;
}

/** The line of the papers by which leaders read alone. */
const byLease = 'lease-2';

/**
 * Watches who leads, and who reads by a lease; nothing if nobody does, or lines are not recorded.
 * `statusOf` tells what a replica believes.
 */
export function leaseWatch(
  { scenario }: Prepared,
  statusOf: (seat: ReplicaId) => Status | undefined,
): LeaseWatch | undefined {
  if (readsIn(scenario) !== 'lease') return undefined;
  const terms = new Map<ReplicaId, { readonly term: number; readonly since: number }>();
  const late: LateRead[] = [];
  return {
    watcher: {
      stepped(at, seat, output) {
        if (seat >= scenario.n) return;
        const { leader, term = 0 } = statusOf(seat) ?? {};
        if (leader === seat && terms.get(seat)?.term !== term) terms.set(seat, { term, since: at });
        if (!output.lines.includes(byLease)) return;
        for (const [rival, other] of terms)
          if (other.term > term) late.push({ at, seat, rival, since: other.since });
      },
    },
    explained(violation, { why }) {
      // The last one that can have been the answer.
      const reading = late.findLast(({ at }) => at <= (violation?.at ?? 0));
      if (violation?.word !== 'stale-read' || reading === undefined) return violation;
      const { at, seat, rival, since } = reading;
      const bound = why === undefined ? '' : `: ${why}`;
      const told =
        `n${seat} answered by its lease at ${milliseconds(at)}, ` +
        `and n${rival} led since ${milliseconds(since)}${bound}`;
      return { ...violation, sentence: `${violation.sentence}; ${told}` };
    },
  };
}

const milliseconds = (microseconds: number): string => `${microseconds / 1000} ms`;
