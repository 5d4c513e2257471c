/** The loop in which a machine lives: inputs, steps, "durable before said", outputs. */
import { randomInt } from 'node:crypto';
import {
  type Answer,
  type Decision,
  type Event,
  type Instant,
  type Journal,
  journal,
  type Machine,
  maxInteger,
  nothing,
  type Outgoing,
  type Output,
  type PrincipalId,
  type ReplicaId,
  type Shape,
  type Signed,
  type Status,
  type TimerChange,
  type Write,
} from '@quorumlab/core';
import type { LogOutput } from '@quorumlab/log';
import { type Envelopes, isRefusal, type Keyring, type RefusalReason } from '@quorumlab/wire';
import { Backlog } from './backlog.ts';
import type { Chronicle } from './chronicle.ts';
import type { HostLimits } from './host-limits.ts';
import { Inbox, type InboxLoad } from './inbox.ts';
import type { Mesh } from './mesh.ts';
import type { Notices } from './notices.ts';
import { countReason, PeerAccounts } from './peer-account.ts';
import { interval, microseconds, now } from './time.ts';
import { type Due, Timers } from './timers.ts';

/** Why a frame was not given to the machine. */
export type FrameRefusal =
  | RefusalReason
  | 'bad-signature'
  | 'bad-evidence'
  | 'overload'
  /** It waited behind others when its sender was cut off. */
  | 'cut-off';

/** What an observer of a running machine may listen to. Everything is told once it is durable. */
export interface RunnerHooks<S extends Shape> {
  /** One step is durable and will be said now. */
  readonly stepped?: (at: Instant, output: Output<S>, status: Status) => void;
  /** A slot was decided. */
  readonly decided?: (at: Instant, decision: Decision<S>) => void;
  /** A message was sealed and handed to the network. */
  readonly said?: (message: Signed<S['Message']>, to: PrincipalId | 'all') => void;
  /** A message whose signatures, outer and inner, were good; and its frame. */
  readonly heard?: (message: Signed<S['Message']>, frame: Uint8Array, peer: PrincipalId) => void;
  /** A frame was refused. */
  readonly refused?: (peer: PrincipalId, reason: FrameRefusal) => void;
}

/** Whose message made a step fail. */
export interface Culprit {
  readonly peer: PrincipalId;
  readonly kind: string;
}

/** What {@link Runner} needs. */
export interface RunnerOptions<S extends Shape> {
  readonly machine: Machine<S>;
  /** The group: to whom `all` goes. */
  readonly members: readonly ReplicaId[];
  /** Makes and checks seals; asked at each message, because a traitor's is another one. */
  readonly keyring: () => Keyring<S['Message']>;
  readonly envelopes: Envelopes<S['Message']>;
  /** Makes writes durable. A rejection is final. */
  readonly commit: (writes: readonly Write<S>[]) => Promise<void>;
  readonly limits: HostLimits;
  readonly hooks: RunnerHooks<S>;
  /** Where refusals are reported. */
  readonly notices: Notices;
  /** Where what each peer takes is added up; the loop has its own unless told. */
  readonly accounts?: PeerAccounts;
  /** Who tells the log what the machine does; a client's does nothing worth telling. */
  readonly chronicle?: Pick<Chronicle, 'look' | 'said'>;
  /** By how much this machine's wall clock may be wrong, in microseconds. */
  readonly clockError: number;
  /** The machine has run before, and its disk was lost since. Not so unless told. */
  readonly rejoin?: boolean;
  /** Called once, with what stopped the loop. */
  /** `culprit`: the peer whose message was being stepped, and what kind of message it was. */
  readonly onFailure: (error: Error, culprit?: Culprit) => void;
}

/** Totals since the start. */
export interface RunnerCounters {
  /** Events given to the machine. */
  steps: number;
  /** Times the loop ran. */
  ticks: number;
  /** Batches made durable. */
  commits: number;
  /** Frames refused, by reason. */
  readonly refused: Record<FrameRefusal, number>;
  /** Pairs of messages seen of which their sender may say only one. */
  accusations: number;
  /** Operations of this process that were refused because too many waited. */
  refusedSubmits: number;
}

type Waiting<S extends Shape> =
  | { readonly type: 'event'; readonly event: Event<S> }
  | { readonly type: 'due'; readonly due: Due<S['Timer']> }
  | { readonly type: 'frame'; readonly message: Signed<S['Message']>; readonly peer: PrincipalId };

/** How long the loop works before everything else in the process gets its turn, in ms. */
const sliceMs = 4;
/** So many messages are sealed and handed to the network between two looks at the clock. */
const sendsPerPiece = 4;

/** The network as the loop sees it. */
type Network = Pick<Mesh, 'send' | 'penalise'>;

const noReasons = (): Record<FrameRefusal, number> => ({
  oversized: 0,
  'wrong-version': 0,
  'wrong-domain': 0,
  'not-a-member': 0,
  'not-the-sender': 0,
  'unknown-kind': 0,
  malformed: 0,
  'bad-signature': 0,
  'bad-evidence': 0,
  overload: 0,
  'cut-off': 0,
});

/**
 * Runs one machine. Everything that waits is stepped in one tick; what the steps write goes to the
 * disk in one commit, and while that is under way the next tick gathers (core's `journal`).
 */
export class Runner<S extends Shape> {
  readonly counters: RunnerCounters = {
    steps: 0,
    ticks: 0,
    commits: 0,
    refused: noReasons(),
    refusedSubmits: 0,
    accusations: 0,
  };
  /** What is stepped: the honest machine, or a behaviour around it. */
  machine: Machine<S>;
  readonly #options: RunnerOptions<S>;
  readonly #self: PrincipalId;
  readonly #accounts: PeerAccounts;
  readonly #inbox: Inbox<Waiting<S>>;
  readonly #journal: Journal<S>;
  readonly #timers: Timers<S['Timer']>;
  /** What was released, to be said and done in its order. */
  readonly #backlog = new Backlog();
  readonly #listeners = new Set<(output: LogOutput) => void>();
  readonly #cut = new Set<PrincipalId>();
  #network: Network | undefined;
  #scheduled = false;
  #stopped = false;
  #submits = 0;
  #submitBytes = 0;

  constructor(options: RunnerOptions<S>) {
    this.#options = options;
    this.machine = options.machine;
    this.#self = options.machine.self;
    this.#accounts = options.accounts ?? new PeerAccounts();
    this.#inbox = new Inbox(options.limits);
    this.#timers = new Timers((due) => this.#wait({ type: 'due', due }));
    this.#journal = journal<S>({
      early: (messages) => this.#say(messages),
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
    this.#backlog.clear();
    this.#timers.stop();
  }

  /** Gives the machine an event of this process. */
  hand(event: Event<S>): void {
    if (this.#stopped) return;
    if (event.type === 'submit') {
      const { waitingSubmits, waitingSubmitBytes } = this.#options.limits;
      const bytes = this.#submitBytes + event.operation.length;
      if (this.#submits >= waitingSubmits || bytes > waitingSubmitBytes) {
        this.counters.refusedSubmits++;
        const text = 'Refused an operation of this process: too many wait.';
        this.#options.notices.note('warn', { reason: 'overload' }, text);
        this.#tell({ applied: [], writes: [], answers: [overloaded(event.id)] });
        return;
      }
      this.#submits++;
      this.#submitBytes = bytes;
    }
    this.#wait({ type: 'event', event });
  }

  /** Calls `listener` with every output once it is durable. Returns how to stop that. */
  listen(listener: (output: LogOutput) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes a frame of `peer`, which the channel has proven; the bytes are not kept. */
  receive(peer: PrincipalId, frame: Uint8Array): void {
    if (this.#stopped) return;
    const { envelopes, limits } = this.#options;
    const keyring = this.#options.keyring();
    const begin = now();
    const message = envelopes.decode(frame, {
      maxFrameBytes: limits.maxFrameBytes,
      knows: keyring.knows,
      // Without signatures only the channel proves who speaks; with them, relays are welcome.
      ...(keyring.name === 'channel' ? { sender: peer } : {}),
    });
    this.#accounts.charge(peer, 'decode', begin);
    if (isRefusal(message)) return this.#refuse(peer, message.reason);
    if (!this.#inbox.push(peer, { type: 'frame', message, peer }, frame.byteLength))
      return this.#refuse(peer, 'overload');
    this.#schedule();
  }

  /** Frames of `peer` that wait to be checked and stepped, and their bytes. */
  waitingOf(peer: PrincipalId): InboxLoad {
    return this.#inbox.loadOf(peer);
  }

  /** Reports that the link to `peer` began or ended. */
  peer(id: PrincipalId, connected: boolean): void {
    if (connected) this.#cut.delete(id);
    else this.#cut.add(id);
  }

  #wait(waiting: Waiting<S>): void {
    this.#inbox.pushOwn(this.#self, waiting);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#stopped || this.#network === undefined) return;
    this.#scheduled = true;
    // After all sockets that are readable now, so that their frames share a tick.
    setImmediate(this.#tick);
  }

  readonly #tick = (): void => {
    this.#scheduled = false;
    this.#goOn();
    if (this.#backlog.waits) return;
    const { inputsPerTick } = this.#options.limits;
    this.counters.ticks++;
    const end = now() + sliceMs;
    const at = microseconds();
    const clock = interval(this.#options.clockError);
    let stepped: Event<S> | undefined;
    try {
      for (let i = 0; i < inputsPerTick; i++) {
        if (this.#stopped || this.#isFull()) break;
        const waiting = this.#inbox.take();
        if (waiting === undefined) break;
        const event = this.#admitted(waiting);
        if (event === undefined) continue;
        this.counters.steps++;
        stepped = event;
        const begin = now();
        const output = this.machine.step({ now: at, clock, event });
        const payer = waiting.type === 'frame' ? waiting.peer : this.#self;
        this.#accounts.charge(payer, 'step', begin);
        if (output !== nothing) this.#journal.add(output);
        if (this.#backlog.waits || now() >= end) break;
      }
      stepped = undefined;
      this.#options.chronicle?.look(this.machine.status());
    } catch (error) {
      this.#fail(error, stepped);
    }
    if (this.#inbox.size > 0 && !this.#isFull()) this.#schedule();
  };

  /** Whether so much waits for the disk that inputs have to wait too: back-pressure. */
  #isFull(): boolean {
    const { waitingOutputs, waitingOutputBytes } = this.#options.limits;
    return (
      this.#journal.waiting() >= waitingOutputs ||
      this.#journal.waitingBytes() >= waitingOutputBytes
    );
  }

  /** The event of what waited, if it still counts and all its signatures are good. */
  #admitted(waiting: Waiting<S>): Event<S> | undefined {
    switch (waiting.type) {
      case 'event':
        if (waiting.event.type === 'submit') {
          this.#submits--;
          this.#submitBytes -= waiting.event.operation.length;
        }
        return waiting.event;
      case 'due':
        return this.#timers.claim(waiting.due)
          ? { type: 'timeout', timer: waiting.due.timer }
          : undefined;
      case 'frame':
        return this.#checked(waiting.message, waiting.peer);
    }
  }

  #checked(message: Signed<S['Message']>, peer: PrincipalId): Event<S> | undefined {
    const begin = now();
    const fault = this.#faultOf(message);
    this.#accounts.charge(peer, 'verify', begin);
    if (fault !== undefined) return this.#refuse(peer, fault);
    this.#options.hooks.heard?.(message, this.#options.envelopes.encode(message), peer);
    return { type: 'message', message };
  }

  #faultOf(message: Signed<S['Message']>): FrameRefusal | undefined {
    const keyring = this.#options.keyring();
    if (!keyring.check(message)) return 'bad-signature';
    return keyring.checkEvidence(message) ? undefined : 'bad-evidence';
  }

  #refuse(peer: PrincipalId, reason: FrameRefusal): undefined {
    this.counters.refused[reason]++;
    countReason(this.#accounts.of(peer).refused, reason);
    this.#options.hooks.refused?.(peer, reason);
    const overload = reason === 'overload';
    const text = overload ? 'Dropped a frame: too many of this peer wait.' : 'Refused a frame.';
    this.#options.notices.note('warn', { peer, reason }, text);
    if (overload) return;
    this.#network?.penalise(peer, reason);
    // What a peer that was just cut off has left behind is not worth the computing.
    if (!this.#cut.has(peer)) return;
    const cleared = this.#inbox.clear(peer);
    this.counters.refused['cut-off'] += cleared;
    countReason(this.#accounts.of(peer).refused, 'cut-off', cleared);
  }

  #commit(writes: readonly Write<S>[], done: () => void): void {
    this.counters.commits++;
    this.#options
      .commit(writes)
      .then(() => {
        if (this.#stopped) return;
        done();
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
    const { sends } = output;
    for (let i = 0; i < sends.length; i += sendsPerPiece)
      this.#backlog.add(() => this.#say(sends.slice(i, i + sendsPerPiece)));
    this.#backlog.add(() => this.#conclude(output));
    this.#goOn();
  }

  /** Does what is left to do, for a slice of time; no input is stepped before all of it is done. */
  #goOn(): void {
    try {
      this.#backlog.run(now() + sliceMs);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#backlog.waits) this.#schedule();
  }

  #conclude(output: Output<S>): void {
    if (this.#stopped) return;
    for (const change of output.timers) this.#change(change);
    for (const { first } of output.accusations) this.#accuse(first.from, first.kind);
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
    if (change.type === 'set') this.#timers.set(change.timer, change.after);
    else this.#timers.clear(change.timer);
  }

  /** Seals and encodes each message once, whoever it goes to. */
  #say(messages: readonly Outgoing<S>[]): void {
    if (this.#stopped) return;
    const keyring = this.#options.keyring();
    const { envelopes, members, hooks, chronicle } = this.#options;
    let last: Outgoing<S>['message'] | undefined;
    let sealed: Signed<S['Message']> | undefined;
    let frame: Uint8Array | undefined;
    const begin = now();
    for (const { to, message } of messages) {
      if (message !== last || sealed === undefined) {
        sealed = keyring.sign(message);
        frame = undefined;
        last = message;
      }
      hooks.said?.(sealed, to);
      chronicle?.said(message, to);
      for (const id of to === 'all' ? members : [to]) {
        if (id === this.#self) {
          this.#wait({ type: 'event', event: { type: 'message', message: sealed } });
          continue;
        }
        frame ??= envelopes.encode(sealed);
        this.#network?.send(id, frame);
      }
    }
    this.#accounts.charge(this.#self, 'say', begin);
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

const overloaded = (id: number): Answer => ({
  id,
  error: 'too many operations wait in this process and this one was not sent; submit it later',
});
