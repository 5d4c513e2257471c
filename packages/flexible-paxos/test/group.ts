/**
 * A group of Flexible Paxos machines in which a test decides what is delivered and who crashes. It
 * honours the journal rule: what a step writes is on the disk before what it says is sent.
 */
import {
  copy,
  type Event,
  type Machine,
  type Protocol,
  type Replica,
  type ReplicaId,
  type Request,
  replica,
  type Signature,
  type Signed,
  seal,
  toUtf8,
  type Write,
} from '@quorumlab/core';
import type { FlexiblePaxos, FlexiblePaxosStable } from '../src/index.ts';

type Message = FlexiblePaxos['Message'];
const unsigned = new Uint8Array(0) as Signature;
const client = 65_536;
let sequences = 0;

const request = (part: Pick<Request, 'operations' | 'configuration'>): Signed<Request> => {
  sequences += 1;
  const plain = { kind: 'request', client, sequence: sequences, acknowledged: 0 } as const;
  return seal<Request>({ ...plain, ...part }, client, unsigned);
};

export interface Packet {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly message: Message;
}

export type Filter = (packet: Packet) => boolean;

/** Packets between these replicas only. */
export const among =
  (...seats: readonly ReplicaId[]): Filter =>
  ({ from, to }) =>
    seats.includes(from) && seats.includes(to);

interface Node {
  machine: Machine<FlexiblePaxos> | undefined;
  disk: FlexiblePaxosStable;
  readonly timers: Map<string, number>;
  /** What each slot was decided to be, as text; '-' is a no-op. */
  readonly decided: Map<number, string>;
  /** Why a change of the group was refused. */
  readonly refusals: string[];
}

function written(disk: FlexiblePaxosStable, write: Write<FlexiblePaxos>): FlexiblePaxosStable {
  if (write.type === 'save') return { ...disk, ...write.registers };
  const table = new Map<number, unknown>(disk[write.table as 'accepted']);
  if (write.type === 'put') table.set(write.index, write.row);
  else
    for (const index of [...table.keys()])
      if ('from' in write.rows ? index >= write.rows.from : index < write.rows.below)
        table.delete(index);
  return { ...disk, [write.table]: table };
}

export class Group {
  readonly nodes: readonly Node[];
  packets: Packet[] = [];
  now = 0;
  readonly #protocol: Protocol<FlexiblePaxos>;

  constructor(protocol: Protocol<FlexiblePaxos>) {
    this.#protocol = protocol;
    this.nodes = protocol.members.map(() => ({
      machine: undefined,
      disk: protocol.stable(),
      timers: new Map(),
      decided: new Map(),
      refusals: [],
    }));
    for (const id of protocol.members) this.restart(id);
  }

  node(id: ReplicaId): Node {
    const node = this.nodes[id];
    if (node === undefined) throw new Error(`there is no replica ${id}`);
    return node;
  }

  step(id: ReplicaId, event: Event<FlexiblePaxos>): void {
    const node = this.node(id);
    if (node.machine === undefined) return;
    const clock = { earliest: this.now, latest: this.now };
    const output = node.machine.step({ now: this.now, clock, event });
    for (const write of output.writes) node.disk = written(node.disk, write);
    for (const change of output.timers) {
      if (change.type === 'clear') node.timers.delete(change.timer);
      else node.timers.set(change.timer, this.now + Math.max(...[change.after].flat()));
    }
    for (const { slot, commands, configured } of output.decisions) {
      node.decided.set(slot, commands.map(textOf).join('+') || '-');
      if (configured?.refusal !== undefined) node.refusals.push(configured.refusal);
    }
    for (const { to, message } of [...output.early, ...output.sends])
      for (const each of to === 'all' ? this.#protocol.members : [to])
        this.packets.push({ from: id, to: each, message });
  }

  propose(id: ReplicaId, text: string): void {
    this.step(id, { type: 'propose', command: request({ operations: [toUtf8(text)] }) });
  }

  /** A client asks for a change of the group. */
  change(id: ReplicaId, configuration: Uint8Array): void {
    this.step(id, { type: 'propose', command: request({ operations: [], configuration }) });
  }

  timeout(id: ReplicaId, timer: FlexiblePaxos['Timer']): void {
    const due = this.node(id).timers.get(timer);
    if (due === undefined) throw new Error(`${id} has no timer ${timer}`);
    this.now = Math.max(this.now, due);
    this.node(id).timers.delete(timer);
    this.step(id, { type: 'timeout', timer });
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
    const leads = (): boolean => this.node(id).machine?.status().role === 'leader';
    for (let i = 0; i < 3 && !leads(); i++) {
      this.timeout(id, 'election');
      this.settle(filter);
    }
    return leads();
  }

  crash(id: ReplicaId): void {
    const node = this.node(id);
    node.machine = undefined;
    node.timers.clear();
    node.decided.clear();
    this.packets = this.packets.filter((packet) => packet.to !== id);
  }

  restart(id: ReplicaId, protocol = this.#protocol): void {
    const node = this.node(id);
    this.crash(id);
    const digest = (): string => '0'.repeat(64);
    node.machine = replica(protocol, id, { digest, stable: copy(node.disk) });
    this.step(id, { type: 'start' });
  }

  view(id: ReplicaId): Replica<FlexiblePaxos> {
    const machine = this.node(id).machine;
    if (machine === undefined) throw new Error(`${id} does not run`);
    const { stable, volatile } = machine.snapshot();
    return { ...stable, ...volatile };
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

const textOf = ({ operations, configuration }: Request): string =>
  configuration === undefined ? new TextDecoder().decode(operations[0]) : 'change';
