import { setTimeout as sleep } from 'node:timers/promises';
import { FolderLockedError, lockFolder } from '@quorumlab/disk';
import { isWeak, readsAt } from '@quorumlab/harness';
import type { ClientOptions } from '@quorumlab/log';
import {
  type ClusterIdentity,
  connectClient,
  createLogger,
  type RunningClient,
  readKeyFile,
} from '@quorumlab/node';
import {
  type ClusterConfig,
  identityOf,
  paths,
  presentNodes,
  protocolIn,
  readConfig,
} from './config.ts';
import { ClusterError } from './errors.ts';
import { followGroup } from './follow-group.ts';
import { openLogFile } from './log-file.ts';

/** A client of a running cluster in this process; operations and results are bytes. */
export type ClusterClient = RunningClient<Uint8Array, Uint8Array, Uint8Array>;

/** How to connect. */
export interface ConnectOptions {
  /** Which of the cluster's clients to be, from 0. The first that nobody is unless told. */
  readonly client?: number;
  /** Longest wait for a client that nobody is, in milliseconds. None unless told. */
  readonly waitMs?: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
  /** This client has never been connected: it need not ask which session it may open. */
  readonly isNew?: boolean;
  /** Most operations under way; more wait for their turn. 1,024 unless told. */
  readonly outstanding?: number;
}

/** Longest wait for all replicas before the first operation may be sent, in milliseconds. */
const connectMs = 500;

/**
 * Connects to the cluster in `folder` as one of its clients. Throws {@link ClusterError} if other
 * processes are using all of them.
 */
export async function connectCluster(
  folder: string,
  options: ConnectOptions = {},
): Promise<ClusterClient> {
  const { client, outstanding, isNew = false } = options;
  const config = await readConfig(folder);
  const wanted = client === undefined ? config.clients : [config.clients[client]];
  const ids = wanted.flatMap((each) => each?.id ?? []);
  if (ids.length === 0)
    throw new ClusterError(
      `The cluster has the clients 0 to ${config.clients.length - 1}, and ${client} is none of ` +
        'them; make one with more (--clients).',
    );
  const { id, release } = await takeClient(folder, ids, options);
  const home = paths.client(folder, id);
  const file = openLogFile(paths.log(home));
  try {
    const running = await connectClient({
      cluster: present(config),
      protocol: protocolIn(config),
      self: id,
      secretKey: await readKeyFile(paths.key(home)),
      logger: createLogger({ level: 'info', destination: file }),
      signatures: config.signatures,
      client: { ...(isNew ? { session: 0 } : {}), ...nearReads(config) },
      ...(outstanding === undefined ? {} : { maxOutstanding: outstanding }),
    });
    // What is sent to a replica that is not connected yet waits for its time-out: a moment's
    // patience saves that, and a replica that is down costs no more than it.
    await running
      .ready(presentNodes(config).length, AbortSignal.timeout(connectMs))
      .catch(() => undefined);
    let stopping: Promise<void> | undefined;
    const follows = config.seats === undefined ? () => undefined : followGroup(running, config);
    const stop = async (): Promise<void> => {
      follows();
      await running.stop();
      file.close();
      release();
    };
    return { ...running, stop: () => (stopping ??= stop()) };
  } catch (error) {
    file.close();
    release();
    throw error;
  }
}

/** Whom a client asks whose reads take what one replica has. */
const nearReads = ({ reads = 'quorum' }: ClusterConfig): ClientOptions =>
  isWeak(reads) ? { localReadsAt: readsAt[reads] } : {};

/** The group without those that have left: nobody of it would answer. */
function present(config: ClusterConfig): ClusterIdentity {
  const identity = identityOf(config);
  const ids = presentNodes(config);
  return { ...identity, members: identity.members.filter(({ id }) => ids.includes(id)) };
}

/** How often a client that is in use is looked at again, in milliseconds. */
const lookMs = 50;

/** A client that is this process's alone until it is released. */
export interface Taken {
  readonly id: number;
  readonly release: () => void;
}

/**
 * One of the clients for this process alone: a replica has one connection for each, so two
 * processes would take it from each other. The system holds the lock, and lets it go with the
 * process: nobody judges whether a lock is stale.
 */
export async function takeClient(
  folder: string,
  ids: readonly number[],
  { waitMs = 0, signal }: ConnectOptions = {},
): Promise<Taken> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const holders = new Set<string>();
    for (const id of ids) {
      const release = await locked(paths.client(folder, id), holders);
      if (release !== undefined) return { id, release };
    }
    signal?.throwIfAborted();
    if (performance.now() >= deadline) throw allInUse(ids, [...holders]);
    await sleep(lookMs, undefined, signal && { signal });
  }
}

/** How to let go of the folder; nothing if another process has it. */
async function locked(home: string, holders: Set<string>): Promise<(() => void) | undefined> {
  try {
    return await lockFolder(home);
  } catch (error) {
    if (!(error instanceof FolderLockedError)) throw error;
    holders.add(error.pid === undefined ? 'another process' : `process ${error.pid}`);
    return undefined;
  }
}

function allInUse(ids: readonly number[], holders: readonly string[]): ClusterError {
  const [first = 'another process', ...more] = holders;
  const whose = more.length === 0 ? first : `${first} and ${more.length} more`;
  const which = ids.length === 1 ? 'The client is' : `All ${ids.length} clients are`;
  return new ClusterError(
    `${which} in use by ${whose}; wait until one ends, or make a cluster with more (--clients).`,
  );
}
