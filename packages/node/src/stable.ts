/** The stable state of a replica: its folder is opened and its state is read back. */
import type { ReplicaId } from '@quorumlab/core';
import type { DiskOptions, Files } from '@quorumlab/disk';
import { type Disk, nodeFiles, openCells, openDisk, openLog, openSqliteLog } from '@quorumlab/disk';
import {
  type LogShape,
  type Restarted,
  readingBack,
  type Serviced,
  type ServicedProtocol,
  type ServiceOptions,
  type StateMachine,
} from '@quorumlab/log';
import { digests } from '@quorumlab/wire';
import type { ClusterIdentity } from './cluster-identity.ts';
import { fastCrypto } from './fast-crypto.ts';
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

/** What an application is made and hashed with. */
export const served = <S extends LogShape>({
  stateMachine,
}: Pick<StableOptions, 'stateMachine'>): Pick<ServiceOptions<S>, 'stateMachine' | 'digest'> => ({
  stateMachine,
  digest: digests(fastCrypto.hash),
});

/** An open disk, and what was read back from it: nothing, if it has never been written to. */
export interface StableState<S extends LogShape> {
  readonly disk: Disk<Serviced<S>>;
  readonly restarted: Restarted | undefined;
}

/**
 * Opens the folder, which stays locked until its disk is closed, and reads the state back for
 * `sliceMs` milliseconds in each turn of the event loop. If it throws, nothing is left open.
 */
export async function openStable<S extends LogShape>(
  group: ServicedProtocol<S>,
  options: StableOptions,
  onNoRoom: NonNullable<DiskOptions<Serviced<S>>['onNoRoom']>,
  sliceMs: number,
): Promise<StableState<S>> {
  const { cluster, self, folder, backEnd = 'files', files, mustExist } = options;
  const open = backEnd === 'sqlite' ? openSqliteLog : openLog;
  const owner = JSON.stringify([cluster.cluster, cluster.group, self, group.name]);
  const more = {
    ...(files === undefined ? {} : { files }),
    ...(mustExist === undefined ? {} : { mustExist }),
  };
  const disk = await openDisk<Serviced<S>>({
    open: (replay) => open(folder, { owner, replay, ...more }),
    cells: () => openCells(folder, files ?? nodeFiles),
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
