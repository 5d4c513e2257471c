/**
 * Snapshots: everything a replica is, in chunks. The digest of a snapshot is the digest of its
 * manifest, and the manifest holds the digests of the chunks: a thief of time can be caught at the
 * first wrong chunk, long before the end.
 */
import type { Digest, DigestOf, Field, Slot } from '@quorumlab/core';
import { assert, bytes, decode, integer, record, writer, written } from '@quorumlab/core';
import { chunkBytes, maxChunks, type SnapshotManifest, snapshotManifest } from './messages.ts';
import { type StoredSessions, storedSessions } from './sessions.ts';
import type { SnapshotRecord } from './types.ts';

/** What a snapshot holds: all that a replica needs to go on after `slot`. */
export interface Content {
  readonly slot: Slot;
  readonly state: number;
  readonly application: Uint8Array;
  readonly sessions: StoredSessions;
  /** The group, as its protocol encodes it: `Configured.state`. Empty: it was never changed. */
  readonly configuration: Uint8Array;
}

/** Most bytes that a protocol may need to tell who is in its group. */
const maxConfigurationBytes = 65_536;

const content: Field<Content> = record({
  slot: integer(),
  state: integer(2 ** 32 - 1),
  application: bytes(maxChunks * chunkBytes),
  sessions: storedSessions,
  configuration: bytes(maxConfigurationBytes),
});

const chunk = bytes(chunkBytes);

/** The digest that stands for a chunk. */
export const nameOf = (data: Uint8Array, digest: DigestOf): Digest => digest(chunk, data);

/** A snapshot in memory, ready to be written down and to be given to others. */
export interface Kept {
  readonly record: SnapshotRecord;
  readonly manifest: SnapshotManifest;
  readonly chunks: readonly Uint8Array[];
}

/** Cuts `of` into chunks. Those that `before` had too are shared with it and not written again. */
export function keep(of: Content, before: Kept | undefined, digest: DigestOf): Kept {
  const to = writer(of.application.length + 1024);
  content.write(to, of);
  const all = written(to);
  const count = Math.ceil(all.length / chunkBytes);
  assert(count <= maxChunks, `a snapshot of ${all.length} bytes is above 1 GiB; keep less state`);
  const chunks: Uint8Array[] = [];
  const digests: Digest[] = [];
  for (let i = 0; i < count; i++) {
    const fresh = all.slice(i * chunkBytes, (i + 1) * chunkBytes);
    const name = nameOf(fresh, digest);
    const same = before?.manifest.chunks[i] === name;
    chunks.push(same ? (before.chunks[i] as Uint8Array) : fresh);
    digests.push(name);
  }
  return kept(manifestOf(of.slot, all.length, digests), chunks, of.state, 'taken', digest);
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
export function kept(
  manifest: SnapshotManifest,
  chunks: readonly Uint8Array[],
  state: number,
  origin: SnapshotRecord['origin'],
  digest: DigestOf,
): Kept {
  const { slot, size } = manifest;
  return {
    record: { slot, digest: rootOf(manifest, digest), size, state, origin },
    manifest,
    chunks,
  };
}

/** The digest that stands for a whole snapshot. */
export const rootOf = (manifest: SnapshotManifest, digest: DigestOf): Digest =>
  digest(snapshotManifest, manifest);

/** Whether `bytes` are the chunk that `name` is the digest of. */
export const isChunk = (data: Uint8Array, name: Digest, digest: DigestOf): boolean =>
  data.length <= chunkBytes && nameOf(data, digest) === name;

/** Whether a manifest has as many chunks as its size asks for. */
export const isComplete = ({ size, chunks }: SnapshotManifest): boolean =>
  chunks.length === Math.ceil(size / chunkBytes) && chunks.length <= maxChunks;

/** What the chunks hold. Throws `SchemaError` if that is no snapshot. */
export function contentOf(manifest: SnapshotManifest, chunks: readonly Uint8Array[]): Content {
  const all = new Uint8Array(manifest.size);
  let at = 0;
  for (const each of chunks) {
    if (at + each.length > all.length) break;
    all.set(each, at);
    at += each.length;
  }
  return decode(content, all);
}
