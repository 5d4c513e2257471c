/** Why a node does not start on a disk that is lost or damaged, and how it comes back. */
import { protocolOf } from '@quorumlab/harness';
import { type ClusterConfig, paths } from './config.ts';
import { LostDiskError } from './errors.ts';

/** Whether the disk package found no log where one had to be. */
export const isLost = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'MissingLogError';

/** Errors of a disk on which something lies that was not written so. */
const damages = ['DamagedLogError', 'DiskRecordError', 'SnapshotDamagedError'];

export const isDamaged = (error: unknown): error is Error =>
  error instanceof Error && damages.includes(error.name);

/** Why a node does not start on what is damaged, and how it comes back. */
export const damagedDisk = (self: number, cause: Error): LostDiskError =>
  new LostDiskError(
    `${cause.message} To do so, and set aside what is damaged: ` +
      `quorumlab cluster up --rejoin ${self}`,
    { cause },
  );

/** Why a node that has run before must not start with an empty disk, and how it may. */
export const lostDisk = (
  { protocol }: ClusterConfig,
  self: number,
  home: string,
  cause: Error,
): LostDiskError =>
  new LostDiskError(
    `n${self} has run before, and its disk ${paths.data(home)} is empty. ` +
      (protocolOf(protocol).claims.faults === 'crash'
        ? 'As a new node it would vote a second time and lack what it has acknowledged: two ' +
          'leaders, or a lost write. '
        : 'As a new node it would contradict what it has signed: a fault like that of a liar. ') +
      'A copy helps only if it holds all up to the last moment; an older one is as bad. If the ' +
      `disk is lost for good: quorumlab cluster up --rejoin ${self}`,
    { cause },
  );
