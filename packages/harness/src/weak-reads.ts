/** Reads that promise less than linearizability, judged by what they do promise. */
import { keyValueModel, type Observer, type Violation } from '@quorumlab/checker';
import type { Claims, PrincipalId } from '@quorumlab/core';
import { decodeCall } from './history.ts';
import { isWeak, type Reads } from './read-words.ts';

/** What operations make of the value of their key. */
const store = keyValueModel();

/** What {@link weakReads} has to know. */
export interface WeakReadsOptions {
  readonly reads: 'local' | 'stale';
  /** Whether the log has one order, or one for what interferes. */
  readonly order: Claims['order'];
  /** After so many microseconds without an answer a client asks another replica. */
  readonly patience: number;
}

/** One state of a key: the value that it had from this place of the log on. */
interface Version {
  readonly place: number;
  readonly value: string | null;
}

/** A read under way. */
interface OpenRead {
  readonly key: string;
  readonly operation: Uint8Array;
  readonly began: number;
  /** The place that this client's reads had reached when it began. */
  readonly floor: number;
  /** It may be answered by another replica, or by another life of it, than those after it. */
  readonly isLoose: boolean;
}

/** A client's reads. */
interface Reader {
  readonly open: Map<number, OpenRead>;
  /** By key, or under '' for all of them: the place that its finished reads have reached. */
  readonly reached: Map<string, number>;
}

/**
 * Judges reads of one replica's state. Each must be of a state that the log went through before it
 * was answered; what never was is `invalid`. With 'local', none may be of an earlier state than one
 * that its client had read before, which is a `stale-read`; nothing is said across a restart of any
 * replica, nor where a client has waited for so long that it may have asked another one.
 *
 * Where the log orders only what interferes, places are counted key by key.
 */
export function weakReads({ reads, order, patience }: WeakReadsOptions): Observer {
  const rule = reads === 'local' ? 'local reads' : 'stale reads';
  const versions = new Map<string, Version[]>();
  const ran = new Set<string>();
  const readers = new Map<PrincipalId, Reader>();
  let places = 0;
  let violation: Violation | undefined;
  const versionsOf = (key: string): Version[] => {
    let found = versions.get(key);
    if (found === undefined) {
      found = [{ place: 0, value: null }];
      versions.set(key, found);
    }
    return found;
  };
  const readerOf = (client: PrincipalId): Reader => {
    let found = readers.get(client);
    if (found === undefined) {
      found = { open: new Map(), reached: new Map() };
      readers.set(client, found);
    }
    return found;
  };
  const nameOf = (key: string): string => (order === 'total' ? '' : key);
  /** The first place from `floor` on at which the key had this value; nothing if there is none. */
  function placeOf(key: string, value: string | null, floor: number): number | undefined {
    const all = versionsOf(key);
    for (let i = 0; i < all.length; i++) {
      const { place, value: had } = all[i] as Version;
      const until = all[i + 1]?.place ?? Number.POSITIVE_INFINITY;
      if (had === value && until > floor) return Math.max(place, floor);
    }
    return undefined;
  }
  /** Whether the client has waited so long for something that it may have asked another replica. */
  const hasMoved = ({ open }: Reader, at: number): boolean =>
    [...open.values()].some(({ began }) => at - began >= patience);
  /** What was read before says nothing of what is read from now on. */
  function loosen({ open, reached }: Reader): void {
    reached.clear();
    for (const [id, read] of open) open.set(id, { ...read, floor: 0, isLoose: true });
  }
  return {
    applied(_at, _seat, { client, sequence, operations, results, fresh }) {
      const name = `${client}/${sequence}`;
      if (!fresh || ran.has(name)) return;
      ran.add(name);
      places++;
      for (const [i, operation] of operations.entries()) {
        const call = decodeCall(operation, results[i]);
        if (call === undefined || call.input.kind === 'get') continue;
        const { key } = call.input;
        const all = versionsOf(key);
        const before = (all.at(-1) as Version).value;
        // What the store cannot have answered changes nothing: other judges say that it is wrong.
        const value = store.step(before, call.input, call.output);
        if (value !== undefined && value !== before) all.push({ place: places, value });
      }
    },
    invoked(at, client, id, operation) {
      const call = decodeCall(operation, undefined);
      if (call?.input.kind !== 'get') return;
      const { key } = call.input;
      const reader = readerOf(client);
      const floor = reads === 'local' ? (reader.reached.get(nameOf(key)) ?? 0) : 0;
      reader.open.set(id, { key, operation, began: at, floor, isLoose: false });
    },
    returned(at, client, id, result) {
      const reader = readerOf(client);
      if (hasMoved(reader, at)) loosen(reader);
      const read = reader.open.get(id);
      if (read === undefined) return;
      reader.open.delete(id);
      const { key, operation, floor, isLoose } = read;
      const output = decodeCall(operation, result)?.output;
      const isValue = output === null || typeof output === 'string';
      const place = isValue ? placeOf(key, output, floor) : undefined;
      if (place === undefined) {
        const wasOnce = isValue && placeOf(key, output, 0) !== undefined;
        const had = isValue ? shown(output) : 'what is no value';
        const what = `client ${client} read ${had} at ${key}`;
        violation ??= {
          word: wasOnce ? 'stale-read' : 'invalid',
          rule,
          sentence: wasOnce
            ? `${what}, which was over at place ${floor} of the log, where it had read before`
            : `${what}, and the log went through no such state`,
          at,
          seats: [],
        };
      }
      if (place !== undefined && !isLoose)
        reader.reached.set(nameOf(key), Math.max(place, reader.reached.get(nameOf(key)) ?? 0));
    },
    failed(_at, client, id) {
      readerOf(client).open.delete(id);
    },
    // Whoever starts again has run only what its disk knows to be decided.
    started() {
      for (const reader of readers.values()) loosen(reader);
    },
    get violation() {
      return violation;
    },
  };
}

/** `check` without the reads that {@link weakReads} judges. */
export function withoutReads(reads: Reads, check: Observer): Observer {
  if (!isWeak(reads)) return check;
  const left = new Set<string>();
  return {
    invoked(at, client, id, operation) {
      if (decodeCall(operation, undefined)?.input.kind === 'get') left.add(`${client}/${id}`);
      else check.invoked?.(at, client, id, operation);
    },
    returned(at, client, id, result) {
      if (!left.delete(`${client}/${id}`)) check.returned?.(at, client, id, result);
    },
    failed(at, client, id) {
      if (!left.delete(`${client}/${id}`)) check.failed?.(at, client, id);
    },
    end: (at) => check.end?.(at),
    get violation() {
      return check.violation;
    },
  };
}

/** A value in hexadecimal digits, as the history has it, for people. */
const shown = (value: string | null): string =>
  value === null ? 'nothing' : value.length > 40 ? `${value.slice(0, 40)}…` : value;
