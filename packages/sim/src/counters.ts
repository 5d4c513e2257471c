/** What a run cost. */
import type { MessageField, MessagesField, Tagged } from '@quorumlab/core';

/** One kind of message. */
export interface KindCount {
  /** Copies given to links, each recipient counted; a seat's messages to itself are not. */
  readonly sent: number;
  /** Copies handed to machines, without those to oneself. */
  readonly delivered: number;
  /** Copies lost, cut off, refused or sent to somebody who does not run. */
  readonly dropped: number;
  /** Bytes of the copies sent, if bytes are counted: the canonical encoding, no envelope. */
  readonly bytes: number;
}

/** What a run cost. Numbers only grow. */
export interface Counters {
  readonly kinds: Readonly<Record<string, KindCount>>;
  readonly sent: number;
  readonly delivered: number;
  readonly dropped: number;
  /** Copies made by links. */
  readonly duplicated: number;
  readonly bytes: number;
  /** Messages to oneself. */
  readonly toSelf: number;
  /** Signatures made: one per distinct message, however many get it. */
  readonly signed: number;
  /** Outer signatures that recipients without a cache have to check: one per delivered copy. */
  readonly verified: number;
  /** Messages refused because a signature in or on them is wrong. */
  readonly refused: number;
  /** Messages too large for a frame: each counted once, however many should have got it. */
  readonly oversized: number;
  /** Disk syncs begun. */
  readonly syncs: number;
  /** Decisions said by honest seats, each seat's counted. */
  readonly decisions: number;
  readonly applied: number;
  readonly answers: number;
  readonly crashes: number;
  readonly restarts: number;
  /** Inputs that found their seat not running. */
  readonly inputsRefused: number;
  /** How often behaviours said that they fired. */
  readonly fired: Readonly<Record<string, number>>;
  /** Lines of the papers that ran, by name. */
  readonly lines: Readonly<Record<string, number>>;
  /** Most things that waited at once. */
  readonly largestQueue: number;
}

/** The counters while they run. */
export interface RunningCounters {
  readonly names: readonly string[];
  readonly place: ReadonlyMap<string, number>;
  readonly sent: Float64Array;
  readonly delivered: Float64Array;
  readonly dropped: Float64Array;
  readonly bytes: Float64Array;
  duplicated: number;
  toSelf: number;
  signed: number;
  verified: number;
  refused: number;
  oversized: number;
  syncs: number;
  decisions: number;
  applied: number;
  answers: number;
  crashes: number;
  restarts: number;
  inputsRefused: number;
  readonly fired: Map<string, number>;
  readonly lines: Map<string, number>;
}

/** Counters at zero, one row per kind of message. */
export function startCounters<M extends Tagged>(messages: MessagesField<M>): RunningCounters {
  const names = messages.kinds.map((each: MessageField<M>) => each.kind as string);
  const row = (): Float64Array => new Float64Array(names.length);
  return {
    names,
    place: new Map(names.map((name, i) => [name, i])),
    sent: row(),
    delivered: row(),
    dropped: row(),
    bytes: row(),
    duplicated: 0,
    toSelf: 0,
    signed: 0,
    verified: 0,
    refused: 0,
    oversized: 0,
    syncs: 0,
    decisions: 0,
    applied: 0,
    answers: 0,
    crashes: 0,
    restarts: 0,
    inputsRefused: 0,
    fired: new Map(),
    lines: new Map(),
  };
}

/** Adds one to the count under `name`. */
export const count = (map: Map<string, number>, name: string): void =>
  void map.set(name, (map.get(name) ?? 0) + 1);

const total = (row: Float64Array): number => row.reduce((sum, each) => sum + each, 0);

const sorted = (map: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...map].sort(([one], [two]) => (one < two ? -1 : 1)));

/** The counters as they are now, kinds that never occurred left out. */
export function readCounters(running: RunningCounters, largestQueue: number): Counters {
  const { names, sent, delivered, dropped, bytes } = running;
  const kinds: Record<string, KindCount> = {};
  names.forEach((name, i) => {
    const row: KindCount = {
      sent: sent[i] as number,
      delivered: delivered[i] as number,
      dropped: dropped[i] as number,
      bytes: bytes[i] as number,
    };
    if (row.sent + row.delivered + row.dropped > 0) kinds[name] = row;
  });
  return {
    kinds,
    sent: total(sent),
    delivered: total(delivered),
    dropped: total(dropped),
    duplicated: running.duplicated,
    bytes: total(bytes),
    toSelf: running.toSelf,
    signed: running.signed,
    verified: running.verified,
    refused: running.refused,
    oversized: running.oversized,
    syncs: running.syncs,
    decisions: running.decisions,
    applied: running.applied,
    answers: running.answers,
    crashes: running.crashes,
    restarts: running.restarts,
    inputsRefused: running.inputsRefused,
    fired: sorted(running.fired),
    lines: sorted(running.lines),
    largestQueue,
  };
}
