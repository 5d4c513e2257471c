import type { Outgoing, Output, Write } from './machine.ts';
import type { Shape } from './protocol.ts';

/** What a host lends to {@link journal}. */
export interface JournalPorts<S extends Shape> {
  /** Messages that may overtake the disk. */
  early(messages: readonly Outgoing<S>[]): void;
  /**
   * Makes `writes` durable, all or none, and then calls `done`, now or later. If it cannot, it
   * never calls `done` and the host stops: a failed sync is not retried.
   */
  commit(writes: readonly Write<S>[], done: () => void): void;
  /** Everything of `output` but `early` and `writes`: it may be said now. */
  release(output: Output<S>): void;
}

/** See {@link journal}. */
export interface Journal<S extends Shape> {
  /** Takes the output of the next step. */
  add(output: Output<S>): void;
  /** How many outputs wait for the disk. A host that reads it can stop taking inputs. */
  waiting(): number;
}

/** All writes in order; a list is only copied where two of them have to become one. */
function writesOf<S extends Shape>(batch: readonly Output<S>[]): readonly Write<S>[] {
  let all: readonly Write<S>[] = [];
  let joined: Write<S>[] | undefined;
  for (let i = 0; i < batch.length; i++) {
    const { writes } = batch[i] as Output<S>;
    if (writes.length === 0) continue;
    if (all.length === 0) all = writes;
    else {
      if (joined === undefined) all = joined = [...all];
      for (let k = 0; k < writes.length; k++) joined.push(writes[k] as Write<S>);
    }
  }
  return all;
}

/**
 * Durable before said, in one place, for every host. Outputs come out in the order of their steps.
 * While one sync is under way the outputs of later steps gather, and the next sync takes them all
 * (group commit), so a slow disk makes larger batches and not a longer queue of syncs.
 */
export function journal<S extends Shape>(ports: JournalPorts<S>): Journal<S> {
  let gathering: Output<S>[] = [];
  let syncing: Output<S>[] = [];
  // Releasing may add outputs (a message to oneself); they must queue up behind what is released.
  let releasing = false;

  function release(batch: readonly Output<S>[]): void {
    releasing = true;
    for (const output of batch) ports.release(output);
    releasing = false;
  }

  function sync(): void {
    while (gathering.length > 0 && syncing.length === 0 && !releasing) {
      const batch = gathering;
      gathering = [];
      const writes = writesOf(batch);
      if (writes.length === 0) {
        release(batch);
        continue;
      }
      syncing = batch;
      ports.commit(writes, synced);
    }
  }

  function synced(): void {
    release(syncing);
    syncing = [];
    sync();
  }

  return {
    add(output) {
      if (output.early.length > 0) ports.early(output.early);
      const isFirst = gathering.length === 0 && syncing.length === 0 && !releasing;
      if (isFirst && output.writes.length === 0) {
        releasing = true;
        ports.release(output);
        releasing = false;
      } else gathering.push(output);
      sync();
    },
    waiting: () => gathering.length + syncing.length,
  };
}
