/** One node of a cluster as this process. */
import type { ReplicaId } from '@quorumlab/core';
import { keyValueStore, type LogShape } from '@quorumlab/log';
import {
  createLogger,
  type LoggingOptions,
  type NodeHooks,
  nodeLogger,
  publicKeyOf,
  readKeyFile,
  startNode,
} from '@quorumlab/node';
import { accusationRecord } from './accusations.ts';
import { aggregates } from './certificates.ts';
import {
  type ClusterConfig,
  identityOf,
  nodeIn,
  paths,
  readConfig,
  requireNode,
} from './config.ts';
import { controlPath } from './control-path.ts';
import { startControl } from './control-server.ts';
import { ClusterError, sentenceOf } from './errors.ts';
import { listenAddressOf } from './hosts.ts';
import { openLogFile } from './log-file.ts';
import { damagedDisk, isDamaged, isLost, lostDisk } from './lost-disk.ts';
import { othersOf, refusedBy } from './node-answers.ts';
import { type AnyNode, type AtWork, behaviourOf, handlersOf, reportOf } from './node-control.ts';
import { type Keeping, keeping } from './node-keeping.ts';
import { requirePlainFile } from './plain-file.ts';
import { clearPid, writePid } from './process-file.ts';
import { clusterDigest, encodeReport } from './remote-report.ts';
import { startRanged } from './start-ranges.ts';
import { readStarted, requireFewLost, restoreStarted, setAside, writeStarted } from './started.ts';
import { readTraitor, writeTraitor } from './traitor-file.ts';

/** How to run a node. */
export interface RunNodeOptions {
  /** The cluster's folder. */
  readonly folder: string;
  /** The number of the replica. */
  readonly self: ReplicaId;
  /** An attack of the harness to begin with; only where faults are allowed. */
  readonly attack?: string;
  /**
   * It has run before: if its disk is empty, that was lost, and it comes back as its protocol does.
   * A log that is damaged is set aside first. Without this, a node that has run before does not
   * start on an empty disk.
   */
  readonly rejoin?: boolean;
  /** An IP address of this machine to listen on, where others reach it by another one. */
  readonly listen?: string;
  /** How often it asks the others what they can prove, in milliseconds; 10,000 unless given. */
  readonly askingMs?: number;
  /** The least severe level in its log file; `info` unless given. */
  readonly logLevel?: LoggingOptions['level'];
}

/** A node at work in this process. */
export interface RunningClusterNode {
  /** Stops it: like a crash, but without a trace. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when it has stopped: with the reason if it did so by itself. */
  readonly ended: Promise<Error | undefined>;
}

/**
 * Runs replica `self` of the cluster in `folder` until it is stopped. Throws {@link ClusterError},
 * `KeyFileError`, `NodeConfigError`, `FolderLockedError`, `DamagedLogError` and what else the node
 * and disk packages throw; then nothing is left running, and no vote was cast.
 */
export async function runNode(options: RunNodeOptions): Promise<RunningClusterNode> {
  const { folder, self, attack } = options;
  const config = await readConfig(folder);
  const { address } = requireNode(config, self);
  if (config.left?.includes(self))
    throw new ClusterError(
      `n${self} has left the group; let it in again: quorumlab cluster member add n${self}`,
    );
  const first = attack === undefined ? undefined : behaviourOf(config, self, attack);
  const listen = listenAddressOf(address, options.listen);
  const home = paths.node(folder, self);
  for (const place of [paths.started, paths.traitor, paths.pid]) requirePlainFile(place(home));
  requirePlainFile(paths.log(home), Number.MAX_SAFE_INTEGER);
  const secretKey = await readOwnKey(config, home, self);
  const file = openLogFile(paths.log(home));
  const logger = createLogger({ level: options.logLevel ?? 'info', destination: file });
  // The node package names the node in its own lines.
  const own = nodeLogger(logger, {
    node: self,
    role: 'replica',
    cluster: config.name,
    group: config.group,
    protocol: config.protocol,
  });
  try {
    const accused = accusationRecord(config, home, (error) =>
      own.warn({ err: error }, 'The proof of a broken word could not be kept.'),
    );
    const kept = keeping(config, self, attack ?? readTraitor(home), accused);
    const digest = clusterDigest(config);
    const certificates = config.certificates === 'bls' ? await aggregates() : undefined;
    let running: AnyNode | undefined;
    /** To whoever has a key of this cluster, on whatever machine. */
    const answer = (): Uint8Array | undefined => running && told(digest, running, kept);
    const before = readStarted(home);
    const rejoin = (options.rejoin ?? false) || before === 'rejoining';
    if (rejoin) await writeStarted(home, 'rejoining');
    const start = async (): Promise<AnyNode> => {
      // Whoever told them to come back: what more than f have lost may be lost for all.
      if (rejoin) requireFewLost(folder, config, [self]);
      const place = {
        ...{ self, secretKey, folder: paths.data(home), logger, answer },
        ...(config.clockError === undefined ? {} : { clockError: config.clockError }),
        ...(listen === undefined ? {} : { listen }),
      };
      const replica = {
        protocol: kept.protocol,
        signatures: config.signatures,
        ...(certificates === undefined ? {} : { certificates }),
        allowFaults: config.allowFaults,
        // A replica that has voted and lost its votes must not vote again.
        mustExist: before !== undefined && !rejoin,
        rejoin,
        hooks: rejoin ? untilDurable(kept.hooks, home) : kept.hooks,
        ...(first === undefined ? {} : { behaviour: first }),
      };
      if (config.ranges !== undefined)
        return startRanged({ config, borders: config.ranges, place, replica });
      const alone = { cluster: identityOf(config), stateMachine: keyValueStore };
      return startNode({ ...place, ...replica, ...alone });
    };
    const node = await start()
      .catch(async (error: unknown) => {
        if (!rejoin || !isDamaged(error)) throw error;
        const aside = setAside(home);
        own.warn({ err: error, aside }, 'The damaged log was set aside.');
        return start();
      })
      .catch(async (error: unknown) => {
        // What did not start has not come back: the next start is told anew, and counted anew.
        if (rejoin) await restoreStarted(home, before);
        throw error;
      });
    running = node;
    if (before === undefined && !rejoin) await writeStarted(home, '');
    return await attend({ ...options, config, home, logger: own, node, kept, close: file.close });
  } catch (error) {
    const named = isLost(error)
      ? lostDisk(config, self, home, error)
      : isDamaged(error)
        ? damagedDisk(self, error)
        : error;
    own.fatal({ err: named }, 'The node did not start.');
    file.close();
    throw named;
  }
}

/** What a node tells others: how it is, and what it can prove against whom. */
const told = (digest: string, node: AnyNode, kept: Keeping): Uint8Array | undefined =>
  encodeReport(
    digest,
    reportOf({ node, kept }),
    refusedBy(node),
    kept.accused.passedOn(),
    node.roster(),
  );

/** How often a node asks the others what they can prove, in milliseconds. */
const askingMs = 10_000;

/** Takes over what others can prove, now and then. Returns what ends it. */
function hearOthers(options: Attending): () => void {
  const others = othersOf(options);
  const hear = async (): Promise<void> => {
    for (const each of Object.values(await others()))
      if ('report' in each) options.kept.accused.hear(each.report.lies);
  };
  const asking = setInterval(
    // Who cannot be asked now is asked again.
    () => void hear().catch(() => undefined),
    options.askingMs ?? askingMs,
  );
  asking.unref();
  return () => clearInterval(asking);
}

/** The hooks, and a note that the new disk holds something: from then on it counts again. */
function untilDurable(hooks: NodeHooks<LogShape>, home: string): NodeHooks<LogShape> {
  let noted = false;
  return {
    ...hooks,
    stepped(at, output, status) {
      if (!noted) void writeStarted(home, '').catch(() => undefined);
      noted = true;
      hooks.stepped?.(at, output, status);
    },
  };
}

/** The secret key, which must be the one that the others know. */
async function readOwnKey(config: ClusterConfig, home: string, self: number): Promise<Uint8Array> {
  const secretKey = await readKeyFile(paths.key(home));
  const publicKey = Buffer.from(publicKeyOf(secretKey)).toString('hex');
  if (publicKey !== nodeIn(config, self)?.publicKey)
    throw new ClusterError(
      `${paths.key(home)} is not the key of n${self} in cluster.json; restore the right file.`,
    );
  return secretKey;
}

interface Attending extends RunNodeOptions, AtWork {
  readonly close: () => void;
}

/** Opens the control channel and waits for the end. */
async function attend(options: Attending): Promise<RunningClusterNode> {
  const { home, node, kept, logger, close, attack } = options;
  kept.state.lying = attack !== undefined;
  const ended = Promise.withResolvers<Error | undefined>();
  let stopping: Promise<void> | undefined;
  const stop = (reason?: Error): Promise<void> => (stopping ??= end(reason));
  const open = async () => {
    // Whoever is answered may look for the process at once.
    if (attack !== undefined) writeTraitor(home, attack);
    await writePid(home);
    return startControl(
      controlPath(home),
      handlersOf(options, () => void stop()),
    );
  };
  const control = await open().catch(async (error: unknown) => {
    await node.stop();
    await clearPid(home);
    throw error;
  });
  const deafen = hearOthers(options);
  async function end(reason: Error | undefined): Promise<void> {
    deafen();
    await control.stop();
    let failure = reason;
    await node.stop().catch((error: unknown) => (failure ??= asError(error)));
    await clearPid(home);
    logger.info(
      { uptimeMs: Math.round(process.uptime() * 1000), ...(failure ? { err: failure } : {}) },
      'The process ends.',
    );
    close();
    ended.resolve(failure);
  }
  void node.failed.then(stop);
  void node.left.then(() => {
    logger.info('The group has let this node go, and it ends.');
    return stop();
  });
  logger.info({ control: controlPath(home) }, 'The node can be asked.');
  return { stop: () => stop(), ended: ended.promise };
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(sentenceOf(error));
