/** The group of the tests of this package. */
import type { Protocol, ReplicaId } from '@quorumlab/core';
import {
  CrashGroup,
  type GroupOptions,
  type Packet as PacketOf,
  textOf,
} from '@quorumlab/protocol-testing';
import type { Raft, RaftOptions } from '../src/index.ts';
import { type Mutant, mutants } from '../src/mutants.ts';

/** The flawed variant `name`. */
export const mutant = (name: Mutant, options: RaftOptions): Protocol<Raft> =>
  mutants[name](options);

/** A message on its way. */
export type Packet = PacketOf<Raft>;

/** A group of Raft machines. */
export class Cluster extends CrashGroup<Raft> {
  /** The entries of a replica's log, each as its term and its text. */
  logOf(id: ReplicaId): string[] {
    return [...this.view(id).log]
      .sort(([first], [second]) => first - second)
      .map(([, { term, command }]) => `${term}${textOf(command === null ? [] : [command])}`);
  }
}

/** A group that runs `protocol`. */
export const cluster = (protocol: Protocol<Raft>, options?: GroupOptions<Raft>): Cluster =>
  new Cluster(protocol, 'election', options);
