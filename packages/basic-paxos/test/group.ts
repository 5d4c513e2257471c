/**
 * A group of Basic Paxos machines in which a test decides what is delivered and who crashes. It
 * honours the journal rule: what a step writes is on the disk before what it says is sent.
 */
import {
  type Event,
  type Protocol,
  type Random,
  type Replica,
  type ReplicaId,
  type Request,
  type Signed,
  seal,
} from '@quorumlab/core';
import { bare, command, ScriptedHost, textOf, unsigned } from '@quorumlab/protocol-testing';
import type { BasicPaxos, BasicPaxosMessage } from '../src/index.ts';

/** A client's request whose one operation is `text`; the same text is the same request. */
export function value(text: string): Signed<Request> {
  const made = values.get(text) ?? command(text);
  values.set(text, made);
  return made;
}
const values = new Map<string, Signed<Request>>();

/** A small seeded generator (xorshift), so that a run is replayed by its seed. */
export function random(seed: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) | 1) >>> 0;
  return {
    below(limit) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state % limit;
    },
  };
}

export interface Packet {
  readonly from: number;
  readonly to: ReplicaId;
  readonly message: BasicPaxosMessage;
}

export type Filter = (packet: Packet) => boolean;

/** Packets of these kinds between these replicas only. */
export const link =
  (seats: readonly number[], ...kinds: readonly BasicPaxosMessage['kind'][]): Filter =>
  ({ from, to, message }) =>
    seats.includes(from) &&
    seats.includes(to) &&
    (kinds.length === 0 || kinds.includes(message.kind));

/** Packets of one kind to these replicas only, whoever sends them. */
export const to =
  (kind: BasicPaxosMessage['kind'], ...seats: readonly number[]): Filter =>
  (packet) =>
    packet.message.kind === kind && seats.includes(packet.to);

class Node extends ScriptedHost<BasicPaxos> {
  readonly reads: { id: number; upTo: number }[] = [];
  decided: string | undefined;
}

export class Group {
  readonly nodes: readonly Node[];
  packets: Packet[] = [];
  readonly lines: Set<string> = new Set();
  now = 0;
  /** How often a replica has been started again: no two lives have one number. */
  lives = 0;
  readonly #protocol: Protocol<BasicPaxos>;
  readonly #silent = new Set<ReplicaId>();

  constructor(protocol: Protocol<BasicPaxos>) {
    this.#protocol = protocol;
    this.nodes = protocol.members.map((id) => new Node(id, bare(protocol, id), this));
    for (const id of protocol.members) this.restart(id);
  }

  node(id: ReplicaId): Node {
    const node = this.nodes[id];
    if (node === undefined) throw new Error(`there is no replica ${id}`);
    return node;
  }

  /** From now on `id` is a liar: its machine stands still and the test speaks for it. */
  betray(id: ReplicaId): void {
    this.#silent.add(id);
  }

  step(id: ReplicaId, event: Event<BasicPaxos>): void {
    const node = this.node(id);
    if (!node.up || this.#silent.has(id)) return;
    const output = node.run(event);
    for (const line of output.lines) this.lines.add(line);
    node.reads.push(...output.reads);
    for (const { commands } of output.decisions) node.decided = textOf(commands);
    for (const { to: whom, message } of [...output.early, ...output.sends])
      for (const each of whom === 'all' ? this.#protocol.members : [whom])
        this.packets.push({ from: id, to: each, message });
  }

  propose(id: ReplicaId, text: string): void {
    this.step(id, { type: 'propose', command: value(text) });
  }

  timeout(id: ReplicaId, timer: 'retry' | 'ask'): void {
    this.step(id, this.node(id).fired(timer));
  }

  inject(from: number, whom: ReplicaId, message: BasicPaxosMessage): void {
    this.step(whom, {
      type: 'message',
      message: seal<BasicPaxosMessage>(message, from, unsigned),
    });
  }

  /** Delivers what is in flight now and passes; what that causes stays in flight. */
  deliver(filter: Filter = () => true): void {
    const now = this.packets.filter(filter);
    this.packets = this.packets.filter((packet) => !now.includes(packet));
    for (const { from, to: whom, message } of now) this.inject(from, whom, message);
  }

  /** Delivers everything that passes, and what that causes, until nothing that passes is left. */
  settle(filter: Filter = () => true): void {
    for (let round = 0; round < 100 && this.packets.some(filter); round++) this.deliver(filter);
  }

  /** Loses everything in flight. */
  lose(): void {
    this.packets = [];
  }

  /** `id` proposes `text` and phase 1 ends among `seats`; phase 2 is in flight. */
  prepare(id: ReplicaId, text: string, ...seats: readonly ReplicaId[]): void {
    this.propose(id, text);
    this.promise(id, ...seats);
  }

  /** Phase 1 of the ballot that `id` has just begun ends among `seats`. */
  promise(id: ReplicaId, ...seats: readonly ReplicaId[]): void {
    this.deliver(to('prepare', ...seats));
    for (const seat of seats)
      this.deliver((packet) => to('promise', id)(packet) && packet.from === seat);
  }

  crash(id: ReplicaId): void {
    this.node(id).crash();
    this.packets = this.packets.filter((packet) => packet.to !== id);
  }

  restart(id: ReplicaId, disk: 'kept' | 'lost' = 'kept'): void {
    this.crash(id);
    this.node(id).boot(disk === 'lost' ? 'blank' : 'kept');
    const incarnation = ++this.lives;
    this.step(id, { type: 'start', incarnation, ...(disk === 'lost' ? { rejoin: true } : {}) });
  }

  view(id: ReplicaId): Replica<BasicPaxos> {
    return this.node(id).view();
  }

  /** What was decided, by replica; '-' for nothing. */
  get decisions(): string {
    return this.nodes.map(({ decided }) => decided ?? '-').join(' ');
  }

  /** Whether two replicas have decided different things. */
  get forked(): boolean {
    return new Set(this.nodes.flatMap(({ decided }) => decided ?? [])).size > 1;
  }
}
