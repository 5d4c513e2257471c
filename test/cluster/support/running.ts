/** Real clusters for tests: in folders of their own, with clients whose calls are judged. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Observer, ofOneClient } from '@quorumlab/checker';
import {
  type ClusterClient,
  clusterStatus,
  connectCluster,
  downCluster,
  type InitOptions,
  initCluster,
  nodeLog,
  readConfig,
  upCluster,
} from '@quorumlab/cluster';
import { fromHex, toUtf8 } from '@quorumlab/core';
import { agreementOf, keyValueHistory, protocolOf } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { expect } from 'vitest';

/** How long one test may take. */
export const limitMs = 240_000;

/** A protocol, its number of replicas and its options. */
export type Group = readonly [protocol: string, n: number, options: Record<string, number>];

/** The groups that survive one fault, with fuses and snapshots short enough for a test. */
export const groups: readonly Group[] = [
  ['raft', 3, { electionTimeout: 300_000, snapshotEvery: 32, keepEntries: 8 }],
  ['multi-paxos', 3, { electionTimeout: 300_000, snapshotEvery: 32, keepSlots: 8 }],
  ['zab', 3, { electionTimeout: 300_000, snapshotEvery: 32, keepTransactions: 8 }],
  ['epaxos', 3, { recoveryTimeout: 300_000, snapshotEvery: 32 }],
  ['pbft', 4, { requestTimeout: 300_000, checkpointEvery: 16, window: 64 }],
  ['hotstuff', 4, { requestTimeout: 300_000, checkpointEvery: 16 }],
  ['tendermint', 4, { proposeTimeout: 300_000, checkpointEvery: 16, window: 64 }],
  ['minbft', 3, { requestTimeout: 300_000, checkpointEvery: 16, window: 64 }],
  ['streamlet', 4, { epochTime: 300_000, checkpointEvery: 16, window: 64 }],
];

/**
 * For what is the business of hosts, disks and snapshots and the same for every protocol: one group
 * for crashes and one for lies, and all of them with QUORUMLAB_LONG_TESTS=1.
 */
export const typical: readonly Group[] = groups.filter(
  ([protocol]) =>
    process.env.QUORUMLAB_LONG_TESTS === '1' || ['multi-paxos', 'hotstuff'].includes(protocol),
);

const homes: string[] = [];

/** Makes and starts a cluster; `before` may change what stands in its folder. */
export async function started(
  options: Omit<InitOptions, 'folder'>,
  before: (folder: string) => void = () => undefined,
): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'quorumlab-real-'));
  const folder = join(home, 'c');
  await initCluster({ folder, clients: 2, ...options });
  homes.push(home);
  before(folder);
  await upCluster(folder);
  return folder;
}

/** Stops and removes all clusters of this file. */
export async function endAll(): Promise<void> {
  for (const home of homes.splice(0)) {
    await downCluster(join(home, 'c'), { graceMs: 2000 });
    rmSync(home, { recursive: true, force: true });
  }
}

/** Microseconds of this process, for histories. */
const now = (): number => Math.floor(performance.now() * 1000);

/** Keys that all clients write and read, so that histories have something to say. */
const contended = 3;

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

/** Two clients at work on a cluster, and what they and the nodes' logs are judged by. */
export interface Load {
  /** Keys whose write was acknowledged. */
  readonly acknowledged: readonly string[];
  /** Waits for so many more acknowledged writes. */
  progress(writes: number): Promise<void>;
  /** Shows the checker what `node` has committed since it was last started. */
  collect(node: number): Promise<void>;
  /**
   * Ends the load; then nothing acknowledged may be lost, the nodes must agree and the history
   * must be linearizable.
   */
  judge(nodes: readonly number[]): Promise<void>;
}

/** A client that never waits would take the cores from the nodes that are to start again. */
const paceMs = 40;

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
    await sleep(paceMs);
  }
}

/** Puts two clients to work. */
export async function loadOn(folder: string): Promise<Load> {
  const history = keyValueHistory();
  const { protocol } = await readConfig(folder);
  const { claims } = protocolOf(protocol);
  // Logs hold digests of what clients asked for: the application cannot be asked.
  const agreed = agreementOf(claims, undefined, ofOneClient);
  const clients = await Promise.all([0, 1].map((client) => connectCluster(folder, { client })));
  const users = clients.map((client, self) => recorded(client, self, history));
  const acknowledged: string[] = [];
  let going = true;
  const load = Promise.all(
    users.flatMap((user, self) =>
      ['a', 'b'].map((lane) => work(user, `${self}${lane}`, acknowledged, () => going)),
    ),
  );
  async function collect(node: number): Promise<void> {
    for (const { slot, requests } of await nodeLog(folder, node))
      agreed.decided?.(now(), node, {
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
  return {
    acknowledged,
    async progress(writes) {
      const enough = acknowledged.length + writes;
      while (acknowledged.length < enough) await Promise.race([sleep(20), load]);
    },
    collect,
    async judge(nodes) {
      going = false;
      await load;
      const [reader] = users as [Recorded];
      await Promise.all(
        acknowledged.map(async (key) =>
          expect(await reader.read(kv.get(key))).toEqual({ kind: 'value', value: toUtf8(key) }),
        ),
      );
      for (const node of nodes) await collect(node);
      expect(agreed.violation).toBeUndefined();
      history.end?.(now());
      expect(history.violation).toBeUndefined();
      const status = await clusterStatus(folder);
      expect(status.word, status.sentence).toBe('ok');
      await Promise.all(clients.map((client) => client.stop()));
    },
  };
}

/** Kills a node's process with SIGKILL and waits until it is gone. */
export async function killed(folder: string, victim: number): Promise<void> {
  const pid = Number(readFileSync(join(folder, `n${victim}`, 'pid'), 'utf8'));
  process.kill(pid, 'SIGKILL');
  while (isThere(pid)) await sleep(5);
}

/** Nodes are children of this process, which buries them, so none stays in the table. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Who takes itself for the leader; the first node if nobody does. */
export async function leaderOf(folder: string): Promise<number> {
  const { rows } = await clusterStatus(folder);
  return rows.find(({ node, leader }) => node === leader)?.node ?? 0;
}
