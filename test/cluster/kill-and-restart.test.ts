/**
 * Real clusters under load, one node at a time killed with SIGKILL and started again, ten times.
 * What the clients saw and what the nodes committed is judged by the same checkers as simulations.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { agreement, type Observer } from '@quorumlab/checker';
import {
  type ClusterClient,
  clusterStatus,
  connectCluster,
  downCluster,
  initCluster,
  nodeLog,
  upCluster,
} from '@quorumlab/cluster';
import { fromHex, range, toUtf8 } from '@quorumlab/core';
import { keyValueHistory } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { afterEach, describe, expect, test } from 'vitest';

const limitMs = 170_000;
const kills = 10;
/** Acknowledged writes between two kills, at least. */
const writesPerRound = 30;
/** Keys that all clients write and read, so that histories have something to say. */
const contended = 3;

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) {
    await downCluster(join(folder, 'c'), { graceMs: 2000 });
    rmSync(folder, { recursive: true, force: true });
  }
}, limitMs);

/** Microseconds of this process, for histories. */
const now = (): number => Math.floor(performance.now() * 1000);

/** A client whose every call is told to `history`. */
function recorded(client: ClusterClient, self: number, history: Observer) {
  let id = 0;
  const call = async (operation: Uint8Array, run: () => Promise<Uint8Array>) => {
    const mine = id++;
    history.invoked?.(now(), self, mine, operation);
    const result = await run();
    history.returned?.(now(), self, mine, result);
    return kv.result(result);
  };
  return {
    write: (operation: Uint8Array) => call(operation, () => client.propose(operation)),
    read: (operation: Uint8Array) => call(operation, () => client.read(operation)),
  };
}

type Recorded = ReturnType<typeof recorded>;

/** Writes keys of its own, and writes, appends to and reads the keys that all share. */
async function work(
  { write, read }: Recorded,
  name: string,
  acknowledged: string[],
  going: () => boolean,
): Promise<void> {
  for (let i = 0; going(); i++) {
    const key = `${name}.${i}`;
    await write(kv.put(key, key));
    acknowledged.push(key);
    const shared = `shared ${i % contended}`;
    if (i % 3 === 0) await write(kv.put(shared, key));
    else if (i % 3 === 1) await write(kv.append(shared, '+'));
    await read(kv.get(shared));
  }
}

/** Shows the checker what `node` has committed since it was last started. */
async function collect(folder: string, node: number, check: Observer): Promise<void> {
  for (const { slot, requests } of await nodeLog(folder, node))
    check.decided?.(now(), node, {
      slot,
      // The digest stands for the operations: the checker compares, and shows nothing of them.
      commands: requests.map(({ client, sequence, digest }) => ({
        kind: 'request' as const,
        client,
        sequence,
        acknowledged: 0,
        operations: [fromHex(digest)],
      })),
    });
}

async function killed(folder: string, victim: number): Promise<void> {
  const { rows } = await clusterStatus(folder);
  const pid = rows[victim]?.pid;
  if (pid === undefined) throw new Error(`n${victim} is not up before it is to be killed`);
  process.kill(pid, 'SIGKILL');
}

/** The leader in one round, another node in the next. */
async function victimOf(folder: string, round: number, n: number): Promise<number> {
  const { rows } = await clusterStatus(folder);
  const leader = rows.find(({ node, leader: whom }) => node === whom)?.node ?? 0;
  return round % 2 === 0 ? leader : (leader + 1 + (round % (n - 1))) % n;
}

describe.each([
  ['raft', 3],
  ['pbft', 4],
] as const)('%s with %i nodes', (protocol, n) => {
  test(`loses no acknowledged write over ${kills} kills, and its histories hold`, {
    timeout: limitMs,
  }, async () => {
    const home = mkdtempSync(join(tmpdir(), 'quorumlab-kill-'));
    const folder = join(home, 'c');
    await initCluster({ folder, protocol, n, clients: 2 });
    folders.push(home);
    await upCluster(folder);
    const history = keyValueHistory();
    const agreed = agreement();
    const clients = await Promise.all([0, 1].map((client) => connectCluster(folder, { client })));
    const users = clients.map((client, self) => recorded(client, self, history));
    const acknowledged: string[] = [];
    let going = true;
    const load = Promise.all(
      users.flatMap((user, self) =>
        ['a', 'b'].map((lane) => work(user, `${self}${lane}`, acknowledged, () => going)),
      ),
    );
    for (let round = 0; round < kills; round++) {
      const enough = acknowledged.length + writesPerRound;
      while (acknowledged.length < enough) await Promise.race([sleep(20), load]);
      const victim = await victimOf(folder, round, n);
      await collect(folder, victim, agreed);
      await killed(folder, victim);
      while ((await clusterStatus(folder)).rows[victim]?.up) await sleep(20);
      await upCluster(folder);
    }
    going = false;
    await load;
    const [reader] = users as [Recorded];
    await Promise.all(
      acknowledged.map(async (key) =>
        expect(await reader.read(kv.get(key))).toEqual({ kind: 'value', value: toUtf8(key) }),
      ),
    );
    expect(acknowledged.length).toBeGreaterThanOrEqual(kills * writesPerRound);
    for (const node of range(n)) await collect(folder, node, agreed);
    expect(agreed.violation).toBeUndefined();
    history.end?.(now());
    expect(history.violation).toBeUndefined();
    const status = await clusterStatus(folder);
    expect(status.word, status.sentence).toBe('ok');
    await Promise.all(clients.map((client) => client.stop()));
  });
});
