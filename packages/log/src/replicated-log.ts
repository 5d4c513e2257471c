/** The one face that all protocols show their users: promises and an async iterator. */
import type { Answer, Applied, Field, PrincipalId, Slot, Status, Submit } from '@quorumlab/core';
import { decode, encode, ms, SchemaError } from '@quorumlab/core';
import {
  AbortedError,
  ConfigurationRefusedError,
  DeadlineError,
  LaggingReaderError,
  LogFullError,
  NotAReplicaError,
  OperationError,
  RequestTooOldError,
  SequenceReusedError,
  SessionExpiredError,
  StateTooLargeError,
  StoppedError,
} from './errors.ts';
import { outcome } from './messages.ts';
import type { SnapshotRecord } from './types.ts';

/** What this package needs of an `AbortSignal`; every platform's own one will do. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The part of an output that a log looks at. */
export interface LogOutput {
  readonly applied: readonly Applied[];
  readonly answers: readonly Answer[];
  readonly writes: readonly { readonly type: string }[];
}

/** A machine at work in a host: a service, or a pure client. One log per machine. */
export interface LogPort {
  /** Gives the machine an event. */
  send(event: Submit | { readonly type: 'cancel'; readonly id: number }): void;
  /** Calls `listener` with every output, once it may be released. Returns how to stop that. */
  listen(listener: (output: LogOutput) => void): () => void;
  status(): Status;
  /** Stops the machine and its host. */
  stop(): Promise<void>;
  /** Slots below it were applied before anybody listened: 0 unless there was a snapshot. */
  readonly from?: Slot;
}

/** How operations and results become bytes. */
export interface LogCodec<C, R, Q> {
  readonly command: Field<C>;
  readonly result: Field<R>;
  /** Ordered reads run through `StateMachine.apply`: a query must not look like a command. */
  readonly query: Field<Q>;
}

/** See {@link replicatedLog}. */
export interface LogOptions<C, R, Q> {
  readonly host: LogPort;
  readonly codec: LogCodec<C, R, Q>;
  /** Most operations under way; more wait for their turn. 1,024 unless told. */
  readonly maxOutstanding?: number;
  /** How many of the last requests `entries` can go back to. 4,096 unless told. */
  readonly keep?: number;
}

/** How fresh a read must be: as fresh as any finished write, or as old as one replica is. */
export type Consistency = 'linearizable' | 'local';

/** One operation that was ordered and has run. */
export interface Entry<C> {
  /** Where in the log: the same on every replica. Operations of one slot come in their order. */
  readonly slot: Slot;
  readonly client: PrincipalId;
  readonly sequence: number;
  readonly operation: Uint8Array;
  /** Nothing if the operation is no command of the codec: an ordered read, a stranger's bytes. */
  readonly command: C | undefined;
}

/** How long a caller waits. */
export interface CallOptions {
  /** Ends the waiting when it fires, wherever the operation is: {@link AbortedError}. */
  readonly signal?: Signal;
  /**
   * Ends the waiting this long after the operation was handed to the client, which is at once
   * unless too many others are under way: {@link DeadlineError}. For ever unless told.
   */
  readonly withinMilliseconds?: number;
}

/** See {@link replicatedLog}. */
export interface ReplicatedLog<C, R, Q> {
  /**
   * Resolves with the state machine's answer once `command` has run. It runs once, however often it
   * must be sent. Waits while too many others are under way. Rejects with {@link AbortedError},
   * {@link StoppedError}, {@link DeadlineError} or another {@link OperationError}; after the first
   * three nobody knows whether the command has run or will run, if it had been sent.
   * {@link LogFullError} and {@link SequenceReusedError}: it never will. {@link RequestTooOldError}
   * and {@link SessionExpiredError}: it will not from now on, and may have run.
   */
  propose(command: C, options?: CallOptions): Promise<R>;
  /** Asks without changing anything. Rejects like {@link ReplicatedLog.propose}. */
  read(query: Q, consistency?: Consistency, options?: CallOptions): Promise<R>;
  /**
   * Changes the group: `change` is what its protocol's encoder makes of it, e.g. `encodeChange` of
   * multi-paxos. Resolves once the change is ordered; it may take effect a little later. Rejects
   * with {@link ConfigurationRefusedError} if the protocol refuses it, and like
   * {@link ReplicatedLog.propose}.
   */
  reconfigure(change: Uint8Array, options?: CallOptions): Promise<void>;
  /**
   * What this replica has run from slot `from` on (or from the oldest entry that is kept), and then
   * everything it runs, until the log stops. Where a protocol orders only what interferes
   * (`claims.order` is 'conflicts'), order and slots are this replica's own: another one may list
   * entries that do not interfere in another order. Throws {@link LaggingReaderError} where entries
   * are missing, because the reader was too slow or the replica took over a snapshot, and
   * {@link NotAReplicaError} at a client.
   */
  entries(from?: Slot, options?: { readonly signal?: Signal }): AsyncIterable<Entry<C>>;
  /** What this replica believes, and the last slot from which it ran a request (-1: none yet). */
  status(): Status & { readonly applied: Slot };
  /** Rejects everything under way and stops the host. */
  stop(): Promise<void>;
}

/** Which snapshot of another replica a service took over in this step, if it did. For observers. */
export function installedBy(output: Pick<LogOutput, 'writes'>): SnapshotRecord | undefined {
  const snapshot = snapshotBy(output);
  return snapshot?.origin === 'installed' ? snapshot : undefined;
}

/** Which snapshot a service took, or took over, in this step, if it did. For observers. */
export function snapshotBy(output: Pick<LogOutput, 'writes'>): SnapshotRecord | undefined {
  for (const write of output.writes) {
    if (write.type !== 'save') continue;
    // A service is the only writer of this register.
    const { registers } = write as unknown as {
      readonly registers: { readonly serviceSnapshot?: SnapshotRecord | null };
    };
    if (registers.serviceSnapshot) return registers.serviceSnapshot;
  }
  return undefined;
}

/** A log over a machine that a host runs. */
export function replicatedLog<C, R, Q>(options: LogOptions<C, R, Q>): ReplicatedLog<C, R, Q> {
  const { host, codec } = options;
  const calls = caller(host, options.maxOutstanding ?? 1024);
  const history = keeper(options.keep ?? 4096, host.from ?? 0);
  const silence = host.listen((output) => {
    const installed = installedBy(output);
    if (installed !== undefined) history.skip(installed.slot);
    history.add(output.applied);
    calls.settle(output.answers);
  });
  return {
    async propose(command, waiting = {}) {
      const operation = encode(codec.command, command);
      const what = { operation, readOnly: false, local: false };
      return decode(codec.result, await calls.call(what, waiting));
    },
    async read(query, consistency = 'linearizable', waiting = {}) {
      const operation = encode(codec.query, query);
      const what = { operation, readOnly: true, local: consistency === 'local' };
      return decode(codec.result, await calls.call(what, waiting));
    },
    async reconfigure(change, waiting = {}) {
      const what = { operation: change, readOnly: false, configuration: true } as const;
      const refusal = decode(outcome, await calls.call(what, waiting));
      if (refusal !== '') throw new ConfigurationRefusedError(refusal);
    },
    entries(from, { signal } = {}) {
      if (host.status().role === 'client')
        throw new NotAReplicaError('a client does not see the log; call entries() at a replica');
      return readable(history, codec.command, from, signal);
    },
    status: () => ({ ...host.status(), applied: history.last() }),
    async stop() {
      silence();
      calls.stop();
      history.stop();
      await host.stop();
    },
  };
}

interface Call {
  readonly event: Submit;
  readonly resolve: (result: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  sent: boolean;
  /** Stops listening to the caller's signal. */
  release: () => void;
}

interface Caller {
  call(what: Omit<Submit, 'type' | 'id'>, waiting: CallOptions): Promise<Uint8Array>;
  settle(answers: readonly Answer[]): void;
  stop(): void;
}

const unknownOutcome = 'it was sent, so it may have run or may still run';

/** Operations under way: at most `limit`; the others wait in the order of their calls. */
function caller(host: LogPort, limit: number): Caller {
  const calls = new Map<number, Call>();
  let queue: Call[] = [];
  let taken = 0;
  let underWay = 0;
  let nextId = 0;
  let stopped = false;

  function pump(): void {
    while (underWay < limit && taken < queue.length) {
      const call = queue[taken++] as Call;
      if (!calls.has(call.event.id)) continue;
      call.sent = true;
      underWay++;
      host.send(call.event);
    }
    if (taken >= 1024 && taken * 2 >= queue.length) {
      queue = queue.slice(taken);
      taken = 0;
    }
  }

  function end(call: Call): void {
    calls.delete(call.event.id);
    call.release();
    if (call.sent) underWay--;
  }

  function abort(call: Call, signal: Signal): void {
    end(call);
    if (call.sent) host.send({ type: 'cancel', id: call.event.id });
    const outcome = call.sent ? unknownOutcome : 'it was not sent and will not run';
    call.reject(
      new AbortedError(`the operation was aborted; ${outcome}`, { cause: signal.reason }),
    );
    pump();
  }

  return {
    call: (what, { signal, withinMilliseconds }) =>
      new Promise((resolve, reject) => {
        if (stopped) throw new StoppedError('the log is stopped; open it again');
        if (signal?.aborted)
          throw new AbortedError('the signal had fired before; nothing was sent', {
            cause: signal.reason,
          });
        const within = withinMilliseconds === undefined ? {} : { within: ms(withinMilliseconds) };
        const event: Submit = { type: 'submit', id: nextId++, ...what, ...within };
        const call: Call = { event, resolve, reject, sent: false, release: () => undefined };
        if (signal !== undefined) {
          const onAbort = () => abort(call, signal);
          signal.addEventListener('abort', onAbort);
          call.release = () => signal.removeEventListener('abort', onAbort);
        }
        calls.set(event.id, call);
        queue.push(call);
        pump();
      }),
    settle(answers) {
      for (const answer of answers) {
        const call = calls.get(answer.id);
        if (call === undefined) continue;
        end(call);
        if (answer.error === undefined) call.resolve(answer.result);
        else call.reject(errorOf(answer));
      }
      if (answers.length > 0) pump();
    },
    stop() {
      stopped = true;
      for (const call of [...calls.values()]) {
        end(call);
        const outcome = call.sent ? unknownOutcome : 'it was not sent and will not run';
        call.reject(new StoppedError(`the log was stopped; ${outcome}`));
      }
    },
  };
}

function errorOf({
  error,
  expired,
  refused,
  forgotten,
}: Extract<Answer, { error: string }>): OperationError {
  if (expired) return new DeadlineError(error);
  if (refused === 'log-full') return new LogFullError(error);
  if (refused === 'state-too-large') return new StateTooLargeError(error);
  if (refused === 'sequence-reused') return new SequenceReusedError(error);
  if (forgotten === 'too-old') return new RequestTooOldError(error);
  if (forgotten === 'session-expired') return new SessionExpiredError(error);
  return new OperationError(error);
}

/** What was run, or "everything up to `gap` came as a snapshot". */
type Step = Applied | { readonly gap: Slot };

/** The last requests, numbered from the first that was seen. */
interface Keeper {
  add(applied: readonly Applied[]): void;
  skip(upTo: Slot): void;
  /** The place of the first entry from slot `from` on. */
  find(from: Slot | undefined): number;
  /** Throws {@link LaggingReaderError}, with `reached`, if `place` is no longer kept. */
  at(place: number, reached: Slot): Step | undefined;
  last(): Slot;
  isStopped(): boolean;
  /** Resolves when there may be more. */
  more(signal: Signal | undefined): Promise<void>;
  stop(): void;
}

function keeper(keep: number, complete: Slot): Keeper {
  let steps: Step[] = [];
  let dropped = 0;
  /** All entries from this slot on are kept. */
  let lost = complete;
  let last = complete - 1;
  let stopped = false;
  const waiting = new Set<() => void>();

  function wake(): void {
    const all = [...waiting];
    waiting.clear();
    for (const each of all) each();
  }

  function trim(): void {
    if (steps.length < 2 * keep) return;
    const cut = steps.length - keep;
    const edge = steps[cut - 1] as Step;
    lost = Math.max(lost, ('gap' in edge ? edge.gap : edge.slot) + 1);
    steps = steps.slice(cut);
    dropped += cut;
  }

  return {
    add(applied) {
      const before = steps.length;
      for (const each of applied) if (each.fresh) steps.push(each);
      if (steps.length === before) return;
      last = Math.max(last, (applied.at(-1) as Applied).slot);
      trim();
      if (waiting.size > 0) wake();
    },
    skip(upTo) {
      steps.push({ gap: upTo });
      lost = upTo + 1;
      last = upTo;
      wake();
    },
    find(from) {
      const start = from ?? lost;
      if (start < lost) throw new LaggingReaderError(start, lost);
      const place = steps.findIndex((each) => !('gap' in each) && each.slot >= start);
      return dropped + (place < 0 ? steps.length : place);
    },
    at(place, reached) {
      if (place < dropped) throw new LaggingReaderError(reached, lost);
      return steps[place - dropped];
    },
    last: () => last,
    isStopped: () => stopped,
    more: (signal) =>
      new Promise((resolve) => {
        const wakeUp = () => {
          signal?.removeEventListener('abort', wakeUp);
          waiting.delete(wakeUp);
          resolve();
        };
        signal?.addEventListener('abort', wakeUp);
        waiting.add(wakeUp);
      }),
    stop() {
      stopped = true;
      wake();
    },
  };
}

async function* readable<C>(
  history: Keeper,
  field: Field<C>,
  from: Slot | undefined,
  signal: Signal | undefined,
): AsyncGenerator<Entry<C>, void, undefined> {
  let place = history.find(from);
  let reached = from ?? 0;
  for (;;) {
    if (signal?.aborted) throw new AbortedError('the reader was aborted', { cause: signal.reason });
    const step = history.at(place, reached);
    if (step === undefined) {
      if (history.isStopped()) return;
      await history.more(signal);
      continue;
    }
    if ('gap' in step) throw new LaggingReaderError(reached, step.gap + 1);
    place++;
    const { slot, client, sequence, operations } = step;
    if (from !== undefined && slot < from) continue;
    for (const operation of operations)
      yield { slot, client, sequence, operation, command: commandOf(field, operation) };
    reached = slot;
  }
}

function commandOf<C>(field: Field<C>, operation: Uint8Array): C | undefined {
  try {
    return decode(field, operation);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}
