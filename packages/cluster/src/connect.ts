import { closeSync, openSync, writeSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connectClient, createLogger, type RunningClient, readKeyFile } from '@quorumlab/node';
import { identityOf, paths, protocolIn, readConfig } from './config.ts';
import { ClusterError, codeOf } from './errors.ts';
import { openLogFile } from './log-file.ts';
import { isAlive } from './process-file.ts';

/** A client of a running cluster in this process; operations and results are bytes. */
export type ClusterClient = RunningClient<Uint8Array, Uint8Array, Uint8Array>;

/** How to connect. */
export interface ConnectOptions {
  /** Which of the cluster's clients to be, from 0. The first that nobody is unless told. */
  readonly client?: number;
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
  { client, outstanding }: ConnectOptions = {},
): Promise<ClusterClient> {
  const config = await readConfig(folder);
  const wanted = client === undefined ? config.clients : [config.clients[client]];
  const { id, release } = await take(
    folder,
    wanted.flatMap((each) => each?.id ?? []),
  );
  const home = paths.client(folder, id);
  const file = openLogFile(paths.log(home));
  try {
    const running = await connectClient({
      cluster: identityOf(config),
      protocol: protocolIn(config),
      self: id,
      secretKey: await readKeyFile(paths.key(home)),
      logger: createLogger({ level: 'info', destination: file }),
      signatures: config.signatures,
      ...(outstanding === undefined ? {} : { maxOutstanding: outstanding }),
    });
    // What is sent to a replica that is not connected yet waits for its time-out: a moment's
    // patience saves that, and a replica that is down costs no more than it.
    await running.ready(config.n, AbortSignal.timeout(connectMs)).catch(() => undefined);
    let stopping: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      await running.stop();
      file.close();
      await release();
    };
    return { ...running, stop: () => (stopping ??= stop()) };
  } catch (error) {
    file.close();
    await release();
    throw error;
  }
}

/** Two processes under one client's name would use each other's sequences: each takes its own. */
async function take(
  folder: string,
  ids: readonly number[],
): Promise<{ readonly id: number; readonly release: () => Promise<void> }> {
  for (const id of ids) {
    const lock = join(paths.client(folder, id), 'in-use');
    if (await locked(lock)) return { id, release: () => rm(lock, { force: true }) };
  }
  throw new ClusterError(
    ids.length === 0
      ? 'The cluster has no such client; it was made with fewer (--clients).'
      : 'All clients of the cluster are in use by other processes; make one with more (--clients).',
  );
}

async function locked(lock: string): Promise<boolean> {
  const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
  // Left by a process that has died; between two that see this, only one can make the file anew.
  if (holder > 1 && !isAlive(holder)) await rm(lock, { force: true });
  try {
    const file = openSync(lock, 'wx', 0o600);
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}
