/** Votes for a batch by its digest: four replicas, whose leader, 0, lies and votes for all. */

/** Whether a replica votes for a batch of which it has only the digest. */
export interface Rule {
  readonly votesUnseen: boolean;
}

/** What comes of a batch whose digest everybody has, and whose body these honest replicas have. */
export function outcomeOf(
  holders: readonly number[],
  { votesUnseen }: Rule,
): { readonly committed: boolean; readonly fetchedFrom: number } {
  const honest = [1, 2, 3];
  const voters = honest.filter((each) => votesUnseen || holders.includes(each));
  // The leader's vote is one of the quorum of three; it gives nobody the body.
  return { committed: voters.length + 1 >= 3, fetchedFrom: holders.length };
}
