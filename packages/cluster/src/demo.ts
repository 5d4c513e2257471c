/** The demo among real processes: one liar, two protocols, and the two signatures that prove it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { range } from '@quorumlab/core';
import {
  completeScenario,
  type Scenario,
  type StoryLine,
  type VerdictRow,
} from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { type ClusterConfig, paths, protocolIn } from './config.ts';
import { type ClusterClient, connectCluster } from './connect.ts';
import { askNode } from './control-client.ts';
import { verdictOf } from './demo-verdict.ts';
import { ClusterError } from './errors.ts';
import { type ProvenRow, provenLies } from './evidence.ts';
import { initCluster } from './init.ts';
import type { HeardStatement, LoggedSlot, NodeReport } from './reports.ts';
import { type SpawnedNode, spawnNode } from './spawn.ts';
import { endSpawned } from './up.ts';

/** How to run the demo. */
export interface DemoOptions {
  /** Which protocols, each with the smallest group for one fault. Raft and PBFT unless told. */
  readonly protocols?: readonly string[];
  /** Ends everything early; the demo then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told what is being done, for people who wait. */
  readonly progress?: (protocol: string, doing: string) => void;
}

/** What came of one protocol. */
export interface RealRun {
  readonly scenario: Scenario;
  readonly verdict: VerdictRow;
  /** What all nodes did, earliest first; `at` in microseconds since the clients asked. */
  readonly story: readonly StoryLine[];
  /** The honest nodes' logs. */
  readonly logs: ReadonlyMap<number, readonly LoggedSlot[]>;
  /** Who signed what it may not have signed, whatever came of it. */
  readonly proofs: readonly ProvenRow[];
  /** Starting the processes and everything else, in milliseconds. */
  readonly milliseconds: number;
}

/** See {@link demoReal}. */
export interface RealDemo {
  readonly runs: readonly RealRun[];
  readonly milliseconds: number;
}

const attack = 'equivocating-leader';
/** Longest waits: for processes to start, n0 to lead, logs to be decided, a node to answer. */
const limits = { startMs: 60_000, leadMs: 6000, decideMs: 10_000, answerMs: 10_000 };
const pollMs = 50;
/** How often a group is started again because the liar did not get to lead. */
const tries = 3;

/**
 * Runs each protocol as real processes on loopback, node 0 being an equivocating leader, lets two
 * clients write under one key at once and compares the honest logs. Stops all processes and removes
 * all files before it resolves or rejects; processes end with this one however it ends.
 */
export async function demoReal(options: DemoOptions = {}): Promise<RealDemo> {
  const start = performance.now();
  const protocols = options.protocols ?? ['raft', 'pbft'];
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const stage = stageOf();
  try {
    const runs = protocols.map((protocol) => runProtocol(stage, protocol, { ...options, signal }));
    // The others must have ended before their folders go.
    const all = await Promise.allSettled(
      runs.map((run) =>
        run.catch((error: unknown) => {
          stop.abort(error);
          throw error;
        }),
      ),
    );
    for (const each of all) if (each.status === 'rejected') throw each.reason;
    return { runs: await Promise.all(runs), milliseconds: performance.now() - start };
  } finally {
    await stage.clear();
  }
}

/** All processes and files of one demo. */
interface Stage {
  readonly folder: string;
  readonly nodes: Set<SpawnedNode>;
  clear(): Promise<void>;
}

function stageOf(): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-demo-'));
  const nodes = new Set<SpawnedNode>();
  // For ways to end that await nothing, such as process.exit.
  const lastResort = (): void => {
    for (const { child } of nodes) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', lastResort);
  return {
    folder,
    nodes,
    async clear() {
      await Promise.all([...nodes].map((node) => endSpawned(node)));
      await rm(folder, { recursive: true, force: true });
      process.off('exit', lastResort);
    },
  };
}

interface Running extends DemoOptions {
  readonly signal: AbortSignal;
}

async function runProtocol(stage: Stage, protocol: string, options: Running): Promise<RealRun> {
  const start = performance.now();
  for (let i = 1; ; i++) {
    const run = await attempt(stage, protocol, i, options);
    if (run !== undefined) return { ...run, milliseconds: performance.now() - start };
    if (i === tries)
      throw new ClusterError(
        `${protocol}: n0 did not get to lead in ${tries} starts; ` +
          'is this machine very busy? Try again.',
      );
  }
}

/** One start of a group; nothing if another node than the liar came to lead. */
async function attempt(
  stage: Stage,
  protocol: string,
  i: number,
  { signal, progress }: Running,
): Promise<Omit<RealRun, 'milliseconds'> | undefined> {
  const folder = join(stage.folder, `${protocol}-${i}`);
  const config = await initCluster({
    folder,
    protocol,
    f: 1,
    signed: true,
    allowFaults: true,
    clients: 2,
  });
  const nodes: SpawnedNode[] = [];
  const clients: ClusterClient[] = [];
  const spawn = (self: number): SpawnedNode => {
    const lie = self === 0 ? { attack } : {};
    const compiled = join(stage.folder, 'compiled');
    const node = spawnNode({ folder, self, attached: true, compiled, ...lie });
    nodes.push(node);
    stage.nodes.add(node);
    return node;
  };
  try {
    progress?.(protocol, `starting ${config.n} processes`);
    // The liar first: it campaigns the more often, and should be there when the others come.
    await spawn(0).ready(limits.startMs, signal);
    await Promise.all(range(config.n - 1).map((id) => spawn(id + 1).ready(limits.startMs, signal)));
    progress?.(protocol, 'waiting for n0 to lead');
    if (!(await liarLeads(folder, config, nodes, signal))) return undefined;
    clients.push(await connectCluster(folder, { client: 0, isNew: true }));
    clients.push(await connectCluster(folder, { client: 1, isNew: true }));
    progress?.(protocol, 'Ann and Bob ask for the same key');
    return await contest(folder, config, clients, signal);
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
    await Promise.all(nodes.map((node) => endSpawned(node)));
    for (const node of nodes) stage.nodes.delete(node);
  }
}

const ask = <T>(folder: string, id: number, name: string): Promise<T> =>
  askNode<T>(paths.node(folder, id), name, {}, limits.answerMs);

/**
 * Waits until all nodes take the liar for the leader. If another one was faster, its process sleeps
 * until the rest have elected the liar. False if that did not come about.
 */
async function liarLeads(
  folder: string,
  config: ClusterConfig,
  nodes: readonly SpawnedNode[],
  signal: AbortSignal,
): Promise<boolean> {
  const { n } = config;
  // With one decision there is nobody to lead before somebody is asked: the clients ask n0 first.
  if (protocolIn(config).client.ask === 'any') return true;
  const deadline = performance.now() + limits.leadMs;
  const leads = async (who: readonly number[]): Promise<number | undefined> => {
    const all = await Promise.all(who.map((id) => ask<NodeReport>(folder, id, 'status')));
    const [first] = all;
    const isWhole = all.every(({ peers }) => peers.length >= who.length - 1);
    return isWhole && all.every(({ leader }) => leader === first?.leader)
      ? first?.leader
      : undefined;
  };
  while (performance.now() < deadline) {
    signal.throwIfAborted();
    const leader = await leads(range(n));
    if (leader === 0) return true;
    if (leader !== undefined) {
      const rival = nodes.find(({ self }) => self === leader);
      const rest = range(n).filter((id) => id !== leader);
      rival?.child.kill('SIGSTOP');
      try {
        while (performance.now() < deadline && (await leads(rest)) !== 0)
          await sleep(pollMs, undefined, { signal });
      } finally {
        rival?.child.kill('SIGCONT');
      }
    }
    await sleep(pollMs, undefined, { signal });
  }
  return false;
}

/** Two clients ask at once; waits for what the honest nodes make of it. */
async function contest(
  folder: string,
  config: ClusterConfig,
  clients: readonly ClusterClient[],
  signal: AbortSignal,
): Promise<Omit<RealRun, 'milliseconds'>> {
  const { protocol, n, f } = config;
  const scenario = completeScenario({
    protocol,
    n,
    f,
    attack,
    by: [0],
    count: 2,
    clients: 2,
    crypto: 'ed25519',
    seed: 'real',
  });
  const honest = range(n).filter((id) => id !== 0);
  const asked = Math.floor((performance.timeOrigin + performance.now()) * 1000);
  const over = new AbortController();
  ['Ann', 'Bob'].forEach((name, i) => {
    const operation = kv.put('winner', name);
    // An answer proves nothing here, and a cheated client may never get one: the logs are compared.
    clients[i]?.propose(operation, { signal: over.signal }).catch(() => undefined);
  });
  const logs = await decided(folder, honest, scenario, signal).finally(() => over.abort());
  const heard: HeardStatement[] = [];
  for (const id of honest) heard.push(...(await ask<HeardStatement[]>(folder, id, 'evidence')));
  const proofs = provenLies(config, heard);
  const story: StoryLine[] = [];
  for (const id of range(n)) story.push(...(await ask<StoryLine[]>(folder, id, 'story')));
  const all = await Promise.all(range(n).map((id) => ask<NodeReport>(folder, id, 'status')));
  return {
    scenario,
    verdict: verdictOf({ scenario, logs, proofs, reports: all }),
    story: story
      .map((line) => ({ ...line, at: line.at - asked }))
      .filter(({ at }) => at >= 0)
      .sort((one, two) => one.at - two.at),
    logs,
    proofs,
  };
}

/** The honest logs as soon as they differ or hold what both clients asked for, or time is over. */
async function decided(
  folder: string,
  honest: readonly number[],
  scenario: Scenario,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, readonly LoggedSlot[]>> {
  const deadline = performance.now() + limits.decideMs;
  for (;;) {
    signal.throwIfAborted();
    const logs = new Map<number, readonly LoggedSlot[]>();
    for (const id of honest) logs.set(id, await ask<LoggedSlot[]>(folder, id, 'log'));
    const { word } = verdictOf({ scenario, logs, proofs: [], reports: [] });
    if (word !== 'inconclusive' || performance.now() > deadline) return logs;
    await sleep(pollMs, undefined, { signal });
  }
}
