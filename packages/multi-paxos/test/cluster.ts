/** The group of the tests of this package. */
import type { Protocol, ReplicaId, Request, Signed } from '@quorumlab/core';
import {
  CrashGroup,
  command,
  type GroupOptions,
  type Packet as PacketOf,
  textOf,
} from '@quorumlab/protocol-testing';
import { encodeChange, type MultiPaxos, type MultiPaxosOptions } from '../src/index.ts';
import { type Mutant, mutants } from '../src/mutants.ts';

/** The flawed variant `name`. */
export const mutant = (name: Mutant, options: MultiPaxosOptions): Protocol<MultiPaxos> =>
  mutants[name](options);

/** A request to change the group. */
export const changeOf = (members: readonly ReplicaId[], quorums = ''): Signed<Request> => ({
  ...command(''),
  operations: [],
  configuration: encodeChange(members, quorums),
});

/** A message on its way. */
export type Packet = PacketOf<MultiPaxos>;

/** A group of Multi-Paxos machines. */
export class Cluster extends CrashGroup<MultiPaxos> {
  /** Asks `id` for a change of the group. */
  change(id: ReplicaId, members: readonly ReplicaId[], quorums?: string): void {
    this.request(id, changeOf(members, quorums));
  }

  /** The votes of a replica, each as ballot:value, by slot. */
  votesOf(id: ReplicaId): Record<number, string> {
    const votes = [...this.view(id).accepted].sort(([first], [second]) => first - second);
    return Object.fromEntries(
      votes.map(([slot, { ballot, value }]) => [slot, `${ballot}:${textOf(value)}`]),
    );
  }
}

/** A group that runs `protocol`. */
export const cluster = (
  protocol: Protocol<MultiPaxos>,
  options?: GroupOptions<MultiPaxos>,
): Cluster => new Cluster(protocol, 'election', options);
