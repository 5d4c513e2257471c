/**
 * Random schedules: any delay, loss, duplication and order of messages, crashes that lose what was
 * not synced, late timers. Members join, leave
 * and lose their disks. After each step the properties of a replicated log are checked.
 */
import type { Protocol, Random, ReplicaId } from '@quorumlab/core';
import type { MultiPaxos } from '../src/index.ts';
import { type Cluster, cluster, install, type Packet } from './cluster.ts';

/** A small seeded generator (xorshift), so that a schedule is replayed by its seed. */
export function random(seed: number): Random {
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
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

export interface Schedule {
  readonly steps: number;
  /** Of 1,000 steps, how many crash a replica. */
  readonly crashes: number;
  /** Of 100 packets, how many are lost. */
  readonly loss: number;
  /** The oldest of how many packets may be delivered next. */
  readonly reorder: number;
  /** Of 100 timers that are not due, how many fire nevertheless, because time goes on. */
  readonly hurry: number;
  /** Of 1,000 steps, how many ask for a change of the group. */
  readonly changes: number;
  /** Of 100 restarts, how many come without the disk. */
  readonly lost: number;
}

interface Run {
  readonly group: Cluster;
  readonly chance: Random;
  readonly schedule: Schedule;
  /** For each read how many slots were decided when it was asked for. */
  readonly asked: Map<number, number>;
  decided: number;
  reads: number;
  isolated: ReplicaId;
}

export interface Outcome {
  readonly violation: string | undefined;
  readonly decided: number;
  readonly lines: ReadonlySet<string>;
}

const start = (group: Cluster, seed: number, schedule: Schedule): Run => ({
  group,
  chance: random(seed),
  schedule,
  asked: new Map(),
  decided: 0,
  reads: 0,
  isolated: -1,
});

/** Runs `protocol` under the schedule of `seed`; returns the first property that broke. */
export function run(protocol: Protocol<MultiPaxos>, seed: number, schedule: Schedule): Outcome {
  const state = start(cluster(protocol, { instantSync: false }), seed, schedule);
  let violation: string | undefined;
  for (let i = 0; i < schedule.steps && violation === undefined; i++) {
    act(state);
    violation = cheapChecks(state) ?? (i % 50 === 0 ? voteChecks(state) : undefined);
  }
  return outcome(state, seed, violation ?? voteChecks(state));
}

/**
 * After the schedule of `seed` everything works again: all run, nothing is lost. Returns what is
 * wrong unless, within a few seconds, everybody has decided the same and a new command.
 */
export function heal(
  protocol: Protocol<MultiPaxos>,
  seed: number,
  schedule: Schedule,
): string | undefined {
  const state = start(cluster(protocol, { instantSync: false }), seed, schedule);
  const { group } = state;
  for (let i = 0; i < schedule.steps; i++) act(state);
  for (const { id, up } of group.nodes) if (!up) group.restart(id);
  for (let round = 0; round < 500; round++) {
    if (round === 400)
      for (const { id, machine } of group.nodes)
        if (machine.status().role === 'leader') group.propose(id, 'the last command');
    work(state);
  }
  if (group.disagreements.length > 0) return `${group.disagreements[0]} (replay: seed ${seed})`;
  const [first = [], ...others] = group.nodes.map(({ decided }) => decided);
  const all = first.join();
  return all.includes('the last command') && others.every((each) => each.join() === all)
    ? undefined
    : `liveness: no progress once healed (replay: seed ${seed}, n = ${others.length + 1})`;
}

/** Ten milliseconds in which all that can happen does. */
function work({ group, chance }: Run): void {
  group.now += 10_000;
  for (const { id, timers } of group.nodes)
    for (const [timer, [earliest, latest]] of [...timers])
      if (group.now >= latest || (group.now >= earliest && chance.below(10) === 0))
        group.fire(id, timer as MultiPaxos['Timer']);
  for (let i = 0; i < 1_000; i++) {
    const syncing = group.nodes.filter(({ finishSync }) => finishSync !== undefined);
    if (group.packets.length + syncing.length === 0) break;
    for (const { finishSync } of syncing) finishSync?.();
    for (const packet of group.packets.splice(0))
      group.inject(packet.from, packet.to, packet.message);
  }
  for (const { id } of group.nodes) install(group, id);
}

function outcome({ group, decided }: Run, seed: number, violation: string | undefined): Outcome {
  const place = `replay: seed ${seed}, n = ${group.nodes.length}`;
  const sentence = violation === undefined ? undefined : `${violation} (${place})`;
  return { violation: sentence, decided, lines: group.lines };
}

/**
 * Many short reigns: somebody is elected by a random quorum, a few of its messages arrive, and the
 * next one takes over. Rare by pure chance, and what gaps and old votes are made of.
 */
export function reigns(protocol: Protocol<MultiPaxos>, seed: number, count: number): Outcome {
  const state = start(cluster(protocol), seed, {
    steps: 0,
    crashes: 0,
    loss: 0,
    reorder: 1,
    hurry: 0,
    changes: 0,
    lost: 0,
  });
  let violation: string | undefined;
  for (let i = 0; i < count && violation === undefined; i++) {
    reign(state);
    violation = cheapChecks(state) ?? voteChecks(state);
  }
  return outcome(state, seed, violation);
}

function reign(state: Run): void {
  const { group, chance } = state;
  const { packets, nodes } = group;
  const candidate = chance.below(nodes.length);
  const part = nodes.filter(({ id }) => id === candidate || chance.below(3) > 0);
  const inside = ({ from, to }: Packet): boolean =>
    part.some(({ id }) => id === from) && part.some(({ id }) => id === to);
  // Whoever has just heard a leader waits once more.
  group.timeout(candidate, 'election');
  group.timeout(candidate, 'election');
  let vote = packets.findIndex(isElection);
  for (; vote >= 0; vote = packets.findIndex(isElection)) {
    const [packet] = packets.splice(vote, 1);
    if (packet !== undefined && inside(packet))
      group.inject(packet.from, packet.to, packet.message);
  }
  if (chance.below(2) === 0) propose(state);
  for (let left = chance.below(12); left > 0 && packets.length > 0; left--) {
    const packet = packets[chance.below(Math.min(3, packets.length))] as Packet;
    if (inside(packet)) group.deliver(packet);
    else packets.splice(packets.indexOf(packet), 1);
  }
  packets.length = 0;
  if (chance.below(2) > 0) return;
  group.crash(candidate);
  group.restart(candidate);
}

const isElection = ({ message: { kind } }: Packet): boolean =>
  kind === 'prepare' || kind === 'promise';

function act(state: Run): void {
  const { group, chance, schedule } = state;
  const { packets, nodes } = group;
  const node = nodes[chance.below(nodes.length)];
  if (node === undefined) return;
  group.now += chance.below(3_000);
  const choice = chance.below(1_000);
  if (choice < schedule.crashes) {
    if (node.up) group.crash(node.id);
    if (!node.up && chance.below(2) === 0) restart(state, node.id);
  } else if (choice < 600 && packets.length > 0) deliverOne(state);
  else if (choice < 780) node.finishSync?.();
  else if (choice < 900) fireDue(state, node.id);
  else if (choice < 960) propose(state);
  else if (choice < 980) read(state, node.id);
  else if (choice < 990) install(group, node.id);
  else if (choice < 992) state.isolated = chance.below(nodes.length * 2) - nodes.length;
  else if (choice < 992 + schedule.changes) change(state);
  else if (!node.up) restart(state, node.id);
  if (packets.length > 200) packets.splice(0, packets.length - 200);
}

/** At most one disk is lost at a time: what only two have forgotten, nobody can tell. */
function restart({ group, chance, schedule }: Run, id: ReplicaId): void {
  const others = group.nodes.filter((each) => each.id !== id);
  const mayLose = others.every(({ disk, machine }) => {
    return !disk.rejoining && machine.status().role !== 'rejoining';
  });
  const loses = mayLose && chance.below(100) < schedule.lost;
  group.restart(id, loses ? 'lost' : 'kept');
}

/** A random group, asked of all who lead. */
function change({ group, chance, schedule }: Run): void {
  const members = group.nodes.map(({ id }) => id).filter(() => chance.below(3) > 0);
  // What a group of one has chosen is lost with its disk.
  if (members.length < (schedule.lost > 0 ? 2 : 1)) return;
  for (const { id, machine } of group.nodes)
    if (machine.status().role === 'leader') group.change(id, members);
}

/** To all who lead, or think so. */
function propose({ group, chance }: Run): void {
  for (const { id, machine } of group.nodes)
    if (machine.status().role === 'leader') group.propose(id, `${chance.below(1_000_000)}`);
}

function deliverOne({ group, chance, schedule, isolated }: Run): void {
  const at = chance.below(Math.min(group.packets.length, schedule.reorder));
  const packet = group.packets[at] as Packet;
  const isCut = packet.from === isolated || packet.to === isolated;
  if (isCut || chance.below(100) < schedule.loss) group.packets.splice(at, 1);
  else if (chance.below(20) === 0) group.inject(packet.from, packet.to, packet.message);
  else group.deliver(packet);
}

/** Fires a timer whose time may have come; now and then time makes a jump towards it. */
function fireDue({ group, chance, schedule }: Run, id: ReplicaId): void {
  const timers = [...(group.nodes[id]?.timers ?? [])];
  const due = timers[chance.below(Math.max(1, timers.length))];
  if (due === undefined) return;
  const [timer, [earliest]] = due;
  if (earliest > group.now) {
    if (chance.below(100) >= schedule.hurry) return;
    group.now = earliest;
  }
  group.fire(id, timer as MultiPaxos['Timer']);
}

function read(state: Run, id: ReplicaId): void {
  state.reads += 1;
  state.asked.set(state.reads, state.decided);
  state.group.step(id, { type: 'read', id: state.reads });
}

function cheapChecks(state: Run): string | undefined {
  const { group, asked } = state;
  if (group.disagreements.length > 0) return `agreement: ${group.disagreements[0]}`;
  for (const { decided, reads } of group.nodes) {
    state.decided = Math.max(state.decided, decided.length);
    for (const { id: asker, upTo } of reads.splice(0))
      if (upTo + 1 < (asked.get(asker) ?? 0))
        return `linearizability: a read up to slot ${upTo} misses what was decided before it`;
  }
  return undefined;
}

/** One value per ballot and slot, whoever has voted for it. */
function voteChecks({ group }: Run): string | undefined {
  const values = new Map<string, string>();
  for (const { id } of group.nodes)
    for (const [slot, vote] of Object.entries(group.votesOf(id))) {
      const [ballot, value] = vote.split(':') as [string, string];
      const about = `ballot ${ballot} and slot ${slot}`;
      const other = values.get(about) ?? value;
      if (other !== value) return `one value per ballot: ${about} have ${other} and ${value}`;
      values.set(about, value);
    }
  return undefined;
}
