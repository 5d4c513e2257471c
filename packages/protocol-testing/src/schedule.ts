/**
 * Random schedules of a {@link CrashGroup}: any delay, loss, duplication and order of messages,
 * crashes that lose what was not synced, late timers, lost disks and changes of the group. After
 * them the properties of a replicated log are checked.
 */
import type { Protocol, Random, ReplicaId, Request, Signed } from '@quorumlab/core';
import type { CrashGroup, GroupOptions, Node, Packet, SnapshotShape } from './crash-group.ts';
import { random } from './random.ts';

/** How often what happens. */
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
  /** Of 1,000 steps, how many take the disk of a replica that comes back at once. */
  readonly losses?: number;
  /** Of 100 restarts after a crash, how many come without the disk. */
  readonly lost?: number;
  /** Of 1,000 steps, how many ask for a change of the group. */
  readonly changes?: number;
}

/** What came of a schedule. */
export interface Outcome {
  /** The first property that broke, with the seed that breaks it again. */
  readonly violation: string | undefined;
  readonly decided: number;
  readonly lines: ReadonlySet<string>;
}

/** Properties of one protocol, of one group: each tells what is wrong, if anything is. */
export interface Checks {
  /** Asked after every step. */
  now?(): string | undefined;
  /** Asked now and then, with how many slots are decided. */
  logs(decided: number): string | undefined;
}

/** What the schedules have to know about a protocol. */
export interface Subject<P extends SnapshotShape, G extends CrashGroup<P>> {
  group(protocol: Protocol<P>, options: GroupOptions<P>): G;
  checks(group: G): Checks;
  /** The kinds of messages by which a leader is elected. */
  readonly election: readonly P['Message']['kind'][];
  /** Makes `id` try to lead. */
  campaign(group: G, id: ReplicaId): void;
  /** Whether a member remembers all that it ever said. At most one disk is lost at a time. */
  remembers(group: G, node: Node<P>): boolean;
  /** Whether any member leads what it is asked for. Only one that says so does unless told. */
  readonly anyLeads?: true;
  /** A request to change the group, if the protocol has such changes. */
  changeOf?(members: readonly ReplicaId[]): Signed<Request>;
}

/** The schedules of one protocol. */
export interface Schedules<P extends SnapshotShape> {
  /** Runs the schedule of `seed`. */
  run(protocol: Protocol<P>, seed: number, schedule: Schedule): Outcome;
  /**
   * After the schedule of `seed` everything works again: all run, nothing is lost. Returns what is
   * wrong unless, within a few seconds, everybody has decided the same and a new command.
   */
  heal(protocol: Protocol<P>, seed: number, schedule: Schedule): string | undefined;
  /**
   * Many short reigns: somebody is elected by a random quorum, a few of its messages arrive, and
   * the next one takes over. Rare by pure chance, and what Raft's Figure 8, gaps and old votes are
   * made of.
   */
  reigns(protocol: Protocol<P>, seed: number, count: number): Outcome;
}

/** Random schedules for the protocol of `subject`. */
export const schedules = <P extends SnapshotShape, G extends CrashGroup<P>>(
  subject: Subject<P, G>,
): Schedules<P> => ({
  run(protocol, seed, schedule) {
    const state = new Run(subject, subject.group(protocol, { instantSync: false }), seed, schedule);
    let violation: string | undefined;
    for (let i = 0; i < schedule.steps && violation === undefined; i++) {
      state.act();
      violation = state.check(i % 50 === 0);
    }
    return state.outcome(violation ?? state.check(true));
  },
  heal(protocol, seed, schedule) {
    const group = subject.group(protocol, { instantSync: false });
    const state = new Run(subject, group, seed, schedule);
    for (let i = 0; i < schedule.steps; i++) state.act();
    return state.heal();
  },
  reigns(protocol, seed, count) {
    const state = new Run(subject, subject.group(protocol, {}), seed, still);
    let violation: string | undefined;
    for (let i = 0; i < count && violation === undefined; i++) {
      state.reign();
      violation = state.check(true);
    }
    return state.outcome(violation);
  },
});

/** Nothing happens by itself. */
const still: Schedule = { steps: 0, crashes: 0, loss: 0, reorder: 1, hurry: 0 };

class Run<P extends SnapshotShape, G extends CrashGroup<P>> {
  private readonly subject: Subject<P, G>;
  private readonly group: G;
  private readonly checks: Checks;
  private readonly seed: number;
  private readonly schedule: Schedule;
  private readonly chance: Random;
  /** For each read how many slots were decided when it was asked for. */
  private readonly asked: Map<number, number> = new Map();
  private decided = 0;
  private reads = 0;
  private isolated: ReplicaId = -1;

  constructor(subject: Subject<P, G>, group: G, seed: number, schedule: Schedule) {
    this.subject = subject;
    this.group = group;
    this.checks = subject.checks(group);
    this.seed = seed;
    this.schedule = schedule;
    this.chance = random(seed);
  }

  outcome(violation: string | undefined): Outcome {
    const { decided, group } = this;
    const sentence = violation === undefined ? undefined : `${violation} ${this.place()}`;
    return { violation: sentence, decided, lines: group.lines };
  }

  private place(): string {
    return `(replay: seed ${this.seed}, n = ${this.group.nodes.length})`;
  }

  check(andLogs: boolean): string | undefined {
    const { group, asked } = this;
    if (group.disagreements.length > 0) return `agreement: ${group.disagreements[0]}`;
    for (const { decided, reads } of group.nodes) {
      this.decided = Math.max(this.decided, decided.length);
      for (const { id: asker, upTo } of reads.splice(0))
        if (upTo + 1 < (asked.get(asker) ?? 0))
          return `linearizability: a read up to slot ${upTo} misses what was decided before it`;
    }
    return this.checks.now?.() ?? (andLogs ? this.checks.logs(this.decided) : undefined);
  }

  act(): void {
    const { group, chance, schedule } = this;
    const { packets, nodes } = group;
    const node = nodes[chance.below(nodes.length)];
    if (node === undefined) return;
    group.now += chance.below(3_000);
    const choice = chance.below(1_000);
    if (choice < schedule.crashes) {
      if (node.up) group.crash(node.id);
      if (!node.up && chance.below(2) === 0) this.restart(node.id);
    } else if (choice < schedule.crashes + (schedule.losses ?? 0)) this.lose(node);
    else if (choice < 600 && packets.length > 0) this.deliverOne();
    else if (choice < 780) node.finishSync?.();
    else if (choice < 900) this.fireDue(node);
    else if (choice < 960) this.propose();
    else if (choice < 980) this.read(node.id);
    else if (choice < 990) group.install(node.id);
    else if (choice < 992) this.isolated = chance.below(nodes.length * 2) - nodes.length;
    else if (choice < 992 + (schedule.changes ?? 0)) this.change();
    else if (!node.up) this.restart(node.id);
    if (packets.length > 200) packets.splice(0, packets.length - 200);
  }

  private restart(id: ReplicaId): void {
    const { lost } = this.schedule;
    const loses = lost !== undefined && this.mayLose(id) && this.chance.below(100) < lost;
    this.group.restart(id, loses ? 'lost' : 'kept');
  }

  /** The disk is gone, and its replica comes back with an empty one. */
  private lose({ id, up }: Node<P>): void {
    if (!this.mayLose(id)) return;
    if (up) this.group.crash(id);
    this.group.restart(id, 'lost');
  }

  /** What only two have forgotten, nobody can tell. */
  private mayLose(id: ReplicaId): boolean {
    const { group, subject } = this;
    return group.nodes.every((other) => other.id === id || subject.remembers(group, other));
  }

  private leaders(): ReplicaId[] {
    if (this.subject.anyLeads) return [this.chance.below(this.group.nodes.length)];
    const leading = this.group.nodes.filter(({ machine }) => machine.status().role === 'leader');
    return leading.map(({ id }) => id);
  }

  /** To all who lead, or think so. */
  private propose(): void {
    for (const id of this.leaders()) this.group.propose(id, `${this.chance.below(1_000_000)}`);
  }

  /** A random group, asked of all who lead. */
  private change(): void {
    const { chance, group, schedule, subject } = this;
    const members = group.nodes.map(({ id }) => id).filter(() => chance.below(3) > 0);
    // What a group of one has chosen is lost with its disk.
    if (members.length < ((schedule.lost ?? 0) > 0 ? 2 : 1)) return;
    for (const id of this.leaders()) {
      const request = subject.changeOf?.(members);
      if (request !== undefined) group.request(id, request);
    }
  }

  private deliverOne(): void {
    const { group, chance, schedule, isolated } = this;
    const at = chance.below(Math.min(group.packets.length, schedule.reorder));
    const packet = group.packets[at] as Packet<P>;
    const isCut = packet.from === isolated || packet.to === isolated;
    if (isCut || chance.below(100) < schedule.loss) group.packets.splice(at, 1);
    else if (chance.below(20) === 0) group.inject(packet.from, packet.to, packet.message);
    else group.deliver(packet);
  }

  /** Fires a timer whose time may have come; now and then time makes a jump towards it. */
  private fireDue(node: Node<P>): void {
    const { group, chance, schedule } = this;
    const timers = [...node.timers];
    const due = timers[chance.below(Math.max(1, timers.length))];
    if (due === undefined) return;
    const [timer, [earliest]] = due;
    if (earliest > group.now) {
      if (chance.below(100) >= schedule.hurry) return;
      group.now = earliest;
    }
    group.fire(node.id, timer);
  }

  private read(id: ReplicaId): void {
    this.reads += 1;
    this.asked.set(this.reads, this.decided);
    this.group.step(id, { type: 'read', id: this.reads });
  }

  heal(): string | undefined {
    const { group } = this;
    for (const { id, up } of group.nodes) if (!up) group.restart(id);
    for (let round = 0; round < 500; round++) {
      if (round === 400) this.proposeLast();
      this.work();
    }
    if (group.disagreements.length > 0) return `${group.disagreements[0]} ${this.place()}`;
    const [all = '', ...others] = group.nodes.map(({ decided }) => decided.join());
    // Slots without commands may follow.
    return /the last command(,-)*$/.test(all) && others.every((each) => each === all)
      ? undefined
      : `liveness: no progress once healed ${this.place()}`;
  }

  private proposeLast(): void {
    const { group, subject } = this;
    const all = subject.anyLeads ? group.nodes.map(({ id }) => id) : this.leaders();
    for (const id of all) group.propose(id, 'the last command');
  }

  /** Ten milliseconds in which all that can happen does. */
  private work(): void {
    const { group, chance } = this;
    group.now += 10_000;
    for (const { id, timers } of group.nodes)
      for (const [timer, [earliest, latest]] of [...timers])
        if (group.now >= latest || (group.now >= earliest && chance.below(10) === 0))
          group.fire(id, timer);
    for (let i = 0; i < 1_000; i++) {
      const syncing = group.nodes.filter(({ finishSync }) => finishSync !== undefined);
      if (group.packets.length + syncing.length === 0) break;
      for (const { finishSync } of syncing) finishSync?.();
      for (const packet of group.packets.splice(0))
        group.inject(packet.from, packet.to, packet.message);
    }
    for (const { id } of group.nodes) group.install(id);
  }

  reign(): void {
    const { group, chance, subject } = this;
    const { packets, nodes } = group;
    const candidate = chance.below(nodes.length);
    const part = nodes.filter(({ id }) => id === candidate || chance.below(3) > 0);
    const inside = ({ from, to }: Packet<P>): boolean =>
      part.some(({ id }) => id === from) && part.some(({ id }) => id === to);
    const isElection = ({ message }: Packet<P>): boolean => subject.election.includes(message.kind);
    subject.campaign(group, candidate);
    let vote = packets.findIndex(isElection);
    for (; vote >= 0; vote = packets.findIndex(isElection)) {
      const [packet] = packets.splice(vote, 1);
      if (packet !== undefined && inside(packet))
        group.inject(packet.from, packet.to, packet.message);
    }
    if (chance.below(2) === 0) this.propose();
    for (let left = chance.below(12); left > 0 && packets.length > 0; left--) {
      const packet = packets[chance.below(Math.min(3, packets.length))] as Packet<P>;
      if (inside(packet)) group.deliver(packet);
      else packets.splice(packets.indexOf(packet), 1);
    }
    packets.length = 0;
    if (chance.below(2) > 0) return;
    group.crash(candidate);
    group.restart(candidate);
  }
}
