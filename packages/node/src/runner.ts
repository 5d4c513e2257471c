/** The loop in which a machine lives: inputs, steps, "durable before said", outputs. */
import { randomInt } from 'node:crypto';
import {
  type Event,
  type Input,
  type Instant,
  type Journal,
  journal,
  type Machine,
  maxInteger,
  nothing,
  type Output,
  type PrincipalId,
  type Shape,
  type TimerChange,
  type Write,
} from '@quorumlab/core';
import type { LogOutput } from '@quorumlab/log';
import { Backlog } from './backlog.ts';
import { Commons } from './commons.ts';
import { Inbox, type Taken } from './inbox.ts';
import { type FrameRefusal, frameOf, Intake, noRefusals, type WaitingFrame } from './intake.ts';
import type { Mesh } from './mesh-port.ts';
import { OwnOperations, overloaded } from './own-operations.ts';
import { type Payer, payerOf, peerOf } from './payer.ts';
import { countReason, PeerAccounts } from './peer-account.ts';
import { Raises } from './raises.ts';
import type { RunnerCounters, RunnerOptions } from './runner-options.ts';
import { Speaker } from './speaker.ts';
import { interval, microseconds, now } from './time.ts';
import { type Due, Timers } from './timers.ts';
import { answersTo, Budgets, costOfStep } from './work.ts';

type Waiting<S extends Shape> =
  | { readonly type: 'event'; readonly event: Event<S> }
  | { readonly type: 'due'; readonly due: Due<S['Timer']> }
  | WaitingFrame<S>;

/** The network as the loop sees it. */
type Network = Pick<Mesh, 'send' | 'penalise'>;

/**
 * Runs one machine. Everything that waits is stepped in one tick; what the steps write goes to the
 * disk in one commit, and while that is under way the next tick gathers (core's `journal`).
 */
export class Runner<S extends Shape> {
  readonly counters: RunnerCounters = {
    steps: 0,
    ticks: 0,
    commits: 0,
    refused: noRefusals(),
    notNeeded: 0,
    refusedSubmits: 0,
    accusations: 0,
  };
  /** What is stepped: the honest machine, or a behaviour around it. */
  machine: Machine<S>;
  readonly #options: RunnerOptions<S>;
  readonly #self: PrincipalId;
  readonly #commons: Commons;
  readonly #accounts: PeerAccounts;
  readonly #inbox: Inbox<Waiting<S>>;
  readonly #intake: Intake<S>;
  readonly #budgets: Budgets;
  readonly #raises: Raises<S>;
  readonly #own: OwnOperations;
  readonly #journal: Journal<S>;
  readonly timers: Timers<S['Timer']>;
  readonly #speaker: Speaker<S>;
  /** What was released, to be said and done in its order. */
  readonly #backlog = new Backlog();
  readonly #listeners = new Set<(output: LogOutput) => void>();
  readonly #cut = new Set<PrincipalId>();
  #network: Network | undefined;
  /** What of it waits for the disk, as the commons know it. */
  #outputBytes = 0;
  #stopped = false;

  constructor(options: RunnerOptions<S>) {
    this.#options = options;
    this.machine = options.machine;
    this.#self = options.machine.self;
    this.#accounts = options.accounts ?? new PeerAccounts();
    this.#commons = options.commons ?? new Commons(options.limits);
    const { loads, buckets, wheel } = this.#commons;
    this.#inbox = new Inbox(options.limits, this.#self, loads);
    this.#budgets = new Budgets(options.limits, options.members, buckets);
    this.#raises = new Raises(options.limits);
    this.#own = new OwnOperations(options.limits);
    this.#intake = new Intake({
      ...options,
      machine: () => this.machine,
      maxFrameBytes: options.limits.maxFrameBytes,
      accounts: this.#accounts,
    });
    this.timers = new Timers((due) => this.#wait({ type: 'due', due }), wheel);
    this.#speaker = new Speaker({
      ...options,
      self: this.#self,
      budgets: this.#budgets,
      accounts: this.#accounts,
      keep: (message) => this.#wait({ type: 'event', event: { type: 'message', message } }),
      send: (id, frame) => this.#network?.send(id, frame),
    });
    this.#journal = journal<S>({
      early: (messages) => this.#speaker.say(messages),
      commit: (writes, done) => this.#commit(writes, done),
      release: (output) => this.#release(output),
    });
    const { rejoin = false } = options;
    // Chance tells lives apart; a clock may be set back, and a disk may be lost.
    const incarnation = randomInt(1, maxInteger);
    const event = { type: 'start', incarnation, ...(rejoin ? { rejoin } : {}) } as const;
    this.#wait({ type: 'event', event });
  }

  /** Starts stepping. Frames that came before have waited. */
  start(network: Network): void {
    this.#network = network;
    this.#schedule();
  }

  /** Ends at once: nothing is stepped and nothing is said any more. */
  stop(): void {
    this.#stopped = true;
    this.#speaker.stop();
    this.#backlog.clear();
    this.#inbox.clearAll();
    this.#commons.outputs(-this.#outputBytes);
    this.#outputBytes = 0;
    this.#commons.leave(this.#turn);
    this.timers.stop();
  }

  /** Gives the machine an event of this process. */
  hand(event: Event<S>): void {
    if (this.#stopped) return;
    if (event.type === 'submit' && !this.#own.admit(event)) {
      this.counters.refusedSubmits++;
      const text = 'Refused an operation of this process: too many wait.';
      this.#options.notices.note('warn', { reason: 'overload' }, text);
      this.#tell({ applied: [], writes: [], answers: [overloaded(event.id)] });
      return;
    }
    this.#wait({ type: 'event', event });
  }

  /** Calls `listener` with every output once it is durable. Returns how to stop that. */
  listen(listener: (output: LogOutput) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes a frame of `peer`, which the channel has proven; the bytes are copied. */
  receive(peer: PrincipalId, frame: Uint8Array): void {
    if (this.#stopped) return;
    const found = this.#intake.glance(peer, frame);
    if ('reason' in found) return this.#refuseUnread(peer, frame, found.reason);
    const payer = payerOf(peer, this.#options.passedOnKinds?.has(found.kind) === true);
    this.#inbox.push(payer, frameOf(peer, payer, found, frame), frame.byteLength);
    this.#schedule();
  }

  #refuseUnread(peer: PrincipalId, frame: Uint8Array, reason: FrameRefusal): void {
    this.#commons.paid(peer, frame.byteLength);
    this.#refuse(peer, reason);
  }

  /** See {@link Commons.busyMs}. */
  busyMs(peer: PrincipalId): number {
    return this.#commons.busyMs(peer);
  }

  /** Reports that the link to `peer` began or ended. */
  peer(id: PrincipalId, connected: boolean): void {
    if (connected) this.#cut.delete(id);
    else this.#cut.add(id);
  }

  #wait(waiting: Waiting<S>): void {
    this.#inbox.pushOwn(waiting);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#stopped || this.#network === undefined) return;
    this.#commons.loop.schedule(this.#turn);
  }

  readonly #turn = (until: number): void => {
    this.#goOn(until);
    if (this.#backlog.waits) return;
    const { limits, sealsAhead = false } = this.#options;
    const { inputsPerTick } = limits;
    this.counters.ticks++;
    const at = microseconds();
    const clock = interval(this.#options.clockError());
    const begin = now();
    const { commits } = this.counters;
    let blocked = false;
    let stepped: Event<S> | undefined;
    try {
      this.#speaker.sealAhead(until);
      for (let i = 0; i < inputsPerTick && (i === 0 || now() < until); i++) {
        if (this.#stopped || this.#isFull()) break;
        const taken = this.#inbox.take((sender) => this.#budgets.debt(sender, begin) === 0);
        blocked = taken === undefined;
        if (taken === undefined) break;
        const event = this.#admitted(taken.item, at, until);
        if (event === undefined) continue;
        stepped = event;
        this.#step({ now: at, clock, event }, taken);
        if (this.#backlog.waits) break;
        // The disk begins once this turn is over: before more signatures are checked.
        if (sealsAhead && this.counters.commits > commits) break;
      }
      stepped = undefined;
      this.#options.chronicle?.look(this.machine.status());
      this.#options.ticked?.();
    } catch (error) {
      this.#fail(error, stepped);
    }
    if (this.#speaker.hasToSeal) this.#schedule();
    if (this.#inbox.size === 0 || this.#stopped) return;
    // Its own disk wakes it; or that of others, if it is they who wait for it.
    if (this.#isFull()) return this.#commons.whenRoom(this.#turn);
    if (!blocked) return this.#schedule();
    // All that waits is of peers that have spent what they may.
    this.#commons.loop.wait(this.#turn);
  };

  #step(input: Input<S>, { sender: payer, item }: Taken<Waiting<S>>): void {
    this.counters.steps++;
    const begin = now();
    const output = this.machine.step(input);
    const peer = peerOf(payer);
    this.#accounts.charge(peer, 'step', begin);
    const cost = costOfStep(item.type === 'frame' ? item.bytes.byteLength : 0);
    this.#charge(payer, cost + answersTo(output, peer));
    if (item.type === 'frame') this.#raises.stepped(this.machine, item.from, output, begin);
    if (output === nothing) return;
    this.#options.moved?.(output);
    this.#journal.add(output);
    if (this.#journal.waiting() > 0) this.#speaker.wait(output.sends);
  }

  /** Whether nothing waits: neither to be stepped, nor for the disk, nor to be said. */
  get isIdle(): boolean {
    return this.#inbox.size === 0 && this.#journal.waiting() === 0 && !this.#backlog.waits;
  }

  #charge(payer: Payer, cost: number): void {
    this.#inbox.charge(payer, cost);
    if (payer !== this.#self) this.#budgets.spend(payer, cost, now());
  }

  /** Whether so much waits for the disk that inputs have to wait too: back-pressure. */
  #isFull(): boolean {
    const bytes = this.#journal.waitingBytes();
    if (bytes !== this.#outputBytes) this.#commons.outputs(bytes - this.#outputBytes);
    this.#outputBytes = bytes;
    return this.#commons.isFull || this.#journal.waiting() >= this.#options.limits.waitingOutputs;
  }

  /** The event of what waited, if it still counts and all its signatures are good. */
  #admitted(waiting: Waiting<S>, at: Instant, until: number): Event<S> | undefined {
    switch (waiting.type) {
      case 'event':
        if (waiting.event.type === 'submit') this.#own.release(waiting.event);
        return waiting.event;
      case 'due':
        return this.timers.claim(waiting.due)
          ? { type: 'timeout', timer: waiting.due.timer }
          : undefined;
      case 'frame':
        return this.#checked(waiting, at, until);
    }
  }

  #checked(waiting: WaitingFrame<S>, at: Instant, until: number): Event<S> | undefined {
    const { peer, payer } = waiting;
    const opened = this.#intake.open(waiting, at, until);
    this.#charge(payer, opened.cost);
    switch (opened.type) {
      case 'unfinished':
        this.#inbox.putBack(payer, waiting);
        return undefined;
      case 'refused':
        return this.#refuse(peer, opened.reason);
      case 'checked':
        this.#options.hooks.heard?.(opened.message, waiting.bytes, peer);
        if (opened.evidence) break;
        if (this.#raises.isTooMany(this.machine, opened.message, now()))
          return this.#note(peer, 'raised-too-often');
        return { type: 'message', message: opened.message };
      case 'not-needed':
        break;
    }
    this.counters.notNeeded++;
    return undefined;
  }

  #refuse(peer: PrincipalId, reason: FrameRefusal): undefined {
    this.#note(peer, reason);
    this.#network?.penalise(peer, reason);
    // What a peer that was just cut off has left behind is not worth the computing.
    if (!this.#cut.has(peer)) return;
    const payer = payerOf(peer, true);
    const cleared = this.#inbox.clear(peer) + (payer === peer ? 0 : this.#inbox.clear(payer));
    this.counters.refused['cut-off'] += cleared;
    countReason(this.#accounts.of(peer).refused, 'cut-off', cleared);
  }

  #note(peer: PrincipalId, reason: FrameRefusal): undefined {
    this.counters.refused[reason]++;
    countReason(this.#accounts.of(peer).refused, reason);
    this.#options.hooks.refused?.(peer, reason);
    this.#options.notices.note('warn', { peer, reason }, 'Refused a frame.');
  }

  #commit(writes: readonly Write<S>[], done: () => void): void {
    this.counters.commits++;
    this.#options
      .commit(writes)
      .then(() => {
        if (this.#stopped) return;
        done();
        this.#isFull();
        if (this.#inbox.size > 0) this.#schedule();
      })
      .catch((error: unknown) => this.#fail(error));
  }

  /**
   * What may be said now is said in slices: answers to many may have waited for one commit, and to
   * seal and to send all of them at once would hold up everything else.
   */
  #release(output: Output<S>): void {
    if (this.#stopped) return;
    for (const piece of this.#speaker.pieces(output.sends)) this.#backlog.add(piece);
    this.#backlog.add(() => this.#conclude(output));
    this.#goOn(now() + this.#options.limits.sliceMs);
  }

  /** Does what is left to do; no input is stepped before all of it is done. */
  #goOn(until: number): void {
    try {
      this.#backlog.run(until);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#backlog.waits) this.#schedule();
  }

  #conclude(output: Output<S>): void {
    if (this.#stopped) return;
    for (const change of output.timers) this.#change(change);
    for (const { first } of output.accusations) this.#accuse(first.from, first.kind);
    this.#budgets.released(output, now());
    this.#observe(output);
    if (output.applied.length + output.answers.length > 0 || output.writes.length > 0)
      this.#tell(output);
  }

  /** Somebody has broken its word, and both of its messages are signed. */
  #accuse(peer: PrincipalId, kind: string): void {
    this.counters.accusations++;
    const fields = { peer, reason: kind };
    const text = 'A member said two things of which only one may be said: it lies, or runs twice.';
    this.#options.notices.note('error', fields, text);
  }

  #observe(output: Output<S>): void {
    const { stepped, decided } = this.#options.hooks;
    if (decided === undefined && stepped === undefined) return;
    const at = microseconds();
    for (const decision of output.decisions) decided?.(at, decision);
    stepped?.(at, output, this.machine.status());
  }

  #tell(output: LogOutput): void {
    for (const listener of this.#listeners) listener(output);
  }

  #change(change: TimerChange<S>): void {
    if (change.type === 'set') this.timers.set(change.timer, change.after);
    else this.timers.clear(change.timer);
  }

  #fail(thrown: unknown, event?: Event<S>): void {
    if (this.#stopped) return;
    this.stop();
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (event?.type !== 'message') return this.#options.onFailure(error);
    const { from: peer, kind } = event.message;
    // Whoever reads only this sentence should know whom to look at.
    error.message += ` (It happened in a step for the message ${kind} of principal ${peer}.)`;
    this.#options.onFailure(error, { peer, kind });
  }
}
