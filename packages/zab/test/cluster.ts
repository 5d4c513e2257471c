/** The group of the tests of this package. */
import type { Protocol, ReplicaId } from '@quorumlab/core';
import {
  among,
  CrashGroup,
  type GroupOptions,
  type Packet as PacketOf,
  textOf,
} from '@quorumlab/protocol-testing';
import { type Zab, type ZabMessage, type ZabOptions, zab } from '../src/index.ts';
import { type Mutant, mutants } from '../src/mutants.ts';

/** The flawed variant `name`. */
export const mutant = (name: Mutant, options: ZabOptions): Protocol<Zab> => mutants[name](options);

/** Zab in which, as in ZooKeeper, the higher of two ids is preferred. */
export const zooKeeper = (options: ZabOptions): Protocol<Zab> =>
  zab(options, { isPreferred: (one, other) => one > other });

/** A message on its way. */
export type Packet = PacketOf<Zab>;

/** Messages of these kinds only. */
export const of =
  (...kinds: readonly ZabMessage['kind'][]) =>
  ({ message }: Packet): boolean =>
    kinds.includes(message.kind);

/** A group of Zab machines. */
export class Cluster extends CrashGroup<Zab> {
  /** The history of a replica, each transaction as its epoch and its text. */
  historyOf(id: ReplicaId): string[] {
    return [...this.view(id).history]
      .sort(([first], [second]) => first - second)
      .map(([, { epoch, command }]) => `${epoch}${textOf(command === null ? [] : [command])}`);
  }

  /** These members say to each other whom they nominate; then the moment of grace is over. */
  nominate(members: readonly ReplicaId[]): void {
    const inside = among(...members);
    for (const id of members) this.timeout(id, 'election');
    const isHeard = (packet: Packet): boolean => inside(packet) && of('notification')(packet);
    for (;;) {
      const heard = this.packets.find(isHeard);
      if (heard === undefined) break;
      this.deliver(heard);
    }
    for (const timer of ['grace', 'join'] as const)
      for (const id of members) if (this.nodes[id]?.timers.has(timer)) this.fire(id, timer);
  }

  /** `members` start again, out of sight of all others, and elect the best of them. */
  convene(members: readonly ReplicaId[], which: (packet: Packet) => boolean = () => true): void {
    const inside = among(...members);
    for (const id of members) {
      this.crash(id);
      this.restart(id);
    }
    this.nominate(members);
    this.settle((packet) => inside(packet) && which(packet));
  }

  /** The leader `id` says that it lives, and what is committed. */
  beat(id: ReplicaId, which?: (packet: Packet) => boolean): void {
    this.fire(id, 'ping');
    this.settle(which);
  }
}

/** A group that runs `protocol`. */
export const cluster = (protocol: Protocol<Zab>, options?: GroupOptions<Zab>): Cluster =>
  new Cluster(protocol, 'election', options);
