/** The one face that all protocols show their users: promises and an async iterator. */
import { decode, encode, type Field, type Slot, type Status } from '@quorumlab/core';
import { type CallOptions, caller } from './calls.ts';
import { type Entry, keeper, readable } from './entries.ts';
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
  StoppedError,
} from './errors.ts';
import { installedBy, type LogPort, type Signal } from './log-port.ts';
import { outcome } from './messages.ts';

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
