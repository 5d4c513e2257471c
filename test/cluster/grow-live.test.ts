/** Groups of real processes grow by nodes that nobody knew, and shrink, while clients write. */
import {
  addMember,
  changeMember,
  clusterStatus,
  readConfig,
  removeMember,
} from '@quorumlab/cluster';
import { afterEach, expect, test } from 'vitest';
import { endAll, killed, limitMs, loadOn, started } from './support/running.ts';

afterEach(endAll, limitMs);

test.each([
  ['raft', { electionTimeout: 400_000, snapshotEvery: 32, keepEntries: 8 }],
  ['multi-paxos', { electionTimeout: 400_000, snapshotEvery: 32, keepSlots: 8 }],
  ['flexible-paxos', { electionTimeout: 400_000, snapshotEvery: 32, keepSlots: 8, q1: 2, q2: 2 }],
] as const)(
  '%s: three grow to five, two leave, one is killed, and nothing is lost',
  {
    timeout: limitMs,
  },
  async (protocol, options) => {
    const folder = await started({ protocol, n: 3, f: 1, clients: 3, options });
    const load = await loadOn(folder);
    // The log has lost its head by the time at which n3 comes: it begins with a snapshot.
    await load.progress(50);
    const { becomes, pid } = await addMember(folder, 3);
    expect([becomes, pid === undefined]).toEqual(['voter', false]);
    await load.progress(10);
    await addMember(folder, 4);
    await load.progress(10);
    // Those with whom the clients began go, so they have to have learnt of the others.
    for (const gone of [0, 1]) {
      await load.collect(gone);
      const { ended } = await removeMember(folder, gone);
      expect(ended).toBe(true);
      await load.progress(10);
    }
    const { rows } = await clusterStatus(folder);
    expect(rows.map(({ node, membership }) => [node, membership])).toEqual([
      [2, 'voter'],
      [3, 'voter'],
      [4, 'voter'],
    ]);
    await load.collect(2);
    await killed(folder, 2);
    // Of those that were made with the group nobody is left.
    await load.progress(20);
    const stalled = await clusterStatus(folder);
    expect(stalled.word).toBe('ok');
    await load.judge([3, 4]);
  },
);

test.each(['raft', 'multi-paxos'])(
  '%s: what cannot be is refused, with the reason',
  {
    timeout: limitMs,
  },
  async (protocol) => {
    const folder = await started({ protocol, n: 3, f: 1 });
    await expect(addMember(folder, 7)).rejects.toThrow(/the next one is n3 and not n7/);
    await expect(changeMember(folder, 7, 'voter')).rejects.toThrow(/n0 to n2, and n7 is none/);
    await expect(changeMember(folder, 1, 'voter')).rejects.toThrow(/the group is that already/);
    await addMember(folder, 3, { learner: true });
    await killed(folder, 3);
    await expect(changeMember(folder, 3, 'voter', { limitMs: 1500 })).rejects.toThrow(
      /n3 has not caught up in 1.5 s .*has no vote/,
    );
    await removeMember(folder, 2);
    await removeMember(folder, 1);
    await expect(removeMember(folder, 0)).rejects.toThrow(/a group needs/);
    await expect(removeMember(folder, 2)).rejects.toThrow(/n2 is not in the group/);
    const { left, joined } = await readConfig(folder);
    expect([left, joined?.map(({ id }) => id)]).toEqual([[1, 2], [3]]);
  },
);
