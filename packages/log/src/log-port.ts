/** A log as its host lends it. */
import type { Answer, Applied, Slot, Status, Submit } from '@quorumlab/core';
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
