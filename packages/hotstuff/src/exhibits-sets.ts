/** The schedules of groups that change: whose votes count, and from when on. */
import { encodeValidatorStep } from '@quorumlab/core';
import { among, build, isA, type Staged } from './staging.ts';

/** Time enough for many timeouts. */
const long = 3e8;

/** The group is to go on without n3. */
const withoutThree = encodeValidatorStep({ server: 3, becomes: 'none' });

/** Without n3, which lies from then on, n0 has n1 commit Ann, and n2 and n4 commit Bob. */
export function formerVotes(group: Staged): void {
  group.propose([0], 'the group: without n3', { configuration: withoutThree });
  const isBegun = (self: number): boolean => {
    const { base, committed } = group.view(self);
    return base.height > 0 && committed.height > base.height;
  };
  group.run(long, () => [0, 1, 2, 4].every(isBegun));
  group.settle(among(0, 1, 2, 4));
  const { high, tree, voters } = group.view(0);
  group.lose();
  for (const liar of [0, 3]) group.betray(liar);
  if (high === null) return;
  const { view, block } = high.body;
  const height = (tree.get(block)?.height ?? 0) + 1;
  const chain = { set: voters.set, view: view + 1, height, justify: high, timeouts: null };
  build(group, 0, [1], { ...chain, blocks: 3, text: 'Ann', former: [3] });
  build(group, 0, [2, 4], { ...chain, blocks: 3, text: 'Bob' });
}

/** n0 alone knows that the change is certified, and crashes; nobody else has heard of that. */
export function uncommitted(group: Staged): void {
  group.propose([0], 'the group: without n3', { configuration: withoutThree });
  group.deliver(isA('proposal'));
  group.deliver(isA('vote'));
  group.lose();
  group.crash(0);
  group.propose([1, 2, 3, 4], 'Ann');
  group.run(long, () => group.decided(1) > 0);
}
