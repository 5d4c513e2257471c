/** What a liar does to the right protocol; the mutants have their schedules in `exhibits.ts`. */
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { multiPaxos } from './index.ts';

describe('A-07 multipaxos/leader-forks-log', () => {
  const fork = (n: number, equivocates: boolean): Cluster => {
    const group = cluster(multiPaxos({ n }));
    group.elect(0);
    group.propose(0, 'x');
    const honest = group.packets.splice(0);
    const first = Math.floor((n - 1) / 2);
    for (const { to, message } of honest) {
      if (message.kind !== 'accept') continue;
      const other = { ...message, value: [] };
      group.inject(0, to, equivocates && to > first ? other : message);
    }
    group.packets.length = 0;
    // It announces to both halves that the slot is chosen.
    const { ballot } = group.view(0);
    for (let to = 1; to < n; to++)
      group.inject(0, to, { kind: 'heartbeat', ballot, round: 9, firstUnchosen: 1 });
    return group;
  };

  test.each([3, 5])('a lying leader forks the log, n=%i', (n) => {
    expect(fork(n, true).disagreements).not.toEqual([]);
  });

  test.each([3, 5])('an honest one does not, n=%i', (n) => {
    expect(fork(n, false).disagreements).toEqual([]);
  });

  test('who is told both stories keeps the first, and can prove the lie', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    group.propose(0, 'x');
    const [packet] = group.packets.splice(0);
    if (packet?.message.kind !== 'accept') throw new Error('a proposal is an accept');
    group.inject(0, 1, packet.message);
    group.packets.length = 0;
    group.inject(0, 1, { ...packet.message, value: [] });
    expect(group.accusations).toEqual(['accept']);
    expect(group.packets).toEqual([]);
    expect(Object.values(group.votesOf(1))).toEqual([`${packet.message.ballot}:x`]);
    // The same one twice is no lie: it is only repeated.
    group.inject(0, 1, packet.message);
    expect(group.accusations).toHaveLength(1);
  });
});
