/** Operations under way: who waits for which answer, and for how long. */
import { type Answer, ms, type Submit } from '@quorumlab/core';
import {
  AbortedError,
  DeadlineError,
  LogFullError,
  OperationError,
  RequestTooOldError,
  SequenceReusedError,
  SessionExpiredError,
  StateTooLargeError,
  StoppedError,
} from './errors.ts';
import type { LogPort, Signal } from './log-port.ts';

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
export function caller(host: LogPort, limit: number): Caller {
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
