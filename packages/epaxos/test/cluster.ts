/** The group of the tests of this package. */
import type { Protocol, ReplicaId } from '@quorumlab/core';
import {
  CrashGroup,
  type GroupOptions,
  type Packet as PacketOf,
  textOf,
} from '@quorumlab/protocol-testing';
import type { Epaxos, EpaxosOptions, EpaxosStable, InstanceId } from '../src/index.ts';
import { type Mutant, mutants } from '../src/mutants.ts';

/** The flawed variant `name`. */
export const mutant = (name: Mutant, options: EpaxosOptions): Protocol<Epaxos> =>
  mutants[name](options);

/** A message on its way. */
export type Packet = PacketOf<Epaxos>;

/** What is known of an instance in a view of a replica. */
export function fateIn(
  { instances, values }: Pick<EpaxosStable, 'instances' | 'values'>,
  instance: InstanceId,
): string {
  const row = instances.get(instance);
  if (row === undefined) return 'nothing';
  const value = values.get(instance);
  const text = row.isNoOp || value === undefined ? '-' : textOf(value.commands);
  const after = row.dependencies.map(({ from, count }) => `${from}x${count}`).join('+');
  return `${row.phase} ${text} after [${after}]`;
}

/** A group of EPaxos machines. Any two commands interfere, so all execute in one order. */
export class Cluster extends CrashGroup<Epaxos> {
  /** What a replica knows of an instance: its phase, its command and its dependencies. */
  knows(id: ReplicaId, instance: InstanceId): string {
    return fateIn(this.view(id), instance);
  }

  /** `id` asks in vain what became of its instances, and recovers what nobody knows. */
  recover(id: ReplicaId): void {
    for (let i = 0; i < 2; i++) {
      this.now += 2_000_000;
      this.step(id, { type: 'timeout', timer: 'tick' });
    }
  }
}

/** A group that runs `protocol`. */
export const cluster = (protocol: Protocol<Epaxos>, options?: GroupOptions<Epaxos>): Cluster =>
  new Cluster(protocol, 'tick', options);
