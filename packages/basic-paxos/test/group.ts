/**
 * A group of Basic Paxos machines in which a test decides what is delivered and who crashes. It
 * honours the journal rule: what a step writes is on the disk before what it says is sent.
 */
import {
  copy,
  type Delay,
  type Event,
  type Machine,
  type Protocol,
  type Random,
  type Replica,
  type ReplicaId,
  type Request,
  replica,
  type Signature,
  type Signed,
  seal,
  toUtf8,
} from '@quorumlab/core';
import type { BasicPaxos, BasicPaxosMessage, BasicPaxosStable } from '../src/index.ts';

export const unsigned: Signature = new Uint8Array(0) as Signature;
const client = 65_536;

/** A client's request whose one operation is `text`; the same text is the same request. */
export function value(text: string): Signed<Request> {
  const known = values.get(text);
  if (known !== undefined) return known;
  const request: Request = {
    kind: 'request',
    client,
    sequence: values.size + 1,
    acknowledged: 0,
    operations: [toUtf8(text)],
  };
  const made = seal(request, client, unsigned);
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

export const textOf = ({ operations }: Request): string => new TextDecoder().decode(operations[0]);

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

interface Node {
  machine: Machine<BasicPaxos> | undefined;
  disk: BasicPaxosStable;
  readonly timers: Map<string, Delay>;
  readonly reads: { id: number; upTo: number }[];
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
    this.nodes = protocol.members.map(() => ({
      machine: undefined,
      disk: protocol.stable(),
      timers: new Map(),
      reads: [],
      decided: undefined,
    }));
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
    if (node.machine === undefined || this.#silent.has(id)) return;
    const clock = { earliest: this.now, latest: this.now };
    const output = node.machine.step({ now: this.now, clock, event });
    for (const write of output.writes)
      if (write.type === 'save') node.disk = { ...node.disk, ...write.registers };
    for (const line of output.lines) this.lines.add(line);
    for (const change of output.timers) {
      if (change.type === 'clear') node.timers.delete(change.timer);
      else node.timers.set(change.timer, change.after);
    }
    node.reads.push(...output.reads);
    for (const { commands } of output.decisions) node.decided = commands.map(textOf).join();
    for (const { to: whom, message } of [...output.early, ...output.sends])
      for (const each of whom === 'all' ? this.#protocol.members : [whom])
        this.packets.push({ from: id, to: each, message });
  }

  propose(id: ReplicaId, text: string): void {
    this.step(id, { type: 'propose', command: value(text) });
  }

  timeout(id: ReplicaId, timer: 'retry' | 'ask'): void {
    if (!this.node(id).timers.delete(timer)) throw new Error(`${id} has no timer ${timer}`);
    this.step(id, { type: 'timeout', timer });
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
    const node = this.node(id);
    node.machine = undefined;
    node.timers.clear();
    this.packets = this.packets.filter((packet) => packet.to !== id);
  }

  restart(id: ReplicaId, disk: 'kept' | 'lost' = 'kept'): void {
    const node = this.node(id);
    this.crash(id);
    if (disk === 'lost') node.disk = this.#protocol.stable();
    const digest = (): string => '0'.repeat(64);
    node.machine = replica(this.#protocol, id, { digest, stable: copy(node.disk) });
    const incarnation = ++this.lives;
    this.step(id, { type: 'start', incarnation, ...(disk === 'lost' ? { rejoin: true } : {}) });
  }

  view(id: ReplicaId): Replica<BasicPaxos> {
    const machine = this.node(id).machine;
    if (machine === undefined) throw new Error(`${id} does not run`);
    const { stable, volatile } = machine.snapshot();
    return { ...stable, ...volatile };
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
