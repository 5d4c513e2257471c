/** What a liar does to the right protocol; the mutants have their schedules in `exhibits.ts`. */
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, zooKeeper } from '../test/cluster.ts';

describe('A-31 zab/leader-forks', () => {
  const fork = (n: number, equivocates: boolean): Cluster => {
    const group = cluster(zooKeeper({ n }));
    group.elect(0);
    const leader = n - 1;
    group.propose(leader, 'x');
    const honest = group.packets.splice(0);
    const { epoch } = group.view(leader);
    const first = Math.floor((n - 1) / 2);
    for (const { to, message } of honest) {
      if (message.kind !== 'propose') continue;
      const other = { ...message, transactions: [{ epoch, command: null }] };
      group.inject(leader, to, equivocates && to >= first ? other : message);
    }
    // It tells both halves that the transaction is committed.
    for (let to = 0; to < leader; to++)
      group.inject(leader, to, { kind: 'commit', epoch, zxid: { epoch, counter: 1 } });
    return group;
  };

  test.each([3, 5])('a lying leader forks the history, n=%i', (n) => {
    expect(fork(n, true).disagreements).not.toEqual([]);
  });

  test.each([3, 5])('an honest one does not, n=%i', (n) => {
    expect(fork(n, false).disagreements).toEqual([]);
  });
});
