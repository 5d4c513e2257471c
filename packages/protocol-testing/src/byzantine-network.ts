/**
 * A small network for the tests of protocols that tolerate lies: it honours the journal rule,
 * checks every signature before a step as hosts do, and leaves the order of everything to the test.
 */
import {
  type Certificate,
  type Event,
  encode,
  type Output,
  type Protocol,
  type Replica,
  type Request,
  request as requestField,
  type Seal,
  type Shape,
  type Signed,
  seal,
  type Tagged,
  toHex,
  toUtf8,
} from '@quorumlab/core';
import { hash } from './digest.ts';
import { signatureOf, word } from './requests.ts';
import { bare, ScriptedHost } from './scripted-host.ts';

/** A protocol whose commands are signed requests. */
export interface RequestShape extends Shape {
  readonly Command: Signed<Request>;
}

/** A message on its way. */
export interface Flight<P extends Shape> {
  /** When it was sent. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly message: Signed<P['Message']>;
}

/** What a traitor does to one of its outgoing messages. */
export type Treason<P extends Shape> = (flight: {
  readonly to: number;
  readonly message: P['Message'];
}) => readonly { readonly to: number; readonly message: P['Message'] }[];

/** When a crash hits a step: before its writes, or after them and before anything is sent. */
export type CrashPhase = 'before writes' | 'before sends';

/** Which messages. */
export type Filter<P extends Shape> = (flight: Flight<P>) => boolean;

/** How far an application is, and in what state. */
interface Snapshot {
  readonly applied: number;
  readonly state: number;
  /** Absent: the group was never changed. */
  readonly configuration?: Uint8Array;
}

/** One member with all that a host has for it. */
export class Seat<P extends RequestShape> extends ScriptedHost<P> {
  treason: Treason<P> | undefined;
  /** Next slot to be applied, and the hash of everything applied. */
  applied = 0;
  state = 0;
  /** What its protocol has told of the group. */
  configuration: Uint8Array | undefined;
  /** The application's last snapshot, and the last one that is on its disk. */
  taken: Snapshot = { applied: 0, state: 0 };
  snapshot: Snapshot = { applied: 0, state: 0 };
  readonly decisions: Map<number, readonly P['Command'][]> = new Map();
  fetches: { slot: number; digest: string; holders: readonly number[] }[] = [];
  /** Is told of each step, and of what came of it. */
  watcher: ((event: Event<P>, output: Output<P>) => void) | undefined;

  override step(event: Event<P>): Output<P> {
    const output = super.step(event);
    this.watcher?.(event, output);
    return output;
  }
}

/** A message as it was said, and with its seal. */
interface Said<P extends RequestShape> {
  readonly from: number;
  readonly message: P['Message'];
  readonly signed: Signed<P['Message']>;
}

/** See the module's comment. */
export class ByzantineNetwork<P extends RequestShape> {
  readonly protocol: Protocol<P>;
  readonly seats: Seat<P>[];
  readonly flights: Flight<P>[] = [];
  /** Messages that left for another replica, by kind. */
  readonly sent: Map<string, number> = new Map();
  readonly lines: Set<string> = new Set();
  readonly accused: Set<number> = new Set();
  readonly refused: Flight<P>[] = [];
  /** What honest replicas decided, by slot. */
  readonly agreed: Map<number, string> = new Map();
  readonly executed: Set<string> = new Set();
  violation: string | undefined;
  private readonly snapshotOf: (disk: P['Stable']) => number;
  private readonly vows: Map<string, string> = new Map();
  now = 0;
  steps = 0;
  /** Crash `seat` at step number `at` (counted over all seats). */
  crash: { readonly at: number; readonly phase: CrashPhase } | undefined;
  crashed: number | undefined;
  /** What was said last: it goes to many, and is sealed once. */
  private said: Said<P> | undefined;
  /** Messages that were found right, with all that is in them: many hear the same. */
  private readonly genuine: WeakSet<object> = new WeakSet();

  constructor(
    protocol: Protocol<P>,
    /** How many slots the snapshot covers that a disk tells of. */
    snapshotOf: (disk: P['Stable']) => number,
  ) {
    this.snapshotOf = snapshotOf;
    this.protocol = protocol;
    this.seats = protocol.members.map((self) => new Seat(self, bare(protocol, self), this));
    for (const self of protocol.members) this.input(self, { type: 'start' });
  }

  seat(self: number): Seat<P> {
    return this.seats[self] as Seat<P>;
  }

  state(self: number): Replica<P> {
    return this.seat(self).view();
  }

  /** Seals `message` as `from`: what a host does with its own key only. */
  sign<M extends P['Message']>(message: M, from: number): Signed<M> {
    const { kind } = message;
    const bytes = encode(this.protocol.messages, strip(message));
    if ('from' in message) throw new Error(`a sealed ${kind} cannot be sealed again`);
    return seal<M>(message, from, signatureOf(message, from, bytes));
  }

  /** Whether every signature in and on `message` is right. */
  check(message: Signed<P['Message']>): boolean {
    if (!this.genuine.has(message) && !this.isGenuine(message)) return false;
    this.genuine.add(message);
    return true;
  }

  private isGenuine(message: Signed<P['Message']>): boolean {
    if (!this.sealed(message, message)) return false;
    for (const each of this.protocol.evidence?.(strip(message)) ?? []) {
      if ('seals' in each) {
        const { body, seals } = each as Certificate<P['Message']>;
        if (!seals.every((one) => this.sealed(body, one))) return false;
      } else if (!this.sealed(each as Signed<Tagged>, each)) return false;
    }
    return true;
  }

  private sealed(body: Tagged, by: { from: number; signature: Uint8Array }): boolean {
    const bytes =
      body.kind === 'request'
        ? encode(requestField, body as Request)
        : encode(this.protocol.messages, strip(body as P['Message']));
    return toHex(signatureOf(body, by.from, bytes)) === toHex(by.signature);
  }

  /** What `self` would do upon `event`; it does not do it. */
  wouldDo(self: number, event: Event<P>): Output<P> {
    return this.seat(self).wouldDo(event);
  }

  /** What `to` would do upon `message`; it does not do it. */
  wouldAnswer(from: number, to: number, message: P['Message']): Output<P> {
    return this.wouldDo(to, { type: 'message', message: this.sign(message, from) });
  }

  /** Brings `message` of `from` to `to` at once. */
  inject(from: number, to: number, message: P['Message']): void {
    this.receive({ at: this.now, from, to, message: this.sign(message, from) });
  }

  /** One step of `self`, with everything that a host does around it. */
  input(self: number, event: Event<P>): void {
    const seat = this.seat(self);
    if (!seat.up) return;
    const phase = this.crash?.at === this.steps ? this.crash.phase : undefined;
    this.steps += 1;
    const outputs = [seat.step(event)];
    for (let i = 0; i < outputs.length; i++) {
      const output = outputs[i] as Output<P>;
      // The service applies decisions in the step that makes them; its snapshot is part of it.
      for (const { slot, commands, configured } of output.decisions) {
        if (configured !== undefined) seat.configuration = configured.state;
        const taken = this.apply(self, slot, commands, phase !== undefined);
        if (taken !== undefined) outputs.push(seat.step(taken));
      }
    }
    if (phase === 'before writes') return this.stop(self);
    for (const { writes } of outputs) seat.write(writes);
    if (this.snapshotOf(seat.disk) === seat.taken.applied) seat.snapshot = seat.taken;
    if (phase === 'before sends') return this.stop(self);
    for (const output of outputs) this.release(self, output);
  }

  private apply(
    self: number,
    slot: number,
    batch: readonly P['Command'][],
    lost: boolean,
  ): Event<P> | undefined {
    const seat = this.seat(self);
    const text = batch
      .map((each) => `${each.client}/${each.sequence}/${toHex(each.operations[0] ?? word(0))}`)
      .join();
    if (slot !== seat.applied) this.violation ??= `${self} decides ${slot}, not ${seat.applied}`;
    if (seat.treason === undefined && !lost) {
      const before = this.agreed.get(slot);
      if (before !== undefined && before !== text)
        this.violation ??= `slot ${slot}: ${before} and, at ${self}, ${text}`;
      this.agreed.set(slot, text);
      for (const each of batch) this.executed.add(`${each.client}/${each.sequence}`);
    }
    seat.decisions.set(slot, batch);
    seat.applied = slot + 1;
    seat.state = hash(toUtf8(text), seat.state);
    const every = this.protocol.snapshotEvery ?? 0;
    if (every === 0 || seat.applied % every !== 0) return undefined;
    seat.taken = snapshotOf(seat);
    const { configuration } = seat.taken;
    const digest = stateDigest(seat.state);
    return { type: 'snapshot-taken', slot, digest, ...(configuration && { configuration }) };
  }

  private release(self: number, output: Output<P>): void {
    const seat = this.seat(self);
    for (const id of output.lines) this.lines.add(id);
    for (const { first } of output.accusations) this.accused.add(first.from);
    seat.arm(output.timers);
    for (const { to, message } of output.sends)
      for (const one of to === 'all' ? this.protocol.members : [to]) {
        const all = one === self ? undefined : seat.treason?.({ to: one, message });
        for (const each of all ?? [{ to: one, message }]) this.post(self, each.to, each.message);
      }
    seat.fetches.push(...output.fetches);
  }

  /** Puts a message of `from` on its way: also what a traitor invents. */
  post(from: number, to: number, message: P['Message']): void {
    if (from !== to) this.sent.set(message.kind, (this.sent.get(message.kind) ?? 0) + 1);
    if (this.said?.message !== message || this.said.from !== from) {
      this.guard(from, message);
      this.said = { from, message, signed: this.sign(message, from) };
    }
    this.flights.push({ at: this.now, from, to, message: this.said.signed });
  }

  /** One signer, one word: honest replicas keep every vow, whatever crashes come between. */
  private guard(from: number, message: P['Message']): void {
    if (this.seat(from).treason !== undefined) return;
    for (const [about, what] of this.protocol.vows?.(message) ?? []) {
      const key = `${from} ${about}`;
      const earlier = this.vows.get(key);
      if (earlier !== undefined && earlier !== what)
        this.violation ??= `${key}: said ${earlier}, and then ${what}`;
      this.vows.set(key, what);
    }
  }

  /** Delivers one message if its signatures are right. */
  receive(flight: Flight<P>): void {
    if (this.check(flight.message))
      this.input(flight.to, { type: 'message', message: flight.message });
    else this.refused.push(flight);
  }

  /** Delivers all messages that match, also those that this brings about, in order. */
  deliver(filter: Filter<P> = () => true): void {
    for (let count = 0; count < 100_000; count++) {
      const at = this.flights.findIndex(filter);
      if (at < 0) return;
      this.receive(this.flights.splice(at, 1)[0] as Flight<P>);
    }
    throw new Error('the network does not become quiet');
  }

  drop(filter: Filter<P> = () => true): void {
    const left = this.flights.filter((each) => !filter(each));
    this.flights.length = 0;
    this.flights.push(...left);
  }

  /** The replica's application gets what it asked for, if a holder that is up has it. */
  transfer(self: number): void {
    const seat = this.seat(self);
    const left = [];
    for (const wanted of seat.fetches) {
      const holder = wanted.holders
        .map((each) => this.seat(each))
        .find((each) => each.up && each.snapshot.applied >= wanted.slot + 1);
      if (holder === undefined || wanted.slot < seat.applied) {
        if (wanted.slot >= seat.applied) left.push(wanted);
        continue;
      }
      if (holder.snapshot.applied !== wanted.slot + 1) continue; // A newer proof will come.
      goBack(seat, holder.snapshot);
      seat.taken = holder.snapshot;
      const { configuration } = holder.snapshot;
      const { slot, digest } = wanted;
      const about = configuration && { configuration };
      this.input(self, { type: 'snapshot-installed', slot, digest, ...about });
    }
    seat.fetches = left;
  }

  /** Fires the named timer of `self` now; it must be set. */
  fire(self: number, timer: P['Timer']): void {
    const seat = this.seat(self);
    const due = seat.due(timer) ?? 0;
    const event = seat.fired(timer);
    this.now = Math.max(this.now, due);
    this.input(self, event);
  }

  /** Fires the next timer of all those set, if it is due by `until`. */
  tick(until: number): boolean {
    let next: { self: number; timer: P['Timer']; due: number } | undefined;
    for (const [self, seat] of this.seats.entries())
      if (seat.up)
        for (const [timer, [, due]] of seat.timers)
          if (next === undefined || due < next.due) next = { self, timer, due };
    if (next === undefined || next.due > until) return false;
    this.fire(next.self, next.timer);
    return true;
  }

  /** A healed network: delivers everything and lets time pass until `done` or for `time`. */
  run(time: number, done: () => boolean = () => false): void {
    const until = this.now + time;
    for (;;) {
      this.deliver();
      for (const self of this.protocol.members) this.transfer(self);
      this.deliver();
      if (done() || !this.tick(until)) return;
    }
  }

  /** Like {@link run}, but every message takes `delay`. */
  runDelayed(time: number, delay: number, done: () => boolean): void {
    const until = this.now + time;
    while (!done()) {
      const first = this.flights[0];
      const arrival = first === undefined ? Number.POSITIVE_INFINITY : first.at + delay;
      if (this.tick(Math.min(arrival, until))) continue;
      if (first === undefined || arrival > until) return;
      this.now = Math.max(this.now, arrival);
      this.flights.shift();
      this.receive(first);
    }
  }

  stop(self: number): void {
    this.seat(self).crash();
    this.crashed = self;
  }

  /** Starts `self` again with nothing but its disk. */
  restart(self: number): void {
    const seat = this.seat(self);
    seat.boot();
    seat.fetches = [];
    goBack(seat, seat.snapshot);
    this.input(self, { type: 'start' });
  }
}

const snapshotOf = <P extends RequestShape>({
  applied,
  state,
  configuration,
}: Seat<P>): Snapshot => ({
  applied,
  state,
  ...(configuration && { configuration }),
});

/** The application of `seat` is as it was when `snapshot` was taken. */
function goBack<P extends RequestShape>(seat: Seat<P>, snapshot: Snapshot): void {
  seat.applied = snapshot.applied;
  seat.state = snapshot.state;
  seat.configuration = snapshot.configuration;
}

const stateDigest = (state: number): string => state.toString(16).padStart(64, '0');

function strip<M extends Tagged>(message: M): M {
  const { from: _, signature: __, ...rest } = message as M & Partial<Seal>;
  return rest as unknown as M;
}
