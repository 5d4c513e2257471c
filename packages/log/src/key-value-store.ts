/** A key-value store as a {@link StateMachine}, and the codec of its operations and results. */
import {
  boolean as bool,
  bytes,
  decode,
  encode,
  type Field,
  type Infer,
  type MessageOf,
  type MessagesField,
  message,
  messages,
  nullable,
  type Reader,
  readByte,
  reader,
  readInteger,
  SchemaError,
  sameBytes,
  toUtf8,
  word,
  writer,
  written,
} from '@quorumlab/core';
import type { StateMachine } from './types.ts';
import {
  fill,
  maxKeyBytes,
  maxValueBytes,
  nameOf,
  sortedPairs,
  valueTrie,
  writePairs,
} from './value-trie.ts';

export { maxKeyBytes, maxStateBytes, maxValueBytes } from './value-trie.ts';

const key: Field<Uint8Array> = bytes(maxKeyBytes);
const value: Field<Uint8Array> = bytes(maxValueBytes);

/** What the store can be asked to do. */
export const keyValueOperation: MessagesField<
  | MessageOf<'get', { readonly key: typeof key }>
  | MessageOf<'put', { readonly key: typeof key; readonly value: typeof value }>
  | MessageOf<'append', { readonly key: typeof key; readonly value: typeof value }>
  | MessageOf<'delete', { readonly key: typeof key }>
  | MessageOf<
      'compare-and-set',
      {
        readonly key: typeof key;
        readonly expected: Field<Uint8Array | null>;
        readonly value: typeof value;
      }
    >
> = messages(
  message('get', { key }),
  message('put', { key, value }),
  message('append', { key, value }),
  message('compare-and-set', { key, expected: nullable(value), value }),
  message('delete', { key }),
);

/** See {@link keyValueOperation}. */
export type KeyValueOperation = Infer<typeof keyValueOperation>;

/** Why the store refuses: 'full': it would hold more than {@link maxStateBytes}. */
type Refused = 'malformed' | 'too long' | 'not a query' | 'full';

/**
 * What the store answers: 'value' to get, with null for a key that is not there; 'stored' to put
 * and append; 'swapped' to compare-and-set, with the value that was found if it was another one;
 * 'deleted' to delete, and whether there was anything;
 * 'refused' to what it cannot do, and then nothing has changed.
 */
export const keyValueResult: MessagesField<
  | MessageOf<'value', { readonly value: Field<Uint8Array | null> }>
  | MessageOf<'stored', Record<never, never>>
  | MessageOf<
      'swapped',
      { readonly done: Field<boolean>; readonly found: Field<Uint8Array | null> }
    >
  | MessageOf<'refused', { readonly why: Field<Refused> }>
  | MessageOf<'deleted', { readonly found: Field<boolean> }>
> = messages(
  message('value', { value: nullable(value) }),
  message('stored', {}),
  message('swapped', { done: bool, found: nullable(value) }),
  message('refused', { why: word('malformed', 'too long', 'not a query', 'full') }),
  message('deleted', { found: bool }),
);

/** See {@link keyValueResult}. */
export type KeyValueResult = Infer<typeof keyValueResult>;

/** A key or value: bytes as they are, text as UTF-8. */
export type Content = Uint8Array | string;

const raw = (content: Content): Uint8Array =>
  typeof content === 'string' ? toUtf8(content) : content;

/** Makes operations. Each throws {@link SchemaError} for a key or value that is too long. */
export const kv: {
  readonly get: (key: Content) => Uint8Array;
  readonly put: (key: Content, value: Content) => Uint8Array;
  readonly append: (key: Content, value: Content) => Uint8Array;
  /** Takes the key away, with its value. */
  readonly delete: (key: Content) => Uint8Array;
  /** Stores `value` if the key holds `expected` now; null: if the key is not there. */
  readonly compareAndSet: (key: Content, expected: Content | null, value: Content) => Uint8Array;
  /** Reads a result. Throws {@link SchemaError} for bytes that no key-value store has made. */
  readonly result: (bytes: Uint8Array) => KeyValueResult;
} = {
  get: (name) => encode(keyValueOperation, { kind: 'get', key: raw(name) }),
  put: (name, content) =>
    encode(keyValueOperation, { kind: 'put', key: raw(name), value: raw(content) }),
  append: (name, content) =>
    encode(keyValueOperation, { kind: 'append', key: raw(name), value: raw(content) }),
  delete: (name) => encode(keyValueOperation, { kind: 'delete', key: raw(name) }),
  compareAndSet: (name, expected, content) =>
    encode(keyValueOperation, {
      kind: 'compare-and-set',
      key: raw(name),
      expected: expected === null ? null : raw(expected),
      value: raw(content),
    }),
  result: (data) => decode(keyValueResult, data),
};

const refusal = (why: Refused): Uint8Array => encode(keyValueResult, { kind: 'refused', why });
const malformed = refusal('malformed');
const tooLong = refusal('too long');
const notAQuery = refusal('not a query');
const full = refusal('full');
const stored = encode(keyValueResult, { kind: 'stored' });
const absent = encode(keyValueResult, { kind: 'value', value: null });
const deleted = encode(keyValueResult, { kind: 'deleted', found: true });
const notFound = encode(keyValueResult, { kind: 'deleted', found: false });
const swapped = encode(keyValueResult, { kind: 'swapped', done: true, found: null });

/** Tags of the operations on the wire, in the order of {@link keyValueOperation}. */
const tags = { get: 0, put: 1, append: 2, compareAndSet: 3, delete: 4 };

function readName(from: Reader): string {
  const start = skip(from, maxKeyBytes);
  return nameOf(from.bytes, start, from.at);
}

/** A value as a view of its operation: a copy would cost more than all the rest of a put. */
function readValue(from: Reader): Uint8Array {
  const start = skip(from, maxValueBytes);
  return from.bytes.subarray(start, from.at);
}

/** Goes past a byte string with its length; returns where it starts. */
function skip(from: Reader, limit: number): number {
  const length = readInteger(from);
  if (length > limit || length > from.end - from.at)
    throw new SchemaError(`a part of ${length} bytes, of ${limit} at most`);
  const start = from.at;
  from.at += length;
  return start;
}

/** Nothing may follow an operation. */
function end(from: Reader): void {
  if (from.at !== from.end) throw new SchemaError('bytes are left over');
}

/** Runs `run`; an operation that cannot be read is refused, and it has changed nothing. */
function reading(run: (operation: Uint8Array) => Uint8Array): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    try {
      return run(bytes);
    } catch (error) {
      if (error instanceof SchemaError) return malformed;
      throw error;
    }
  };
}

/** The key of an operation, and whether it writes; nothing of what the store refuses anyway. */
function footprint(
  operation: Uint8Array,
): { readonly start: number; readonly end: number; readonly writes: boolean } | undefined {
  try {
    const from = reader(operation);
    const tag = readByte(from);
    const start = skip(from, maxKeyBytes);
    return { start, end: from.at, writes: tag !== tags.get };
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

/** Two operations on one key, of which one writes. */
function interferes(one: Uint8Array, other: Uint8Array): boolean {
  const first = footprint(one);
  const second = footprint(other);
  if (first === undefined || second === undefined) return false;
  if (!first.writes && !second.writes) return false;
  const length = first.end - first.start;
  if (second.end - second.start !== length) return false;
  for (let i = 0; i < length; i++)
    if (one[first.start + i] !== other[second.start + i]) return false;
  return true;
}

/** The state machine of {@link keyValueStore}: it does not matter to it who asks. */
export interface KeyValueStore extends StateMachine {
  apply(operation: Uint8Array): Uint8Array;
}

/** An empty key-value store. */
export function keyValueStore(): KeyValueStore {
  let values = valueTrie();

  const get = (name: string): Uint8Array => {
    const held = values.get(name);
    return held === undefined ? absent : encode(keyValueResult, { kind: 'value', value: held });
  };

  const put = (name: string, content: Uint8Array): Uint8Array =>
    values.set(name, content) ? stored : full;

  function append(name: string, tail: Uint8Array): Uint8Array {
    const held = values.get(name);
    if (held === undefined) return put(name, tail);
    if (held.length + tail.length > maxValueBytes) return tooLong;
    const whole = new Uint8Array(held.length + tail.length);
    whole.set(held);
    whole.set(tail, held.length);
    return put(name, whole);
  }

  function compareAndSet(name: string, expected: Uint8Array | null, next: Uint8Array): Uint8Array {
    const found = values.get(name) ?? null;
    const same =
      found === null || expected === null ? found === expected : sameBytes(found, expected);
    if (!same) return encode(keyValueResult, { kind: 'swapped', done: false, found });
    return values.set(name, next) ? swapped : full;
  }

  /** Reads by hand what {@link keyValueOperation} reads: a busy replica spends its time here. */
  function run(bytes: Uint8Array): Uint8Array {
    const from = reader(bytes);
    const tag = readByte(from);
    const name = readName(from);
    if (tag === tags.get) {
      end(from);
      return get(name);
    }
    if (tag === tags.delete) {
      end(from);
      return values.remove(name) ? deleted : notFound;
    }
    const isThere = tag === tags.compareAndSet && bool.read(from);
    const expected = isThere ? readValue(from) : null;
    const content = readValue(from);
    end(from);
    if (tag === tags.compareAndSet) return compareAndSet(name, expected, content);
    if (tag === tags.append) return append(name, content);
    return tag === tags.put ? put(name, content) : malformed;
  }

  return {
    apply: reading(run),
    interferes,
    query: reading((bytes) => (readByte(reader(bytes)) === tags.get ? run(bytes) : notAQuery)),
    snapshot() {
      const to = writer(4096);
      writePairs(to, sortedPairs(values.entries()));
      return written(to);
    },
    restore(snapshot) {
      values = valueTrie();
      fill(values, snapshot);
    },
    mark: () => values.mark(),
    capture: () => values.capture(),
    restorer() {
      const fresh = valueTrie();
      return {
        add: (piece) => fill(fresh, piece, values),
        finish: () => void (values = fresh),
      };
    },
  };
}
