/**
 * Snapshots: everything a replica is, in chunks. The digest of a snapshot is the digest of its
 * manifest, and the manifest holds the digests of the chunks: a thief of time can be caught at the
 * first wrong chunk, long before the end. First come the pieces of the application's state, then
 * the sessions, and the last chunk says what the others are.
 */
import type { Digest, DigestOf, Field, Slot } from '@quorumlab/core';
import { bytes, decode, encode, integer, reader, record, SchemaError } from '@quorumlab/core';
import {
  chunkBytes,
  maxChunks,
  maxSnapshotBytes,
  type SnapshotManifest,
  snapshotManifest,
} from './messages.ts';
import { type StoredSessions, storedSessions } from './stored-sessions.ts';
import type { SnapshotRecord, StateMachine, StatePart, StateRestorer } from './types.ts';

/** What the last chunk of a snapshot holds. */
export interface Colophon {
  readonly slot: Slot;
  /** Rolling hash of everything that ran. */
  readonly state: number;
  /** How many chunks before this one hold the sessions. Those before them: the application's. */
  readonly sessions: number;
  /** The group, as its protocol encodes it: `Configured.state`. Empty: it was never changed. */
  readonly configuration: Uint8Array;
}

/** Most bytes that a protocol may need to tell who is in its group. */
const maxConfigurationBytes = 65_536;

const colophon: Field<Colophon> = record({
  slot: integer(),
  state: integer(2 ** 32 - 1),
  sessions: integer(maxChunks),
  configuration: bytes(maxConfigurationBytes),
});

/** The last chunk. */
export const encodeColophon = (of: Colophon): Uint8Array => encode(colophon, of);

/** What the last chunk says. Throws `SchemaError` if it is none, or says what cannot be. */
export function decodeColophon({ slot, chunks }: SnapshotManifest, last: Uint8Array): Colophon {
  const said = decode(colophon, last);
  if (said.slot !== slot || said.sessions >= chunks.length)
    throw new SchemaError('the last chunk is not that of this snapshot');
  return said;
}

const chunk = bytes(chunkBytes);

/** The digest that stands for a chunk. */
export const nameOf = (data: Uint8Array, digest: DigestOf): Digest => digest(chunk, data);

/** A snapshot whose chunks are on the disk, to be given to others. */
export interface Kept {
  readonly record: SnapshotRecord;
  readonly manifest: SnapshotManifest;
}

/** The manifest of chunks with these digests, `size` bytes in all. */
export const manifestOf = (
  slot: Slot,
  size: number,
  chunks: readonly Digest[],
): SnapshotManifest => ({
  kind: 'snapshot-manifest',
  slot,
  size,
  chunks,
});

/** A snapshot whose chunks are known to be those of `manifest`. */
export const kept = (
  manifest: SnapshotManifest,
  state: number,
  origin: SnapshotRecord['origin'],
  digest: DigestOf,
): Kept => ({
  record: {
    slot: manifest.slot,
    digest: rootOf(manifest, digest),
    size: manifest.size,
    state,
    origin,
  },
  manifest,
});

/** The digest that stands for a whole snapshot. */
export const rootOf = (manifest: SnapshotManifest, digest: DigestOf): Digest =>
  digest(snapshotManifest, manifest);

/** Whether `bytes` are the chunk that `name` is the digest of. */
export const isChunk = (data: Uint8Array, name: Digest, digest: DigestOf): boolean =>
  data.length <= chunkBytes && nameOf(data, digest) === name;

/** Whether a manifest can be that of a snapshot: its size is one that its chunks can have. */
export const isComplete = ({ size, chunks }: SnapshotManifest): boolean =>
  chunks.length > 0 &&
  chunks.length <= maxChunks &&
  size <= Math.min(maxSnapshotBytes, chunks.length * chunkBytes);

/** Whether a state machine captures and restores its state in parts of its own. */
export const isCaptured = (
  application: StateMachine,
): application is StateMachine & Required<Pick<StateMachine, 'capture' | 'restorer'>> =>
  application.capture !== undefined && application.restorer !== undefined;

/** The state as it is now, in parts: the application's own, or cuts of a copy of everything. */
export function captured(application: StateMachine): readonly StatePart[] {
  if (isCaptured(application)) return application.capture();
  return partsOf(application.snapshot());
}

/** Bytes in parts of a chunk each. */
const partsOf = (all: Uint8Array): readonly StatePart[] =>
  cuts(all).map((piece) => ({ encode: () => [piece] }));

function cuts(all: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  // Copies: a piece must not keep all the others in memory.
  for (let at = 0; at < all.length; at += chunkBytes) pieces.push(all.slice(at, at + chunkBytes));
  return pieces;
}

/** Takes over the pieces of {@link captured}. */
export function restorerOf(application: StateMachine): StateRestorer {
  if (isCaptured(application)) return application.restorer();
  const pieces: Uint8Array[] = [];
  return {
    add: (piece) => void pieces.push(piece),
    finish: () => application.restore(joined(pieces)),
  };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of pieces) {
    all.set(each, at);
    at += each.length;
  }
  return all;
}

/** About so many bytes of sessions are encoded at a time. */
const sessionBytes = chunkBytes / 2;

/** Sessions in parts, each of them those of some clients. */
export function sessionParts({ forgotten, clients }: StoredSessions): readonly StatePart[] {
  const parts: StatePart[] = [];
  let first = 0;
  let size = 0;
  const flush = (end: number): void => {
    const group: StoredSessions = { forgotten, clients: clients.slice(first, end) };
    parts.push({ encode: () => cuts(encode(storedSessions, group)) });
    first = end;
    size = 0;
  };
  clients.forEach(({ sessions }, i) => {
    size += 32;
    for (const { replies } of sessions)
      for (const { results } of replies)
        size += results.reduce((sum, each) => sum + each.length + 16, 64);
    if (size >= sessionBytes) flush(i + 1);
  });
  flush(clients.length);
  return parts;
}

/** The sessions of chunks that {@link sessionParts} gave. Throws `SchemaError` at others. */
export function sessionsOf(chunks: readonly Uint8Array[]): StoredSessions {
  const from = reader(joined(chunks));
  const all: StoredSessions['clients'][number][] = [];
  let forgotten = 0;
  while (from.at < from.end) {
    const part = storedSessions.read(from);
    forgotten = part.forgotten;
    for (const each of part.clients) all.push(each);
  }
  return { forgotten, clients: all };
}
