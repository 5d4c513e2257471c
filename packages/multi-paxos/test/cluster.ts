/**
 * A group of Multi-Paxos machines in which a test decides what is delivered, lost and synced. It
 * honours the journal rule: what a step writes is durable before what it says is sent.
 */
import {
  copy,
  type Event,
  type Journal,
  journal,
  type Machine,
  type Outgoing,
  type Output,
  type PrincipalId,
  type Protocol,
  type Replica,
  type ReplicaId,
  replica,
  seal,
  type Write,
} from '@quorumlab/core';
import type { MultiPaxos, MultiPaxosMessage, MultiPaxosStable } from '../src/index.ts';
import { changeOf, command, testDigest, textOf, unsigned } from './commands.ts';

export interface Packet {
  readonly from: PrincipalId;
  readonly to: ReplicaId;
  readonly message: MultiPaxosMessage;
}

export interface Node {
  readonly id: ReplicaId;
  machine: Machine<MultiPaxos>;
  up: boolean;
  /** Raised by each crash: what an earlier life began never ends. */
  life: number;
  disk: MultiPaxosStable;
  /** Decided commands by slot since this node's application began; no-ops are '-'. */
  decided: string[];
  /** The disk was lost, and may not say so yet. */
  isLost: boolean;
  readonly timers: Map<string, readonly [number, number]>;
  readonly reads: { id: number; upTo: number }[];
  journal: Journal<MultiPaxos>;
  /** Finishes the sync under way, if there is one. */
  finishSync: (() => void) | undefined;
  /** The snapshot that its machine asked for. */
  wanted: { slot: number; digest: string } | undefined;
  /** The group as the last snapshot has to tell it. */
  configuration: Uint8Array | undefined;
}

export interface Cluster {
  readonly nodes: readonly Node[];
  readonly packets: Packet[];
  readonly lines: Set<string>;
  now: number;
  /** Called for each decision, with what the same slot had decided elsewhere if it differs. */
  readonly disagreements: string[];
  /** Why changes of the group were refused, once per replica. */
  readonly refusals: string[];
  /** Accusations, by the kind of the messages. */
  readonly accusations: string[];
  step(id: ReplicaId, event: Event<MultiPaxos>): void;
  /** Time goes on until `timer` can fire, and it does. */
  timeout(id: ReplicaId, timer: MultiPaxos['Timer']): void;
  /** `timer` fires, as if it had been set long ago. */
  fire(id: ReplicaId, timer: MultiPaxos['Timer']): void;
  propose(id: ReplicaId, text: string): void;
  /** Asks `id` for a change of the group. */
  change(id: ReplicaId, members: readonly ReplicaId[], quorums?: string): void;
  inject(from: PrincipalId, to: ReplicaId, message: MultiPaxosMessage): void;
  /** Delivers one packet that is in flight. */
  deliver(packet: Packet): void;
  /** Delivers all packets, and those that they cause, for which `link` holds. Others are lost. */
  settle(link?: (packet: Packet) => boolean): number;
  /** Makes `id` the leader if those that `link` connects can elect it. */
  elect(id: ReplicaId, link?: (packet: Packet) => boolean): void;
  crash(id: ReplicaId): void;
  /** Comes back with its disk, or without it and knowing that. */
  restart(id: ReplicaId, disk?: 'kept' | 'lost'): void;
  view(id: ReplicaId): Replica<MultiPaxos>;
  /** The votes of a replica, each as ballot:value, by slot. */
  votesOf(id: ReplicaId): Record<number, string>;
}

/** What a snapshot holds. */
interface State {
  readonly decided: readonly string[];
  readonly configuration: Uint8Array | undefined;
}

const about = (configuration: Uint8Array | undefined): { readonly configuration?: Uint8Array } =>
  configuration === undefined ? {} : { configuration };

/** Applies what a step wrote, as a disk would. */
function apply(disk: MultiPaxosStable, writes: readonly Write<MultiPaxos>[]): MultiPaxosStable {
  let next = disk;
  for (const write of writes) {
    if (write.type === 'save') next = { ...next, ...write.registers };
    else {
      const votes = next.accepted as Map<number, unknown>;
      if (write.type === 'put') votes.set(write.index, write.row);
      else
        for (const index of [...votes.keys()])
          if ('from' in write.rows ? index >= write.rows.from : index < write.rows.below)
            votes.delete(index);
    }
  }
  return next;
}

export interface ClusterOptions {
  /** Whether syncs end at once. If not, the test calls `finishSync`. True unless told. */
  readonly instantSync?: boolean;
}

export function cluster(protocol: Protocol<MultiPaxos>, options: ClusterOptions = {}): Cluster {
  const instant = options.instantSync ?? true;
  const packets: Packet[] = [];
  const chosen: string[] = [];
  const states = new Map<string, State>();
  const lines = new Set<string>();
  /** Disks that were lost, until something is written. */
  const blank = new WeakSet<MultiPaxosStable>();
  const disagreements: string[] = [];

  function machineOf(id: ReplicaId, disk?: MultiPaxosStable): Machine<MultiPaxos> {
    const digest = (_field: unknown, value: object): string => testDigest(JSON.stringify(value));
    return replica(protocol, id, disk === undefined ? { digest } : { digest, stable: copy(disk) });
  }

  function route(from: ReplicaId, { to, message }: Outgoing<MultiPaxos>): void {
    if (to === 'all') throw new Error('this protocol sends to each member by itself');
    if (to === from) {
      group.step(from, {
        type: 'message',
        message: seal<MultiPaxosMessage>(message, from, unsigned),
      });
      return;
    }
    packets.push({ from, to, message });
  }

  function decide(node: Node, output: Output<MultiPaxos>): void {
    for (const { slot, commands, configured } of output.decisions) {
      if (slot !== node.decided.length)
        disagreements.push(`${node.id} decides slot ${slot} after ${node.decided.length - 1}`);
      const text = textOf(commands);
      if (configured !== undefined) node.configuration = configured.state;
      if (configured?.refusal !== undefined) group.refusals.push(configured.refusal);
      node.decided.push(text);
      chosen[slot] ??= text;
      if (chosen[slot] !== text)
        disagreements.push(`slot ${slot}: ${chosen[slot]} and, at ${node.id}, ${text}`);
      const every = protocol.snapshotEvery ?? 0;
      if (every === 0 || (slot + 1) % every !== 0) continue;
      const { configuration } = node;
      const state = testDigest(`${node.decided.join()} ${configuration?.join()}`);
      states.set(state, { decided: node.decided.slice(), configuration });
      group.step(node.id, { type: 'snapshot-taken', slot, digest: state, ...about(configuration) });
    }
  }

  function journalOf(node: Node): Journal<MultiPaxos> {
    const { life } = node;
    const log = journal<MultiPaxos>({
      early: (sends) => {
        for (const each of sends) route(node.id, each);
      },
      commit(writes, done) {
        const finish = (): void => {
          node.finishSync = undefined;
          if (node.life !== life) return; // A crash took this write.
          node.disk = apply(node.disk, writes);
          done();
        };
        if (instant) finish();
        else node.finishSync = finish;
      },
      release(output) {
        for (const each of output.timers) {
          if (each.type === 'clear') node.timers.delete(each.timer);
          else {
            const [least, most] =
              typeof each.after === 'number' ? [each.after, each.after] : each.after;
            node.timers.set(each.timer, [group.now + least, group.now + most]);
          }
        }
        node.reads.push(...output.reads);
        for (const { slot, digest } of output.fetches) node.wanted = { slot, digest };
        decide(node, output);
        for (const each of output.sends) route(node.id, each);
      },
    });
    return {
      ...log,
      add(output) {
        for (const line of output.lines) lines.add(line);
        for (const { second } of output.accusations) group.accusations.push(second.kind);
        log.add(output);
      },
    };
  }

  function nodeOf(id: ReplicaId): Node {
    const node: Node = {
      id,
      machine: machineOf(id),
      up: true,
      life: 0,
      disk: protocol.stable(),
      isLost: false,
      decided: [],
      timers: new Map(),
      reads: [],
      // Replaced at once: a journal needs its node.
      journal: undefined as unknown as Journal<MultiPaxos>,
      finishSync: undefined,
      wanted: undefined,
      configuration: undefined,
    };
    return node;
  }

  const nodes = protocol.members.map(nodeOf);

  const group: Cluster = {
    nodes,
    packets,
    lines,
    now: 0,
    disagreements,
    refusals: [],
    accusations: [],
    step(id, event) {
      const node = nodes[id] as Node;
      if (!node.up) return;
      const clock = { earliest: group.now, latest: group.now };
      const output = node.machine.step({ now: group.now, clock, event });
      node.journal.add(output);
    },
    timeout(id, timer) {
      const [, latest] = (nodes[id] as Node).timers.get(timer) ?? [0, 0];
      group.now = Math.max(group.now, latest);
      group.fire(id, timer);
    },
    fire(id, timer) {
      (nodes[id] as Node).timers.delete(timer);
      group.step(id, { type: 'timeout', timer });
    },
    propose: (id, text) => group.step(id, { type: 'propose', command: command(text) }),
    change: (id, members, quorums) =>
      group.step(id, { type: 'propose', command: changeOf(members, quorums) }),
    inject(from, to, message) {
      group.step(to, {
        type: 'message',
        message: seal<MultiPaxosMessage>(message, from, unsigned),
      });
    },
    deliver(packet) {
      const at = packets.indexOf(packet);
      if (at >= 0) packets.splice(at, 1);
      group.inject(packet.from, packet.to, packet.message);
    },
    settle(link = () => true) {
      let count = 0;
      for (let packet = packets.shift(); packet !== undefined; packet = packets.shift()) {
        if (!link(packet)) continue;
        count += 1;
        if (count > 10_000) throw new Error('the group does not come to rest');
        group.inject(packet.from, packet.to, packet.message);
      }
      return count;
    },
    elect(id, link) {
      group.timeout(id, 'election');
      group.settle(link);
    },
    crash(id) {
      const node = nodes[id] as Node;
      node.up = false;
      node.life += 1;
      node.timers.clear();
      node.finishSync = undefined;
      node.wanted = undefined;
    },
    restart(id, wanted = 'kept') {
      const node = nodes[id] as Node;
      // Until the disk itself says that it was lost, the host has to say so at each start.
      const disk = node.isLost && blank.has(node.disk) ? 'lost' : wanted;
      node.isLost = disk === 'lost';
      node.disk = disk === 'kept' ? copy(node.disk) : protocol.stable();
      if (disk === 'lost') blank.add(node.disk);
      node.machine = machineOf(id, node.disk);
      const { snapshot } = node.disk;
      const kept = snapshot === null ? undefined : states.get(snapshot.digest);
      node.decided = kept?.decided.slice() ?? [];
      node.configuration = kept?.configuration;
      node.reads.length = 0;
      node.up = true;
      node.journal = journalOf(node);
      group.step(id, disk === 'kept' ? { type: 'start' } : { type: 'start', rejoin: true });
    },
    view(id) {
      const { stable, volatile } = (nodes[id] as Node).machine.snapshot();
      return { ...stable, ...volatile };
    },
    votesOf(id) {
      const votes = [...group.view(id).accepted].sort(([first], [second]) => first - second);
      return Object.fromEntries(
        votes.map(([slot, { ballot, value }]) => [slot, `${ballot}:${textOf(value)}`]),
      );
    },
  };

  installers.set(group, (node) => {
    const { wanted } = node;
    // A service runs what is decided in the step that decides; here that waits for the sync.
    if (wanted === undefined || node.finishSync !== undefined) return;
    node.wanted = undefined;
    const state = states.get(wanted.digest);
    if (state === undefined || wanted.slot < group.view(node.id).firstUnchosen) return;
    node.decided = state.decided.slice();
    node.configuration = state.configuration;
    group.step(node.id, {
      type: 'snapshot-installed',
      slot: wanted.slot,
      digest: wanted.digest,
      ...about(state.configuration),
    });
  });

  for (const node of nodes) {
    node.journal = journalOf(node);
    group.step(node.id, { type: 'start' });
  }
  return group;
}

const installers = new WeakMap<Cluster, (node: Node) => void>();

/** Installs the snapshot that a replica asked for, as the service would, and tells its machine. */
export const install = (group: Cluster, id: ReplicaId): void =>
  installers.get(group)?.(group.nodes[id] as Node);

/** Packets over these links only, each in both directions. */
export const links =
  (...pairs: readonly (readonly [ReplicaId, ReplicaId])[]) =>
  ({ from, to }: Packet): boolean =>
    pairs.some(([a, b]) => (a === from && b === to) || (a === to && b === from));

/** Packets between these nodes only. */
export const among =
  (...ids: readonly ReplicaId[]) =>
  ({ from, to }: Packet): boolean =>
    ids.includes(from) && ids.includes(to);
