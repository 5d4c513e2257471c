import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** A client that never waits would take the cores from the replicas that are to start. */
const paceMs = 20;

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
      await sleep(paceMs);
    }
  };
  const all = Array.from({ length: 8 }, one);
  return {
    async stop() {
      stopped = true;
      await Promise.all(all);
      return acknowledged;
    },
  };
}

// Once each: test/cluster kills ten times, by way of the command that starts clusters.
test.each([
  ['raft', 3],
  ['pbft', 4],
] as const)(
  '%s of %i processes: a kill under load loses no acknowledged write, and all can be stopped',
  async (protocol, n) => {
    const place = await newPlace(n);
    const start = (self: number): Child => startChild({ protocol, n, self, place });
    const children = Array.from({ length: n }, (_, self) => start(self));
    cleanUp.push(() => Promise.all(children.map(endChild)));
    await Promise.all(children.map((child) => child.next('ready')));
    const client = await clientOf(protocol, n, place);
    const writes = load(client);
    await client.propose(kv.put('phase', 'begun'));
    const victim = 0;
    const { process } = children[victim] as Child;
    const gone = once(process, 'exit');
    process.kill('SIGKILL');
    await gone;
    await client.propose(kv.put('phase', 'without one'));
    const again = start(victim);
    children[victim] = again;
    await again.next('ready');
    const acknowledged = await writes.stop();
    expect(acknowledged.length).toBeGreaterThan(50);
    const found = await Promise.all(acknowledged.map((i) => client.read(kv.get(`key ${i}`))));
    expect(found.map(textOf)).toEqual(acknowledged.map((i) => `value ${i}`));
    // Told to stop, each runs out of things to wait for: 0 is the exit code of such a process.
    expect(await Promise.all(children.map(endChild))).toEqual(Array(n).fill(0));
  },
  // Five processes start, and other tests may run beside them.
  120_000,
);
