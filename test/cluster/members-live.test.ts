/** A group of real processes changes under load: one comes, leads, and another leaves. */
import { addMember, changeMember, transferLead, upCluster } from '@quorumlab/cluster';
import { range } from '@quorumlab/core';
import { afterEach, expect, test } from 'vitest';
import { endAll, killed, limitMs, loadOn, started } from './support/running.ts';

afterEach(endAll, limitMs);

test('raft: a node is let in, is handed the lead, and another leaves, while clients write', {
  timeout: limitMs,
}, async () => {
  const folder = await started({
    protocol: 'raft',
    n: 4,
    f: 1,
    clients: 3,
    // The log has lost its head by the time at which n3 is let in: it begins with a snapshot.
    options: {
      initialMembers: '0,1,2',
      electionTimeout: 300_000,
      snapshotEvery: 32,
      keepEntries: 8,
    },
  });
  const load = await loadOn(folder);
  await load.progress(50);
  await changeMember(folder, 3, 'voter');
  await load.progress(10);
  await transferLead(folder, 3);
  const gone = 0;
  await load.progress(10);
  await changeMember(folder, gone, 'none');
  await load.collect(gone);
  await killed(folder, gone);
  // Two of n1, n2 and n3 go on without it.
  await load.progress(20);
  await expect(changeMember(folder, 9, 'voter')).rejects.toThrow(/n0 to n3, and n9 is none/);
  await expect(changeMember(folder, gone, 'none')).rejects.toThrow(/n0 is not in the group/);
  await expect(transferLead(folder, gone)).rejects.toThrow(/n0 has no vote in the group/);
  // Who has left stays away until it is let in again, with the log that it had.
  await expect(upCluster(folder)).rejects.toThrow(/All nodes are up already/);
  await addMember(folder, gone);
  await load.progress(20);
  await load.judge(range(4));
});

test('a protocol that changes no single members says so', { timeout: limitMs }, async () => {
  const folder = await started({ protocol: 'streamlet', n: 4 });
  await expect(changeMember(folder, 1, 'none')).rejects.toThrow(/streamlet cannot .* raft.* can\./);
});
