/** The stable state of a replica: its folder is opened and its state is read back. */
import { join } from 'node:path';
import { type ReplicaId, toHex, toUtf8 } from '@quorumlab/core';
import type { DiskOptions, Files } from '@quorumlab/disk';
import {
  type Disk,
  nodeFiles,
  openCells,
  openDisk,
  openLog,
  openSharedLog,
  openSqliteLog,
  type SharedLog,
} from '@quorumlab/disk';
import {
  type LogShape,
  type Restarted,
  readingBack,
  type Serviced,
  type ServicedProtocol,
  type ServiceOptions,
  type StateMachine,
} from '@quorumlab/log';
import { digests, sha256 } from '@quorumlab/wire';
import type { ClusterIdentity } from './cluster-identity.ts';
import { fastDigestHash } from './fast-crypto.ts';
import { inSlices } from './slices.ts';

/** Where a state lives and whose it is: see `NodeOptions`. */
export interface StableOptions {
  readonly self: ReplicaId;
  readonly cluster: ClusterIdentity;
  readonly folder: string;
  readonly stateMachine: () => StateMachine;
  readonly backEnd?: 'files' | 'sqlite';
  readonly files?: Files;
  readonly mustExist?: boolean;
}

/** Opens the log that all groups of a process share. Throws what `openLog` throws. */
export function openProcessLog(
  { self, cluster, folder, backEnd = 'files', files }: ProcessLogOptions,
  onNotRewritten: (error: unknown) => void,
): Promise<SharedLog> {
  const open = backEnd === 'sqlite' ? openSqliteLog : openLog;
  const owner = JSON.stringify([cluster, self, 'groups']);
  const more = files === undefined ? {} : { files };
  return openSharedLog({
    folder,
    open: (replay) => open(folder, { owner, replay, ...more }),
    onNotRewritten,
  });
}

/** What {@link openProcessLog} needs. */
export interface ProcessLogOptions
  extends Pick<StableOptions, 'self' | 'folder' | 'backEnd' | 'files'> {
  readonly cluster: string;
}

/** Where a group of a process has its rows and its counter: its name may not be one of a file. */
export const groupFolder = (folder: string, group: string): string =>
  join(folder, 'groups', toHex(sha256(toUtf8(group)).subarray(0, 16)));

/** What an application is made and hashed with. */
export const served = <S extends LogShape>({
  stateMachine,
}: Pick<StableOptions, 'stateMachine'>): Pick<ServiceOptions<S>, 'stateMachine' | 'digest'> => ({
  stateMachine,
  digest: digests(fastDigestHash),
});

/** An open disk, and what was read back from it: nothing, if it has never been written to. */
export interface StableState<S extends LogShape> {
  readonly disk: Disk<Serviced<S>>;
  readonly restarted: Restarted | undefined;
}

/**
 * Opens the folder, which stays locked until its disk is closed, or the part of the group in the
 * log of its process, and reads the state back for `sliceMs` milliseconds in each turn of the event
 * loop. If it throws, nothing is left open.
 */
export async function openStable<S extends LogShape>(
  group: ServicedProtocol<S>,
  options: StableOptions,
  onNoRoom: NonNullable<DiskOptions<Serviced<S>>['onNoRoom']>,
  sliceMs: number,
  shared?: SharedLog,
): Promise<StableState<S>> {
  const { cluster, self, folder, backEnd = 'files', files = nodeFiles, mustExist } = options;
  const open = backEnd === 'sqlite' ? openSqliteLog : openLog;
  const owner = JSON.stringify([cluster.cluster, cluster.group, self, group.name]);
  const more = mustExist === undefined ? {} : { mustExist };
  if (shared !== undefined) await files.prepareFolder(folder);
  const disk = await openDisk<Serviced<S>>({
    open: (replay, live) =>
      shared?.open(cluster.group, { owner, replay, live, ...more }) ??
      open(folder, { owner, replay, files, ...more }),
    cells: () => openCells(folder, files),
    stored: group.stored,
    initial: group.stable(),
    onNoRoom,
  });
  const { stable } = disk;
  if (stable === undefined) return { disk, restarted: undefined };
  try {
    return { disk, restarted: await inSlices(readingBack(stable, served(options)), sliceMs) };
  } catch (error) {
    await disk.close();
    throw error;
  }
}
