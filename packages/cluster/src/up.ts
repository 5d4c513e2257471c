import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  allNodes,
  type ClusterConfig,
  paths,
  presentNodes,
  readConfig,
  requireNode,
} from './config.ts';
import { tryAskNode } from './control-client.ts';
import { controlPath } from './control-path.ts';
import { ClusterError, ClusterNodeError, lostDiskExit } from './errors.ts';
import { isAlive, isNode, mayBeNode, readPid } from './process-file.ts';
import type { NodeReport } from './reports.ts';
import { type SpawnedNode, spawnNode } from './spawn.ts';
import { requireFewLost } from './started.ts';

/** How to start a cluster. */
export interface UpOptions {
  /** Called whenever one more node is up. */
  readonly progress?: (up: readonly NodeReport[], of: number) => void;
  /** Longest wait for all nodes, in milliseconds. 60,000 unless told. */
  readonly limitMs?: number;
  /** Attacks that nodes begin with, by their number; only where faults are allowed. */
  readonly attacks?: ReadonlyMap<number, string>;
  /**
   * Nodes whose disk was lost or damaged: they come back with an empty one. With those that are on
   * their way back already, at most f at a time.
   */
  readonly rejoin?: readonly number[];
  readonly signal?: AbortSignal;
}

/** What {@link upCluster} did. */
export interface UpResult {
  readonly config: ClusterConfig;
  /** All nodes, by number; those that had been running too. */
  readonly nodes: readonly NodeReport[];
  /** The ones that were started. */
  readonly started: readonly number[];
  /** The ones that do not start because what they had written is lost or damaged, and why. */
  readonly refused: readonly { readonly node: number; readonly why: string }[];
  readonly milliseconds: number;
}

/**
 * Starts every node that is not running, each as a process of its own that outlives this one, and
 * waits until all answer. A node that lost its disk does not start unless it is told to rejoin, and
 * keeps nobody else from starting. Throws {@link ClusterError} if all are running or none starts,
 * and what a node said if it did not start for any other reason; the others are stopped then.
 */
export async function upCluster(folder: string, options: UpOptions = {}): Promise<UpResult> {
  const { limitMs = 60_000, progress, attacks, rejoin = [], signal } = options;
  const start = performance.now();
  const config = await readConfig(folder);
  requireRejoining(folder, config, rejoin);
  const before = await reports(folder, config);
  const wanted = presentNodes(config);
  const missing = wanted.filter((id) => !before.has(id));
  if (missing.length === 0) {
    const who = [...before.values()]
      .map(({ self, pid }) => `n${self} is process ${pid}`)
      .join(', ');
    throw new ClusterError(`All nodes are up already (${who}); stop them: quorumlab cluster down`);
  }
  signal?.throwIfAborted();
  const spawned = missing.map((self) => {
    const attack = attacks?.get(self);
    const lie = attack === undefined ? {} : { attack };
    return spawnNode({ folder, self, rejoin: rejoin.includes(self), ...lie });
  });
  const up: NodeReport[] = [...before.values()];
  const refused: { readonly node: number; readonly why: string }[] = [];
  // For ways to end that await nothing, such as process.exit: a node is its own process.
  const lastResort = (): void => {
    for (const { child } of spawned) child.kill('SIGKILL');
  };
  process.once('exit', lastResort);
  try {
    await Promise.all(
      spawned.map(async (each) => {
        try {
          up.push(await each.ready(limitMs, signal));
        } catch (error) {
          if (!isLostDisk(error)) throw error;
          refused.push({ node: each.self, why: error.words.replace(/^\w+: /, '') });
          return;
        }
        progress?.(up, wanted.length);
      }),
    );
    if (refused.length > 0 && refused.length === spawned.length)
      throw new ClusterError(
        refused.map(({ node, why }) => `n${node} did not start: ${why}`).join('\n'),
      );
  } catch (error) {
    await Promise.all(spawned.map((each) => endSpawned(each)));
    throw error;
  } finally {
    process.off('exit', lastResort);
  }
  return {
    config,
    nodes: up.sort((one, two) => one.self - two.self),
    started: missing.filter((id) => !refused.some(({ node }) => node === id)),
    refused: refused.sort((one, two) => one.node - two.node),
    milliseconds: performance.now() - start,
  };
}

const isLostDisk = (error: unknown): error is ClusterNodeError =>
  error instanceof ClusterNodeError && error.exitCode === lostDiskExit;

/** More lost disks than faults that it survives: what was promised and written may be gone. */
function requireRejoining(folder: string, config: ClusterConfig, rejoin: readonly number[]): void {
  for (const id of rejoin) requireNode(config, id);
  // Who has not come back yet counts as well, whoever told it to, and comes back with every start.
  requireFewLost(folder, config, rejoin);
}

/** What every node says of itself, by its number; of those that answer. */
export async function reports(
  folder: string,
  config: ClusterConfig,
): Promise<ReadonlyMap<number, NodeReport>> {
  const found = await Promise.all(
    allNodes(config).map(
      async ({ id }) =>
        [id, await tryAskNode<NodeReport>(paths.node(folder, id), 'status')] as const,
    ),
  );
  return new Map(found.flatMap(([id, report]) => (report === undefined ? [] : [[id, report]])));
}

/** Stops a process that this one has started; the signal cannot hit another one. */
export async function endSpawned({ child }: SpawnedNode, graceMs = 2000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exit;
  clearTimeout(timer);
}

/** What became of one node. */
export interface DownRow {
  readonly node: number;
  readonly pid: number | undefined;
  /** How it ended: by itself when asked, by force, or it was not there. */
  readonly how: 'stopped' | 'killed' | 'was not running';
}

/** How to stop a cluster. */
export interface DownOptions {
  /** How long a node may take to stop before it is killed, in milliseconds. 5,000 unless told. */
  readonly graceMs?: number;
  /** Stop only these. All unless told. */
  readonly nodes?: readonly number[];
}

/**
 * Stops the nodes: SIGTERM, and SIGKILL for one that does not end in time. A process gets a signal
 * only while it is shown to be that node of this folder; one that answers for it from elsewhere (a
 * container has process numbers of its own) is asked to stop. Removes their sockets and process
 * numbers; logs and keys stay. Throws {@link ClusterError} if a process stays.
 */
export async function downCluster(
  folder: string,
  { graceMs = 5000, nodes }: DownOptions = {},
): Promise<readonly DownRow[]> {
  const config = await readConfig(folder);
  return Promise.all(
    (nodes ?? allNodes(config).map(({ id }) => id)).map((id) => downNode(folder, id, graceMs)),
  );
}

async function downNode(folder: string, node: number, graceMs: number): Promise<DownRow> {
  const home = paths.node(folder, node);
  const report = await tryAskNode<NodeReport>(home, 'status');
  const noted = report?.pid ?? (await readPid(home));
  const isThere = (pid: number): boolean => isNode(pid, home, node);
  const pid = noted !== undefined && isThere(noted) ? noted : undefined;
  let how: DownRow['how'] = 'was not running';
  if (pid !== undefined) {
    send(pid, 'SIGTERM');
    const isGone = (): Promise<boolean> => gone(() => mayBeNode(pid, home, node), graceMs);
    how = (await isGone()) ? 'stopped' : 'killed';
    if (how === 'killed') {
      // Numbers are used again: still this node, or nobody gets the signal.
      if (isThere(pid)) send(pid, 'SIGKILL');
      if (!(await isGone()))
        throw new ClusterError(`n${node}, process ${pid}, cannot be ended; look at it with ps.`);
    }
  } else if (report !== undefined) {
    await tryAskNode(home, 'stop');
    const isSilent = async () => (await tryAskNode(home, 'status')) === undefined;
    if (!(await gone(async () => !(await isSilent()), graceMs)))
      throw new ClusterError(
        `n${node} answers and does not stop, and none of the processes here is it; stop it where ` +
          'it runs.',
      );
    return { node, pid: report.pid, how: 'stopped' };
  }
  await rm(controlPath(home), { force: true });
  await rm(paths.pid(home), { force: true });
  return { node, pid, how };
}

function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (isAlive(pid)) throw error;
  }
}

async function gone(isThere: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (await isThere()) {
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}
