/** A node that a member floods answers its own user, and says who it is that takes its time. */
import { downCluster, type UseReport } from '@quorumlab/cluster';
import { afterEach, expect, test } from 'vitest';
import { paths } from '../../packages/cluster/src/config.ts';
import { askNode } from '../../packages/cluster/src/control-client.ts';
import { type Flood, floodAs } from './support/flood.ts';
import { endAll, limitMs, started } from './support/running.ts';

let flood: Flood | undefined;
afterEach(async () => {
  await flood?.stop();
  await endAll();
}, limitMs);

test('status is answered while a member floods, and names it', { timeout: limitMs }, async () => {
  const folder = await started({ protocol: 'raft', n: 3 });
  await downCluster(folder, { nodes: [2] });
  flood = await floodAs(folder, 2);
  const home = paths.node(folder, 0);
  const useOf = async (): Promise<UseReport['use'][number] | undefined> =>
    (await askNode<UseReport>(home, 'use', {}, limitMs)).use.find(({ id }) => id === 2);
  let before = 0;
  for (let asked = 0; asked < 5; ) {
    // Each answer comes while more frames of the flood do.
    const { framesIn = 0 } = (await useOf()) ?? {};
    if (framesIn > before) asked++;
    before = framesIn;
    expect(await askNode(home, 'status', {}, limitMs)).toMatchObject({ self: 0 });
  }
  const member = await useOf();
  const spent = Object.values(member?.work ?? {}).reduce((sum, each) => sum + each, 0);
  expect(member?.framesIn).toBeGreaterThan(1000);
  expect(spent).toBeGreaterThan(0);
});
