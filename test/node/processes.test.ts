/** Several groups in one process: what they share, and what they do not hear of each other. */
import { keyValueStore, kv, type ServiceMessage, serviced } from '@quorumlab/log';
import { type Mesh, startMesh } from '@quorumlab/node';
import { domainOf, envelopes } from '@quorumlab/wire';
import { afterEach, expect, test } from 'vitest';
import { optionsOf, until } from '../../packages/node/test-support/cluster.ts';
import { agreement, textOf } from './support/groups.ts';
import { requestOf } from './support/outsider.ts';
import { type TestProcess, type TestProcesses, testProcesses } from './support/processes.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function threeProcesses(): Promise<TestProcesses> {
  const processes = await testProcesses();
  ends.push(processes.end);
  return processes;
}

/** What `key` is in a group, as one of its replicas finds by asking the others. */
const found = async ({ replica }: TestProcess, group: string, key: string): Promise<string> =>
  textOf(await replica(group).log.read(kv.get(key)));

/** The frame of an unsigned message of the client in `group`. */
function frameOf({ protocol, cluster }: TestProcesses, group: string, message: ServiceMessage) {
  const { messages } = serviced(protocol);
  const domain = domainOf(protocol, { cluster, group, epoch: 0 });
  const sealed = { ...message, from: 65_536, signature: new Uint8Array() as never };
  return envelopes(domain, messages).encode(sealed as never);
}

/** A client's key in the hands of somebody who writes what frames it likes. */
async function stranger({ all }: TestProcesses): Promise<Mesh> {
  const mesh = await startMesh(optionsOf(all, 65_536));
  ends.push(() => mesh.stop());
  return mesh;
}

test('groups share a connection, and each has its own log', async () => {
  const processes = await threeProcesses();
  const [first, second, third] = (await processes.startAll(['a', 'b'])) as [
    TestProcess,
    TestProcess,
    TestProcess,
  ];
  await first.replica('a').log.propose(kv.put('x', 'of a'));
  await second.replica('b').log.propose(kv.put('x', 'of b'));
  await third.replica('a').log.propose(kv.put('y', 'of a'));
  expect(await found(second, 'a', 'x')).toBe('of a');
  expect(await found(third, 'b', 'x')).toBe('of b');
  expect(await found(first, 'b', 'y')).toBe('nothing');
  for (const { host, replica } of [first, second, third]) {
    await host.ready();
    expect(host.groups()).toEqual(['a', 'b']);
    expect(replica('b').status().group).toBe('b');
    const { use, self } = replica('a').status();
    const peers = use.filter(({ id }) => id !== undefined && id < 3 && id !== self);
    for (const { links } of peers) expect(links).toBe(1);
  }
  // One group of one process ends, and nobody else does.
  await third.replica('a').stop();
  await first.replica('a').log.propose(kv.put('x', 'again'));
  await third.replica('b').log.propose(kv.put('x', 'still'));
  expect(await found(second, 'b', 'x')).toBe('still');
  expect(third.host.groups()).toEqual(['b']);
});

test('a frame for another group, or for none, is nothing to a group', async () => {
  const processes = await threeProcesses();
  const all = await processes.startAll(['a', 'b']);
  const [first] = all as [TestProcess];
  await first.replica('b').log.propose(kv.put('x', '1'));
  const mesh = await stranger(processes);
  await mesh.ready(3);
  const request = requestOf(65_536);
  // As many as would cut off whoever sends something invalid.
  for (let i = 0; i < 100; i++) mesh.send(0, frameOf(processes, 'c', request));
  mesh.send(0, frameOf(processes, 'a', request));
  const { replica } = first;
  const has = (group: string): boolean =>
    replica(group)
      .status()
      .use.some(({ id, work }) => id === 65_536 && work.step > 0);
  await until('group a was asked', () => has('a'));
  const { refused } = replica('b').status().counters;
  expect(refused['wrong-domain']).toBe(100);
  expect(
    replica('b')
      .status()
      .use.find(({ id }) => id === 65_536)?.refused,
  ).toEqual({
    'wrong-domain': 100,
  });
  expect(mesh.connected()).toContain(0);
  expect(await found(first, 'b', 'x')).toBe('1');
  await agreement(all.map((each) => each.replica('b')));
});

test('two groups of one name are refused, and the others go on', async () => {
  const processes = await threeProcesses();
  const { host, replica } = await processes.start(0, ['a']);
  const { protocol } = processes;
  const again = host.open({ group: 'a', protocol, stateMachine: keyValueStore });
  await expect(again).rejects.toThrow('The group a is open in this process already');
  expect(host.groups()).toEqual(['a']);
  expect(replica('a').status().failure).toBeUndefined();
});
