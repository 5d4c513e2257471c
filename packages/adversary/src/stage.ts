/** The stage on which schedules are played: see `Stage` in core. */
import {
  copy,
  type Digest,
  type Event,
  type Exhibit,
  type Field,
  type Flight,
  firstClient,
  type Journal,
  journal,
  type Outgoing,
  type Output,
  type Protocol,
  type Replica,
  type ReplicaId,
  type Request,
  type RequestParts,
  replica,
  type Signed,
  type Slot,
  type Stage,
  stored,
  type Which,
} from '@quorumlab/core';
import type { Played, RequestShape, StageDecision, StageFault, StageOptions } from './played.ts';
import { type SealedKeys, sealedKeys } from './sealed-keys.ts';
import { Promised } from './stage-promises.ts';
import { about, blank, keyOf, lateRead, type Seat, type State, textOf } from './stage-seat.ts';

/** Plays `exhibit` with `protocol`, which is the right one or the wrong one. */
export function playExhibit<S extends RequestShape>(
  exhibit: Exhibit<S>,
  protocol: Protocol<S>,
  options: StageOptions<S>,
): Played {
  const stage = new ScheduledGroup(protocol, options, exhibit.selfAtOnce ?? false);
  exhibit.play(stage);
  const { liars, decisions, faults, steps } = stage;
  return { liars, decisions, faults, steps };
}

/** More deliveries in a row than any schedule needs: the group does not come to rest. */
const maxDeliveries = 200_000;

class ScheduledGroup<S extends RequestShape> implements Stage<S> {
  readonly protocol: Protocol<S>;
  readonly liars: Set<ReplicaId> = new Set();
  readonly decisions: StageDecision[] = [];
  readonly faults: StageFault[] = [];
  now = 0;
  steps = 0;
  flights: readonly Flight<S>[] = [];
  private readonly options: StageOptions<S>;
  private readonly selfAtOnce: boolean;
  private readonly keys: SealedKeys;
  private readonly seats: readonly Seat<S>[];
  private readonly requests: Map<string, Signed<Request>> = new Map();
  private readonly clients: Map<string, number> = new Map();
  private readonly asked: Set<string> = new Set();
  private readonly states: Map<Digest, State> = new Map();
  private readonly lateReads: Map<number, readonly ReplicaId[]> = new Map();
  private readonly promised: Promised<S>;
  /** The last slot that a client may know of: an honest member has decided commands in it. */
  private newest: Slot = -1;
  private nextRead = 0;

  constructor(protocol: Protocol<S>, options: StageOptions<S>, selfAtOnce: boolean) {
    this.protocol = protocol;
    this.options = options;
    this.selfAtOnce = selfAtOnce;
    this.keys = sealedKeys(protocol);
    this.promised = new Promised(protocol.client.tentative, this.liars);
    this.seats = protocol.members.map((id) => this.seatOf(id, protocol.stable()));
    for (const id of protocol.members) this.step(id, { type: 'start' });
  }

  get answered(): number {
    const honest = this.decisions.filter(({ member }) => !this.liars.has(member));
    const decided = new Set(honest.flatMap(({ commands }) => commands.map(keyOf)));
    return [...this.asked].filter((each) => decided.has(each)).length;
  }

  private seatOf(id: ReplicaId, disk: S['Stable']): Seat<S> {
    return {
      machine: replica(this.protocol, id, { digest: this.options.digest, stable: copy(disk) }),
      up: true,
      disk,
      isBlank: false,
      state: blank,
      kept: blank,
      journal: this.journalOf(id),
      timers: new Map(),
      reads: new Map(),
      wanted: undefined,
    };
  }

  private seat(id: ReplicaId): Seat<S> {
    const seat = this.seats[id];
    if (seat === undefined) throw new RangeError(`there is no member ${id} on this stage`);
    return seat;
  }

  private journalOf(id: ReplicaId): Journal<S> {
    return journal<S>({
      early: (sends) => {
        for (const each of sends) this.route(id, each);
      },
      commit: (writes, done) => {
        const seat = this.seat(id);
        for (const write of writes) seat.disk = stored<S>(seat.disk, write);
        seat.isBlank = false;
        done();
      },
      release: (output) => this.released(id, output),
    });
  }

  private step(id: ReplicaId, event: Event<S>): void {
    const seat = this.seat(id);
    if (!seat.up || this.liars.has(id)) return;
    this.steps++;
    const clock = { earliest: this.now, latest: this.now };
    const output = seat.machine.step({ now: this.now, clock, event });
    this.options.watch?.stepped?.(this.steps, id, output, seat.machine.status());
    seat.journal.add(output);
  }

  private released(id: ReplicaId, output: Output<S>): void {
    const { timers, reads } = this.seat(id);
    for (const change of output.timers) {
      if (change.type === 'clear') timers.delete(change.timer);
      else {
        const { after } = change;
        const [least, most] = typeof after === 'number' ? [after, after] : after;
        timers.set(change.timer, [this.now + least, this.now + most]);
      }
    }
    for (const each of output.tentative)
      if (this.promised.add(id, each)) this.newest = Math.max(this.newest, each.slot);
    for (const { id: read, upTo } of output.reads) this.judgeRead(id, read, reads.get(read), upTo);
    for (const { slot, digest } of output.fetches) this.seat(id).wanted = { slot, digest };
    for (const { slot, commands, configured } of output.decisions)
      this.decide(id, slot, commands, configured?.state);
    for (const each of output.sends) this.route(id, each);
  }

  private route(from: ReplicaId, { to, message }: Outgoing<S>): void {
    for (const each of to === 'all' ? this.protocol.members : [to]) {
      if (each >= firstClient) continue;
      const signed: Signed<S['Message']> = this.keys.sign(message, from);
      if (each === from && this.selfAtOnce) this.hand(each, signed);
      else this.send({ at: this.now, from, to: each, message: signed });
    }
  }

  private send(flight: Flight<S>): void {
    this.options.watch?.said?.(this.steps, flight.from, flight.to, flight.message);
    this.flights = [...this.flights, flight];
  }

  private decide(
    id: ReplicaId,
    slot: Slot,
    commands: readonly S['Command'][],
    configuration: Uint8Array | undefined,
  ): void {
    const seat = this.seat(id);
    this.decisions.push({ at: this.steps, member: id, slot, commands });
    if (commands.length > 0) this.newest = Math.max(this.newest, slot);
    const broken = this.promised.broken(id, slot, commands);
    if (broken !== undefined) this.fault(broken);
    const decided = [...seat.state.decided];
    decided[slot] = commands.map(keyOf).join();
    const state = { decided, configuration: configuration ?? seat.state.configuration };
    seat.state = state;
    const { snapshotEvery: every = 0, claims } = this.protocol;
    if (every === 0) return;
    const isDue = claims.order === 'total' ? (slot + 1) % every === 0 : configuration !== undefined;
    if (!isDue) return;
    const digest = this.keys.nameOf(textOf(state)).toString(16).padStart(64, '0');
    this.states.set(digest, state);
    this.step(id, { type: 'snapshot-taken', slot, digest, ...about(state) });
    seat.kept = state;
  }

  private judgeRead(id: ReplicaId, read: number, least: Slot | undefined, upTo: Slot): void {
    if (least === undefined || upTo >= least) return;
    const members = [...(this.lateReads.get(read) ?? []), id];
    this.lateReads.set(read, members);
    const all = [...members, ...[...this.liars].filter((each) => this.seat(each).reads.has(read))];
    if (all.length < (this.protocol.client.reads ?? 1)) return;
    this.fault({ ...lateRead(all, upTo, least), members });
  }

  private fault(fault: Omit<StageFault, 'at'>): void {
    this.faults.push({ ...fault, at: this.steps });
  }

  pass(which: Which<S> = () => true): void {
    for (const { to, message } of this.hold(which)) this.receive(to, message);
  }

  deliver(which: Which<S> = () => true): void {
    for (let count = 0; count < maxDeliveries; count++) {
      const place = this.flights.findIndex(which);
      const flight = this.flights[place];
      if (flight === undefined) return;
      this.flights = this.flights.filter((_, i) => i !== place);
      this.receive(flight.to, flight.message);
    }
    throw new RangeError(`the group does not come to rest in ${maxDeliveries} deliveries`);
  }

  settle(which?: Which<S>): void {
    this.deliver(which);
    this.lose();
  }

  lose(which: Which<S> = () => true): void {
    this.flights = this.flights.filter((each) => !which(each));
  }

  hold(which: Which<S> = () => true): readonly Flight<S>[] {
    const held = this.flights.filter(which);
    this.flights = this.flights.filter((each) => !held.includes(each));
    return held;
  }

  release(flights: readonly Flight<S>[]): void {
    this.flights = [...this.flights, ...flights];
  }

  private receive(to: ReplicaId, message: Signed<S['Message']>): void {
    if (this.keys.check(message)) this.hand(to, message);
  }

  hand(member: ReplicaId, message: Signed<S['Message']>): void {
    if (!this.seat(member).up || this.liars.has(member)) return;
    this.options.watch?.heard?.(this.steps + 1, member, message);
    this.step(member, { type: 'message', message });
  }

  request(text: string, { client, configuration }: RequestParts = {}): S['Command'] {
    const number = client ?? this.clients.get(text) ?? this.clients.size;
    this.clients.set(text, number);
    const key = `${number} ${text}`;
    const known = this.requests.get(key);
    if (known !== undefined) return known;
    const change = configuration === undefined ? {} : { configuration };
    const body: Request = {
      kind: 'request',
      client: firstClient + number,
      sequence: 1,
      acknowledged: 0,
      operations: configuration === undefined ? [this.options.operation(text)] : [],
      ...change,
    };
    const made = this.keys.sign(body, body.client);
    this.requests.set(key, made);
    return made;
  }

  propose(members: readonly ReplicaId[], text: string, parts?: RequestParts): void {
    const command = this.request(text, parts);
    this.asked.add(keyOf(command));
    for (const id of members) this.step(id, { type: 'propose', command });
  }

  read(member: ReplicaId | readonly ReplicaId[]): void {
    const id = this.nextRead++;
    for (const each of [member].flat()) {
      this.seat(each).reads.set(id, this.newest);
      this.step(each, { type: 'read', id });
    }
  }

  timeout(member: ReplicaId, timer: S['Timer']): void {
    this.now = Math.max(this.now, this.due(member, timer)?.[1] ?? this.now);
    this.fire(member, timer);
  }

  fire(member: ReplicaId, timer: S['Timer']): void {
    this.seat(member).timers.delete(timer);
    this.step(member, { type: 'timeout', timer });
  }

  due(member: ReplicaId, timer: S['Timer']): readonly [number, number] | undefined {
    return this.seat(member).timers.get(timer);
  }

  wait(microseconds: number): void {
    this.now += microseconds;
  }

  /** Fires the next of all timers, if it is due by `until`. */
  private tick(until: number): boolean {
    let next: { id: ReplicaId; timer: S['Timer']; due: number } | undefined;
    for (const [id, { up, timers }] of this.seats.entries())
      if (up && !this.liars.has(id))
        for (const [timer, [, due]] of timers)
          if (next === undefined || due < next.due) next = { id, timer, due };
    if (next === undefined || next.due > until) return false;
    this.timeout(next.id, next.timer);
    return true;
  }

  run(microseconds: number, done: () => boolean = () => false, delay = 0): void {
    const until = this.now + microseconds;
    while (!done()) {
      const first = this.flights[0];
      const arrival = first === undefined ? Number.POSITIVE_INFINITY : first.at + delay;
      if (arrival > this.now && this.tick(Math.min(arrival, until))) continue;
      if (first === undefined || arrival > until) return;
      this.now = Math.max(this.now, arrival);
      this.flights = this.flights.slice(1);
      this.receive(first.to, first.message);
    }
  }

  crash(member: ReplicaId): void {
    const seat = this.seat(member);
    this.options.watch?.befell?.(++this.steps, member, 'crashes');
    seat.up = false;
    seat.timers.clear();
    seat.wanted = undefined;
    this.lose(({ to }) => to === member);
  }

  restart(member: ReplicaId, disk: 'kept' | 'lost' = 'kept'): void {
    const seat = this.seat(member);
    if (seat.up) this.crash(member);
    const { isBlank, kept } =
      disk === 'lost' ? { isBlank: true, kept: blank } : { isBlank: seat.isBlank, kept: seat.kept };
    const how = disk === 'lost' ? 'restarts without its disk' : 'restarts';
    this.options.watch?.befell?.(++this.steps, member, how);
    const found = disk === 'lost' ? this.protocol.stable() : seat.disk;
    Object.assign(seat, this.seatOf(member, found), { isBlank, kept, state: kept });
    // Lives are counted: each is another one.
    const incarnation = this.steps;
    this.step(member, { type: 'start', incarnation, ...(isBlank ? { rejoin: true } : {}) });
  }

  install(member: ReplicaId): void {
    const seat = this.seat(member);
    const { wanted } = seat;
    const state = wanted && this.states.get(wanted.digest);
    if (wanted === undefined || state === undefined) return;
    Object.assign(seat, { wanted: undefined, state });
    this.step(member, { type: 'snapshot-installed', ...wanted, ...about(state) });
    seat.kept = state;
  }

  betray(member: ReplicaId): void {
    this.options.watch?.befell?.(++this.steps, member, 'lies');
    this.liars.add(member);
  }

  say(liar: ReplicaId, to: readonly ReplicaId[], message: S['Message']): void {
    const signed = this.sign(message, liar);
    for (const each of to) this.send({ at: this.now, from: liar, to: each, message: signed });
  }

  sign<M extends S['Message']>(message: M, liar: ReplicaId): Signed<M> {
    if (!this.liars.has(liar)) throw new RangeError(`n${liar} is honest: nobody signs for it`);
    return this.keys.sign(message, liar);
  }

  digest<T extends object>(field: Field<T>, value: T): Digest {
    return this.options.digest(field, value);
  }

  view(member: ReplicaId): Replica<S> {
    const { stable, volatile } = this.seat(member).machine.snapshot();
    return { ...stable, ...volatile };
  }

  leads(member: ReplicaId): boolean {
    const { up, machine } = this.seat(member);
    return up && machine.status().leader === member;
  }

  decided(member: ReplicaId): number {
    return this.seat(member).state.decided.length;
  }

  expectAnswers(why: string): void {
    const open = this.asked.size - this.answered;
    if (open === 0) return;
    const what = open === 1 ? 'one request is' : `${open} requests are`;
    const sentence = `${what} unanswered ${why}`;
    this.fault({ word: 'stalled', rule: 'liveness', sentence, members: [] });
  }

  expect(holds: boolean, rule: string, sentence: string): void {
    const word = rule === 'liveness' ? 'stalled' : 'invalid';
    if (!holds) this.fault({ word, rule, sentence, members: [] });
  }
}
