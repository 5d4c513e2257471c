/**
 * A group of Flexible Paxos machines in which a test decides what is delivered and who crashes. It
 * honours the journal rule: what a step writes is on the disk before what it says is sent.
 */
import { type Event, type Protocol, type Replica, type ReplicaId, seal } from '@quorumlab/core';
import { bare, command, ScriptedHost, textOf, unsigned } from '@quorumlab/protocol-testing';
import type { FlexiblePaxos } from '../src/index.ts';

type Message = FlexiblePaxos['Message'];

export interface Packet {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly message: Message;
}

export type Filter = (packet: Packet) => boolean;

class Node extends ScriptedHost<FlexiblePaxos> {
  /** What each slot was decided to be, as text; '-' is a no-op, '*' a change of the group. */
  readonly decided: Map<number, string> = new Map();
  /** Why a change of the group was refused. */
  readonly refusals: string[] = [];
}

export class Group {
  readonly nodes: readonly Node[];
  packets: Packet[] = [];
  now = 0;
  readonly #protocol: Protocol<FlexiblePaxos>;

  constructor(protocol: Protocol<FlexiblePaxos>) {
    this.#protocol = protocol;
    this.nodes = protocol.members.map((id) => new Node(id, bare(protocol, id), this));
    for (const id of protocol.members) this.restart(id);
  }

  node(id: ReplicaId): Node {
    const node = this.nodes[id];
    if (node === undefined) throw new Error(`there is no replica ${id}`);
    return node;
  }

  step(id: ReplicaId, event: Event<FlexiblePaxos>): void {
    const node = this.node(id);
    if (!node.up) return;
    const output = node.run(event);
    for (const { slot, commands, configured } of output.decisions) {
      node.decided.set(slot, textOf(commands));
      if (configured?.refusal !== undefined) node.refusals.push(configured.refusal);
    }
    for (const { to, message } of [...output.early, ...output.sends])
      for (const each of to === 'all' ? this.#protocol.members : [to])
        this.packets.push({ from: id, to: each, message });
  }

  propose(id: ReplicaId, text: string): void {
    this.step(id, { type: 'propose', command: command(text) });
  }

  /** A client asks for a change of the group. */
  change(id: ReplicaId, configuration: Uint8Array): void {
    this.step(id, { type: 'propose', command: { ...command(''), operations: [], configuration } });
  }

  timeout(id: ReplicaId, timer: FlexiblePaxos['Timer']): void {
    const node = this.node(id);
    const due = node.due(timer) ?? 0;
    const event = node.fired(timer);
    this.now = Math.max(this.now, due);
    this.step(id, event);
  }

  /** Delivers everything that passes, and what that causes; the rest is lost. */
  settle(filter: Filter = () => true): void {
    for (let count = 0; this.packets.length > 0; count++) {
      if (count > 100_000) throw new Error('the group does not come to rest');
      const packet = this.packets.shift() as Packet;
      if (!filter(packet)) continue;
      const message = seal<Message>(packet.message, packet.from, unsigned);
      this.step(packet.to, { type: 'message', message });
    }
  }

  /**
   * `id` tries to lead with the help of those that `filter` connects it to; again if its first
   * ballots are below what they have promised.
   */
  elect(id: ReplicaId, filter?: Filter): boolean {
    const leads = (): boolean => this.node(id).machine.status().role === 'leader';
    for (let i = 0; i < 3 && !leads(); i++) {
      this.timeout(id, 'election');
      this.settle(filter);
    }
    return leads();
  }

  crash(id: ReplicaId): void {
    this.node(id).crash();
    this.node(id).decided.clear();
    this.packets = this.packets.filter((packet) => packet.to !== id);
  }

  restart(id: ReplicaId, protocol = this.#protocol): void {
    this.crash(id);
    this.node(id).boot('kept', bare(protocol, id));
    this.step(id, { type: 'start' });
  }

  view(id: ReplicaId): Replica<FlexiblePaxos> {
    return this.node(id).view();
  }

  /** What `id` has decided, slot after slot. */
  log(id: ReplicaId): string {
    return [...this.node(id).decided.values()].join(' ');
  }

  /** Whether two replicas have decided one slot in different ways. */
  get forked(): boolean {
    const slots = new Map<number, Set<string>>();
    for (const { decided } of this.nodes)
      for (const [slot, text] of decided)
        slots.set(slot, (slots.get(slot) ?? new Set<string>()).add(text));
    return [...slots.values()].some(({ size }) => size > 1);
  }
}
