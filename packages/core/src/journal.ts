import { commitBytes } from './limits.ts';
import type { Outgoing, Output, Write } from './machine.ts';
import type { Shape } from './protocol.ts';
import { weigh } from './weigh.ts';

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
  /** About how many bytes the writes and the messages of those outputs take. */
  waitingBytes(): number;
}

/** An output that waits. */
interface Waiting<S extends Shape> {
  readonly output: Output<S>;
  /**
   * About how many bytes its writes take, and those with its messages. Both are below 0 until
   * somebody asks: it costs about as much as a step.
   */
  writes: number;
  bytes: number;
}

function measureWrites<S extends Shape>(waiting: Waiting<S>): number {
  const { writes } = waiting.output;
  if (waiting.writes < 0) waiting.writes = writes.length > 0 ? weigh(writes) : 0;
  return waiting.writes;
}

function measure<S extends Shape>(waiting: Waiting<S>): number {
  const { sends } = waiting.output;
  waiting.bytes = measureWrites(waiting) + (sends.length > 0 ? weigh(sends) : 0);
  return waiting.bytes;
}

/** All writes in order; a list is only copied where two of them have to become one. */
function writesOf<S extends Shape>(batch: readonly Waiting<S>[]): readonly Write<S>[] {
  let all: readonly Write<S>[] = [];
  let joined: Write<S>[] | undefined;
  for (let i = 0; i < batch.length; i++) {
    const { writes } = (batch[i] as Waiting<S>).output;
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
 * While one sync is under way the outputs of later steps gather, and the next sync takes as many of
 * them as {@link commitBytes} allows (group commit): a slow disk makes larger batches, up to a
 * size that no disk refuses, and not a longer queue of syncs.
 */
export function journal<S extends Shape>(ports: JournalPorts<S>): Journal<S> {
  let gathering: Waiting<S>[] = [];
  let syncing: Waiting<S>[] = [];
  let bytes = 0;
  // Releasing may add outputs (a message to oneself); they must queue up behind what is released.
  let releasing = false;

  function release(batch: readonly Waiting<S>[]): void {
    releasing = true;
    for (const each of batch) {
      if (each.bytes > 0) bytes -= each.bytes;
      each.bytes = 0;
      ports.release(each.output);
    }
    releasing = false;
  }

  /** Measures what has come since it was last asked for: the end of a list. */
  function measureLast(list: readonly Waiting<S>[]): void {
    for (let i = list.length - 1; i >= 0; i--) {
      const each = list[i] as Waiting<S>;
      if (each.bytes >= 0) return;
      bytes += measure(each);
    }
  }

  /** The outputs whose writes share the next commit. */
  function take(): Waiting<S>[] {
    let size = 0;
    let count = 0;
    for (const each of gathering) {
      // One alone fits, however large it is.
      const writes = gathering.length === 1 ? 0 : measureWrites(each);
      if (size > 0 && size + writes > commitBytes) break;
      size += writes;
      count += 1;
    }
    if (count < gathering.length) return gathering.splice(0, count);
    const all = gathering;
    gathering = [];
    return all;
  }

  function sync(): void {
    while (gathering.length > 0 && syncing.length === 0 && !releasing) {
      const batch = take();
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
    const batch = syncing;
    release(batch);
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
        return sync();
      }
      gathering.push({ output, writes: -1, bytes: -1 });
      sync();
    },
    waiting: () => gathering.length + syncing.length,
    waitingBytes() {
      measureLast(syncing);
      measureLast(gathering);
      return bytes;
    },
  };
}
