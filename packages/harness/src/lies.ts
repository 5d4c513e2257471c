/** The lies of a run: two statements of one node of which it may only make one. */
import type { Watcher } from '@quorumlab/sim';
import { detector, type Proof } from '@quorumlab/wire';
import type { AnyShape, Prepared } from './prepare.ts';
import { meanings, type ProofValues } from './proof-values.ts';

/** Two statements of one node of which it may only make one. */
export type Lie = Proof<AnyShape['Message']>;

/** The proofs of a run, and what their statements are for. */
export function lieRecord({ group }: Prepared): {
  readonly watcher: Watcher<AnyShape>;
  found(): { readonly proofs: readonly Lie[]; readonly proofValues: readonly ProofValues[] };
} {
  const detect = detector(group);
  const meant = meanings(group.vows);
  const proofs: Lie[] = [];
  return {
    watcher: {
      said(_at, _seat, message) {
        meant.heard(message);
        const proof = detect.observe(message);
        if (proof !== undefined) proofs.push(proof);
      },
    },
    // What a digest stands for may be said after the lie.
    found: () => ({ proofs, proofValues: proofs.map((proof) => meant.of(proof)) }),
  };
}
