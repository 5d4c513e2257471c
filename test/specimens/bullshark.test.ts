/** A graph of vertices, and what two honest replicas order by what each of them has of it. */
import { describe, expect, test } from 'vitest';
import { isCertified, orderOf, type Rules, right, type Vertex } from './bullshark.ts';

const vertex = (name: string, ...parents: readonly string[]): Vertex => {
  const [round, author] = name.replace("'", '').split('.').map(Number);
  return { name, round: round ?? 0, author: author ?? 0, parents };
};

/** Whether what one has ordered is the beginning of what the other has, or the other way round. */
function agree(one: readonly string[], other: readonly string[]): boolean {
  const length = Math.min(one.length, other.length);
  return one.slice(0, length).join() === other.slice(0, length).join();
}

const firstRound = [0, 1, 2, 3].map((author) => vertex(`1.${author}`));

describe('commit rules', () => {
  // The anchor of round 2 is 2.3, which does not build on 1.0; that of round 4 is 4.0.
  const secondRound = [
    vertex('2.0', '1.0', '1.1', '1.2'),
    vertex('2.1', '1.0', '1.1', '1.2'),
    vertex('2.2', '1.0', '1.1', '1.2'),
    vertex('2.3', '1.1', '1.2', '1.3'),
  ];
  const without = ['2.0', '2.1', '2.2'];
  const [voter, other] = [vertex('3.1', '2.3', '2.0', '2.1'), vertex('3.2', '2.3', '2.0', '2.1')];
  const nextAnchor = [
    vertex('4.0', '3.0', '3.1', '3.3'),
    vertex('5.0', '4.0'),
    vertex('5.1', '4.0'),
  ];

  /** What one replica orders that has both votes, and one that has one and has gone on. */
  const orders = (rules: Rules) => {
    const early = [...firstRound, ...secondRound, voter, other];
    const rest = [vertex('3.0', ...without), vertex('3.3', ...without), ...nextAnchor];
    const late = [...firstRound, ...secondRound, voter, ...rest];
    return [orderOf(early, rules), orderOf(late, rules)] as const;
  };

  test('B-52: an anchor that is committed alone is ordered without those it builds on', () => {
    const [early, late] = orders({ ...right, walksBack: false });
    expect(early).toEqual(['1.1', '1.2', '1.3', '2.3']);
    expect(agree(early, late)).toBe(false);
  });

  test('whoever walks back to the anchors between orders what the others have', () => {
    const [early, late] = orders(right);
    expect(late.length).toBeGreaterThan(early.length);
    expect(agree(early, late)).toBe(true);
  });

  /** Only 3.1 votes for 2.3, and the next anchor builds on the three others. */
  const oneVote = (rules: Rules) => {
    const common = [...firstRound, ...secondRound];
    const rest = ['3.0', '3.2', '3.3'].map((name) => vertex(name, ...without));
    const next = [vertex('4.0', '3.0', '3.2', '3.3'), vertex('5.0', '4.0'), vertex('5.1', '4.0')];
    return [
      orderOf([...common, voter], rules),
      orderOf([...common, ...rest, ...next], rules),
    ] as const;
  };

  test('B-52: with f votes the next anchor need not build on one of them', () => {
    const [early, late] = oneVote({ ...right, votes: 1 });
    expect([early.length > 0, agree(early, late)]).toEqual([true, false]);
  });

  test('with f+1 votes one of them is among any quorum that an anchor builds on', () => {
    const [early, late] = oneVote(right);
    expect([early, agree(early, late)]).toEqual([[], true]);
  });
});

describe('what is built on', () => {
  // The liar 3 says 2.3 to replica 0, and 2.3' to 1 and 2.
  const said = [vertex('2.3', '1.0', '1.1', '1.3'), vertex("2.3'", '1.1', '1.2', '1.3')] as const;
  const acknowledged = [
    [0, 3],
    [1, 2, 3],
  ] as const;
  /** What a replica orders whose graph has one of the two, and two votes for it. */
  const orderWith = ({ name }: Vertex) => {
    const votes = [vertex('3.0', name), vertex('3.1', name)];
    return orderOf([...firstRound, ...said.filter((each) => each.name === name), ...votes], right);
  };

  test('B-51: without certificates an author says two things, and both are ordered', () => {
    expect(agree(orderWith(said[0]), orderWith(said[1]))).toBe(false);
  });

  test('a quorum acknowledges one thing of an author in a round at most', () => {
    expect(acknowledged.map(isCertified)).toEqual([false, true]);
  });
});
