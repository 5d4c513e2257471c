/** A group that survives a liar changes under load: one comes, one leaves, one is killed. */
import { addMember, changeMember, clusterStatus, removeMember } from '@quorumlab/cluster';
import { afterEach, expect, test } from 'vitest';
import { endAll, killed, limitMs, loadOn, started } from './support/running.ts';

afterEach(endAll, limitMs);

test.each([
  ['tendermint', { proposeTimeout: 400_000, checkpointEvery: 8, window: 16 }],
  ['hotstuff', { requestTimeout: 400_000, checkpointEvery: 8, window: 20 }],
  ['pbft', { requestTimeout: 800_000, checkpointEvery: 8, window: 16 }],
] as const)(
  '%s: of four one leaves after a fifth has come, one is killed, and nothing is lost',
  {
    timeout: limitMs,
  },
  async (protocol, options) => {
    const folder = await started({ protocol, n: 4, f: 1, clients: 3, options });
    const load = await loadOn(folder);
    // The first decisions are let go of by the time at which n4 comes: it begins with a checkpoint.
    await load.progress(40);
    await expect(removeMember(folder, 0)).rejects.toThrow(/3 cannot survive 1 that lie/);
    const { becomes, pid } = await addMember(folder, 4);
    expect([becomes, pid === undefined]).toEqual(['voter', false]);
    await load.progress(10);
    // Clients ask n0 first, so they have to have learnt of the others.
    await load.collect(0);
    const { ended } = await removeMember(folder, 0);
    expect(ended).toBe(true);
    await load.progress(10);
    const { rows } = await clusterStatus(folder);
    expect(rows.map(({ node, membership }) => [node, membership])).toEqual([
      [1, 'voter'],
      [2, 'voter'],
      [3, 'voter'],
      [4, 'voter'],
    ]);
    await expect(changeMember(folder, 3, 'voter')).rejects.toThrow(/the group is that already/);
    await load.collect(2);
    await killed(folder, 2);
    // Three of the four that vote now, of which one is the newcomer.
    await load.progress(10);
    await load.judge([1, 3, 4]);
  },
);
