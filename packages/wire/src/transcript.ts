import { type Digest, type Signed, type Tagged, toHex } from '@quorumlab/core';
import { sha256 } from './digest.ts';
import { bodyBytes } from './domain.ts';
import type { Heard, Judged } from './judge.ts';
import { statementsIn, type VowSource } from './vows.ts';

/** What a replica has kept of what was said to it, for whoever asks who has lied. */
export interface Transcript<M extends Tagged> {
  /** Takes a message whose signatures, outer and inner, have been checked. */
  observe(message: Signed<Tagged>): void;
  /** All that is kept, by signer and then in the order in which it was heard. */
  heard(): Heard<M>;
  /** What is kept takes about so many bytes. */
  readonly bytes: number;
  /** Statements that had to make room. */
  readonly forgotten: number;
}

/** See {@link transcript}. */
export interface TranscriptOptions {
  /** Most bytes in all; {@link transcriptBytes} unless told. */
  readonly maxBytes?: number;
  /** For transcripts of one protocol that hear the same objects, as in a simulation. */
  readonly known?: KnownStatements;
}

/** What has been worked out about statements, for as long as they live. */
export interface KnownStatements {
  /** About each one. */
  readonly about: WeakMap<Signed<Tagged>, KnownStatement>;
  /** What is worth keeping of a message that was heard, itself first. */
  readonly within: WeakMap<Signed<Tagged>, readonly KnownStatement[]>;
}

/** See {@link KnownStatements}. */
export interface KnownStatement {
  /** The statement itself. */
  readonly statement: Signed<Tagged>;
  /** Whether its signer can be held to it. */
  readonly binds: boolean;
  /** By what it is told from others of its signer; empty if it binds nobody. */
  readonly name: string;
  /** Length of its body. */
  readonly bytes: number;
  /** What digests in it are of. */
  readonly contents: readonly (readonly [digest: Digest, bytes: Uint8Array])[];
}

/** Most bytes of a transcript unless told: 16 MiB. */
export const transcriptBytes: number = 16 * 1024 * 1024;

/** Statements up to so many bytes have a room of their own: batches do not push votes out. */
const smallBytes = 4096;

/** What a kept statement takes besides its body. */
const overheadBytes = 256;

/** One signer's statements of one size; the oldest make room for new ones. */
interface Room<V> {
  readonly kept: Map<string, { readonly value: V; readonly bytes: number }>;
  bytes: number;
}

const room = <V>(): Room<V> => ({ kept: new Map(), bytes: 0 });

/** Puts `value` in; how many others had to go. */
function put<V>(into: Room<V>, name: string, value: V, bytes: number, most: number): number {
  if (into.kept.has(name)) return 0;
  into.kept.set(name, { value, bytes });
  into.bytes += bytes;
  let gone = 0;
  for (const [oldest, each] of into.kept) {
    if (into.bytes <= most) break;
    into.kept.delete(oldest);
    into.bytes -= each.bytes;
    gone++;
  }
  return gone;
}

/** What `made` knows of `message`; what `make` finds out, if that is nothing. */
function once<V>(
  made: WeakMap<Signed<Tagged>, V> | undefined,
  message: Signed<Tagged>,
  make: () => V,
): V {
  const before = made?.get(message);
  if (before !== undefined) return before;
  const found = make();
  made?.set(message, found);
  return found;
}

/**
 * Keeps what members have signed and could be held against them: each statement once, those inside
 * messages and certificates too. It takes at most `maxBytes`: a quarter for what digests are of, if
 * the protocol asks about that, and the rest in equal parts for each member, half of it for small
 * statements. So a liar can push out what it has said itself, by saying more, and nothing of
 * others.
 */
export function transcript<M extends Tagged>(
  protocol: VowSource<M> & Judged<M>,
  { maxBytes = transcriptBytes, known }: TranscriptOptions = {},
): Transcript<M> {
  const share = Math.floor((maxBytes * 3) / 4 / Math.max(1, protocol.members.length) / 2);
  const small = new Map(protocol.members.map((id) => [id, room<Signed<M>>()]));
  const large = new Map(protocol.members.map((id) => [id, room<Signed<M>>()]));
  const contents = room<Uint8Array>();
  let forgotten = 0;

  function keep(message: Signed<Tagged>, { name, bytes: length }: KnownStatement): void {
    const bytes = length + message.signature.length + overheadBytes;
    if (bytes > share) return void forgotten++;
    const into = (length <= smallBytes ? small : large).get(message.from);
    if (into !== undefined) forgotten += put(into, name, message as Signed<M>, bytes, share);
  }

  const look = (message: Signed<M>): KnownStatement =>
    once(known?.about, message, () => ({
      statement: message,
      ...nameOf(protocol, message),
      contents: [...(protocol.contents?.(message) ?? [])],
    }));
  const lookInto = (message: Signed<Tagged>): readonly KnownStatement[] =>
    once(known?.within, message, () =>
      [...statementsIn(protocol, message)]
        .map(look)
        .filter(({ binds, contents }) => binds || contents.length > 0),
    );

  return {
    observe(message) {
      for (const found of lookInto(message)) {
        const { statement } = found;
        if (found.binds && small.has(statement.from)) keep(statement, found);
        for (const [digest, bytes] of found.contents)
          put(contents, digest, bytes, bytes.length + overheadBytes, maxBytes / 4);
      }
    },
    heard: () => ({
      statements: protocol.members.flatMap((id) =>
        [small, large].flatMap((rooms) =>
          [...(rooms.get(id)?.kept.values() ?? [])].map(({ value }) => value),
        ),
      ),
      contents: new Map([...contents.kept].map(([digest, { value }]) => [digest, value])),
      forgotten,
    }),
    get bytes() {
      let sum = contents.bytes;
      for (const rooms of [small, large]) for (const { bytes } of rooms.values()) sum += bytes;
      return sum;
    },
    get forgotten() {
      return forgotten;
    },
  };
}

/** Whether a message is one that its signer can be held to. */
const binds = <M extends Tagged>(protocol: VowSource<M>, message: M): boolean =>
  protocol.vows?.(message)[Symbol.iterator]().next().done === false;

function nameOf<M extends Tagged>(
  protocol: VowSource<M>,
  message: Signed<M>,
): Pick<KnownStatement, 'binds' | 'name' | 'bytes'> {
  if (!binds(protocol, message)) return { binds: false, name: '', bytes: 0 };
  const body = bodyBytes(protocol.messages, message);
  const name = `${message.kind} ${toHex(body.length <= 128 ? body : sha256(body))}`;
  return { binds: true, name, bytes: body.length };
}

/** All that several have heard, as if one had: each statement of each signer once. */
export function together<M extends Tagged>(
  protocol: VowSource<M>,
  all: readonly Heard<M>[],
): Heard<M> {
  const statements = new Map<string, Signed<M>>();
  const contents = new Map<Digest, Uint8Array>();
  // In a simulation several have heard the same object.
  const seen = new Set<Signed<M>>();
  let forgotten = 0;
  for (const each of all) {
    forgotten += each.forgotten;
    for (const message of each.statements) {
      if (seen.has(message)) continue;
      seen.add(message);
      const body = bodyBytes(protocol.messages, message);
      const name = `${message.from} ${message.kind} ${toHex(sha256(body))}`;
      if (!statements.has(name)) statements.set(name, message);
    }
    for (const [digest, bytes] of each.contents) contents.set(digest, bytes);
  }
  return { statements: [...statements.values()], contents, forgotten };
}
