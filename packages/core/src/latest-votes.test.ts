import { describe, expect, test } from 'vitest';
import { keepLatest, type LatestVotes, latestOf, retainLatest } from './latest-votes.ts';

interface Vote {
  readonly from: number;
  readonly height: number;
  readonly state: string;
}

const at = ({ height }: Vote): number => height;
const vote = (from: number, height: number, state = 'a'): Vote => ({ from, height, state });

/** Votes kept one after the other, at most `most` a member. */
function kept(most: number, ...all: readonly Vote[]): LatestVotes<Vote> {
  const votes: LatestVotes<Vote> = new Map();
  for (const each of all) keepLatest(votes, each, at, most);
  return votes;
}

describe('the latest votes of each member', () => {
  test('a second vote at one place is not kept, and the first one is the proof', () => {
    const votes = kept(3, vote(1, 8));
    expect(keepLatest(votes, vote(1, 8, 'b'), at, 3)).toEqual(vote(1, 8));
    expect(latestOf(votes, ({ state }) => state === 'b')).toEqual([]);
  });

  test('of more than may be kept the earliest place goes, in whatever order they come', () => {
    expect(kept(2, vote(1, 12), vote(1, 4), vote(1, 8)).get(1)?.map(at)).toEqual([8, 12]);
    expect(kept(2, vote(1, 4), vote(1, 8), vote(1, 1e6)).get(1)?.map(at)).toEqual([8, 1e6]);
  });

  test('one that is far ahead takes nothing from the others', () => {
    const votes = kept(1, vote(0, 4), vote(1, 1e6), vote(2, 4));
    expect(latestOf(votes, ({ height }) => height === 4)).toEqual([vote(0, 4), vote(2, 4)]);
  });

  test('what is decided is let go, and the rest stays', () => {
    const votes = kept(3, vote(0, 4), vote(0, 8), vote(1, 4));
    retainLatest(votes, ({ height }) => height > 4);
    expect(latestOf(votes, () => true)).toEqual([vote(0, 8)]);
  });
});
