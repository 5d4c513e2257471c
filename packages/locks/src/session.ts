/** A client's side of the lock service, with promises, over any replicated log. */
import type { ReplicatedLog } from '@quorumlab/log';
import {
  FileChangedError,
  LockBusyError,
  LockRefusedError,
  LockSessionOverError,
} from './errors.ts';
import type {
  LockEvent,
  LockMode,
  LockOperation,
  LockRefusal,
  LockResult,
  Sequencer,
} from './operations.ts';
import { systemTime, type Time } from './time.ts';

/** The log of a client or a node with the codec {@link lockCodec}. */
export type LockLog = Pick<
  ReplicatedLog<LockOperation, LockResult, LockOperation>,
  'propose' | 'read'
>;

/**
 * How sure a client may be of its session (section 2.8). 'safe': no replica has ended it.
 * 'jeopardy': it may have been ended, so stop using its locks until it is safe again. 'over': it
 * has ended, or no word came for so long that the client gives it up.
 */
export type SessionState = 'safe' | 'jeopardy' | 'over';

/** See {@link openSession}. Times in milliseconds. */
export interface SessionOptions {
  readonly time?: Time;
  /** How long a session in jeopardy waits before it is given up. 45,000 unless told. */
  readonly grace?: number;
  /** How often it asks while it waits for a lock. 250 unless told. */
  readonly pollEvery?: number;
  /** By how much, in parts of one, this clock may be slower than a keeper's. 0.01 unless told. */
  readonly drift?: number;
  /** Told of every event of the service. */
  readonly onEvent?: (event: LockEvent) => void;
  /** Told of every change of {@link Session.state}. */
  readonly onState?: (state: SessionState) => void;
}

/** How to get a lock. Times in milliseconds. */
export interface AcquireOptions {
  /** 'exclusive' unless told. */
  readonly mode?: LockMode;
  /** How long to wait for it: for ever unless told, 0: not at all. */
  readonly waitAtMost?: number;
  /** How long nobody gets it if this session vanishes. 0 unless told; see `maxDelay`. */
  readonly delay?: number;
}

/** A lock that a session has. */
export interface Lock {
  /** What a resource has to see, with every request: see `Fence`. */
  readonly sequencer: Sequencer;
  /**
   * Whether it was surely held a moment ago. What is sent now may arrive later, when it is not:
   * only a resource that checks the sequencer is safe.
   */
  isHeld(): boolean;
  /** Gives it back. */
  release(): Promise<void>;
}

/** A small file. */
export interface LockFileContent {
  /** null: there is none. */
  readonly content: Uint8Array | null;
  /** Of the content; 0 if there is none. */
  readonly generation: number;
}

/** A session with the lock service. Methods throw {@link LockSessionOverError} once it is over. */
export interface Session {
  readonly number: number;
  readonly state: SessionState;
  /** @throws {@link LockBusyError} if `waitAtMost` went by. {@link LockRefusedError}. */
  acquire(name: string, options?: AcquireOptions): Promise<Lock>;
  /**
   * Writes a small file; with `expected` only if that is its generation (0: if there is none).
   * Resolves with its new generation.
   *
   * @throws {@link FileChangedError} if another one was found. {@link LockRefusedError}.
   */
  write(name: string, content: Uint8Array, expected?: number): Promise<number>;
  /** Removes a small file. Resolves with whether it was there. Throws as {@link Session.write}. */
  remove(name: string, expected?: number): Promise<boolean>;
  read(name: string): Promise<LockFileContent>;
  /** Asks whether somebody's lock is still held. By the time of the answer it may not be. */
  check(sequencer: Sequencer): Promise<boolean>;
  /** Has {@link SessionOptions.onEvent} told when the file changes; ends that with `on` false. */
  watch(name: string, on?: boolean): Promise<void>;
  /** Gives everything back and ends it. */
  close(): Promise<void>;
}

type Kind<K extends LockResult['kind']> = Extract<LockResult, { readonly kind: K }>;

/** The result if it is of one of `kinds`; throws what a refusal or anything else means. */
function expectKind<K extends LockResult['kind']>(
  result: LockResult,
  name: string,
  ...kinds: readonly K[]
): Kind<K> {
  if ((kinds as readonly string[]).includes(result.kind)) return result as Kind<K>;
  if (result.kind === 'other') throw new FileChangedError(name, result.generation);
  if (result.kind === 'busy') throw new LockBusyError(name);
  const why: LockRefusal = result.kind === 'refused' ? result.why : 'malformed';
  throw why === 'no session' ? new LockSessionOverError() : new LockRefusedError(why);
}

/** Opens a session; it is kept alive until it is closed or over. */
export async function openSession(log: LockLog, options: SessionOptions = {}): Promise<Session> {
  const { time = systemTime } = options;
  const sent = time.now();
  const opened = expectKind(await log.propose({ kind: 'open' }), '', 'opened');
  return new OpenSession(log, opened, sent, options);
}

class OpenSession implements Session {
  readonly number: number;
  readonly #log: LockLog;
  readonly #options: SessionOptions;
  readonly #time: Time;
  /** Milliseconds from a request's sending for which its answer vouches. */
  readonly #safeFor: number;
  readonly #pauseFor: number;
  /** By the clock of {@link Time}. */
  #safeUntil: number;
  #told: SessionState = 'safe';
  #isOver = false;
  /** Number of the first event that was not heard. */
  #heard = 0;
  #waiting = 0;
  readonly #sleepers = new Set<() => void>();
  readonly #loop: Promise<void>;

  constructor(log: LockLog, opened: Kind<'opened'>, sent: number, options: SessionOptions) {
    const { time = systemTime, drift = 0.01 } = options;
    this.number = opened.session;
    this.#log = log;
    this.#options = options;
    this.#time = time;
    this.#safeFor = ((opened.lease - opened.margin) * (1 - drift)) / 1000;
    this.#pauseFor = this.#safeFor / 4;
    this.#safeUntil = sent + this.#safeFor;
    this.#loop = this.#keepAlive();
  }

  get state(): SessionState {
    if (this.#isOver) return 'over';
    const late = this.#time.now() - this.#safeUntil;
    if (late < 0) return 'safe';
    return late < (this.#options.grace ?? 45_000) ? 'jeopardy' : 'over';
  }

  async acquire(name: string, options: AcquireOptions = {}): Promise<Lock> {
    const { mode = 'exclusive', waitAtMost = Number.POSITIVE_INFINITY, delay = 0 } = options;
    const { session } = this.#named;
    const until = this.#time.now() + waitAtMost;
    const operation = {
      kind: 'acquire',
      session,
      name,
      mode,
      wait: waitAtMost > 0,
      delay: Math.round(1000 * delay),
    } as const;
    this.#waiting += 1;
    try {
      for (;;) {
        // Asked again whatever the event said: the answer proves the session alive at that slot.
        const result = expectKind(await this.#do(operation), name, 'held', 'queued');
        if (result.kind === 'held') return this.#lockOf(result.sequencer);
        if (this.#time.now() >= until) break;
        await this.#pause(this.#options.pollEvery ?? 250);
      }
    } finally {
      this.#waiting -= 1;
    }
    await this.#do({ kind: 'release', session, name });
    throw new LockBusyError(name);
  }

  async write(name: string, content: Uint8Array, expected?: number): Promise<number> {
    const { session } = this.#named;
    const operation = {
      kind: 'write',
      session,
      name,
      content,
      expected: expected ?? null,
    } as const;
    return expectKind(await this.#do(operation), name, 'written').generation;
  }

  async remove(name: string, expected?: number): Promise<boolean> {
    const { session } = this.#named;
    const operation = { kind: 'remove', session, name, expected: expected ?? null } as const;
    return expectKind(await this.#do(operation), name, 'removed').found;
  }

  async read(name: string): Promise<LockFileContent> {
    const { content, generation } = expectKind(
      await this.#log.read({ kind: 'read', name }),
      name,
      'file',
    );
    return { content, generation };
  }

  async check(sequencer: Sequencer): Promise<boolean> {
    const { name } = sequencer;
    return expectKind(await this.#log.read({ kind: 'check', sequencer }), name, 'checked').valid;
  }

  async watch(name: string, on = true): Promise<void> {
    expectKind(await this.#do({ kind: 'watch', ...this.#named, name, on }), name, 'watched');
  }

  async close(): Promise<void> {
    if (!this.#isOver) await this.#do({ kind: 'close', ...this.#named });
    this.#finish();
    await this.#loop;
  }

  get #named(): { readonly session: number } {
    return { session: this.number };
  }

  /** Has the service do something; learns from its answer that the session is over. */
  async #do(operation: LockOperation): Promise<LockResult> {
    if (this.state === 'over') throw new LockSessionOverError();
    const result = await this.#log.propose(operation);
    if (result.kind === 'refused' && result.why === 'no session') this.#finish();
    return result;
  }

  #lockOf(sequencer: Sequencer): Lock {
    let isReleased = false;
    return {
      sequencer,
      isHeld: () => !isReleased && this.state === 'safe',
      release: async () => {
        isReleased = true;
        const { name } = sequencer;
        expectKind(await this.#do({ kind: 'release', ...this.#named, name }), name, 'released');
      },
    };
  }

  #isEnded(): boolean {
    return this.state === 'over';
  }

  #finish(): void {
    this.#isOver = true;
    this.#wake();
    this.#tellState();
  }

  #wake(): void {
    for (const wake of this.#sleepers) wake();
  }

  #tellState(): void {
    const { state } = this;
    if (state === this.#told) return;
    this.#told = state;
    this.#options.onState?.(state);
  }

  /** Waits, but not for longer than until there is an event or an end. */
  async #pause(milliseconds: number): Promise<void> {
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#sleepers.add(wake);
    await this.#time.sleep(milliseconds, woken);
    this.#sleepers.delete(wake);
  }

  async #keepAlive(): Promise<void> {
    const { pollEvery = 250 } = this.#options;
    while (!this.#isEnded()) {
      await this.#pause(this.#waiting > 0 ? Math.min(pollEvery, this.#pauseFor) : this.#pauseFor);
      this.#tellState();
      if (!this.#isEnded()) await this.#renew().catch(() => undefined);
      this.#tellState();
    }
    this.#finish();
  }

  async #renew(): Promise<void> {
    const sent = this.#time.now();
    const result = await this.#log.propose(
      { kind: 'keep-alive', ...this.#named, heard: this.#heard },
      { withinMilliseconds: Math.max(1, this.#pauseFor) },
    );
    if (result.kind !== 'alive') return this.#finish();
    this.#safeUntil = Math.max(this.#safeUntil, sent + this.#safeFor);
    for (const event of result.events) this.#hear(event);
  }

  #hear(event: LockEvent): void {
    if (event.number < this.#heard) return;
    this.#heard = event.number + 1;
    if (event.what === 'granted') this.#wake();
    this.#options.onEvent?.(event);
  }
}
