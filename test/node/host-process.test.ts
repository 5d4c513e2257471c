import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kv } from '@quorumlab/log';
import { connectClient, createLogger, type RunningClient } from '@quorumlab/node';
import { afterEach, expect, test } from 'vitest';
import {
  type Child,
  endChild,
  type Place,
  placeOf,
  startChild,
} from '../bench/cluster/children.ts';
import { benchProtocol, clusterOf } from '../bench/cluster/shared.ts';
import { textOf } from './support/groups.ts';

type Client = RunningClient<Uint8Array, Uint8Array, Uint8Array>;

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});

async function newPlace(n: number): Promise<Place> {
  const home = await mkdtemp(join(tmpdir(), 'quorumlab-process-'));
  cleanUp.push(() => rm(home, { recursive: true, force: true }));
  return placeOf(n, home);
}

async function clientOf(protocol: 'raft' | 'pbft', n: number, place: Place): Promise<Client> {
  const client = await connectClient({
    protocol: benchProtocol(protocol, n),
    cluster: clusterOf(place.principals),
    self: 65_536,
    secretKey: place.seeds[n] as Uint8Array,
    logger: createLogger({ level: 'silent' }),
  });
  cleanUp.push(() => client.stop());
  return client;
}

/** Writes one key after the other, several at a time, and remembers what was acknowledged. */
function load(client: Client): { stop(): Promise<readonly number[]> } {
  const acknowledged: number[] = [];
  let next = 0;
  let stopped = false;
  const one = async (): Promise<void> => {
    while (!stopped) {
      const i = next++;
      await client.propose(kv.put(`key ${i}`, `value ${i}`));
      acknowledged.push(i);
    }
  };
  const all = Array.from({ length: 16 }, one);
  return {
    async stop() {
      stopped = true;
      await Promise.all(all);
      return acknowledged;
    },
  };
}

test.each([
  ['raft', 3],
  ['pbft', 4],
] as const)(
  '%s of %i processes: replicas killed under load and restarted lose no acknowledged write',
  async (protocol, n) => {
    const place = await newPlace(n);
    const start = (self: number): Child => startChild({ protocol, n, self, place });
    const children = Array.from({ length: n }, (_, self) => start(self));
    cleanUp.push(() => Promise.all(children.map(endChild)));
    await Promise.all(children.map((child) => child.next('ready')));
    const client = await clientOf(protocol, n, place);
    const writes = load(client);
    for (let round = 0; round < 3; round++) {
      await client.propose(kv.put(`round ${round}`, 'begun'));
      const victim = round % n;
      const { process } = children[victim] as Child;
      const gone = once(process, 'exit');
      process.kill('SIGKILL');
      await gone;
      await client.propose(kv.put(`round ${round}`, 'without one'));
      const again = start(victim);
      children[victim] = again;
      await again.next('ready');
    }
    const acknowledged = await writes.stop();
    expect(acknowledged.length).toBeGreaterThan(50);
    const found = await Promise.all(acknowledged.map((i) => client.read(kv.get(`key ${i}`))));
    expect(found.map(textOf)).toEqual(acknowledged.map((i) => `value ${i}`));
  },
  // Ten processes start in turn, and other tests may run beside them.
  90_000,
);

test('stop() leaves nothing behind that would keep a process alive', async () => {
  const place = await newPlace(3);
  const children = [0, 1, 2].map((self) => startChild({ protocol: 'raft', n: 3, self, place }));
  cleanUp.push(() => Promise.all(children.map(endChild)));
  await Promise.all(children.map((child) => child.next('ready')));
  const client = await clientOf('raft', 3, place);
  await client.propose(kv.put('a', 'b'));
  // 0 is the exit code of a process that ran out of things to wait for.
  expect(await Promise.all(children.map(endChild))).toEqual([0, 0, 0]);
}, 60_000);
