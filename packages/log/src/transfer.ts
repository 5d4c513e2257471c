/**
 * Getting a snapshot from others (architecture 11.2). The digest comes from the protocol: from a
 * certificate, or from a leader that is trusted not to lie. Holders are never trusted: what does
 * not match is thrown away, and the next holder is asked.
 */
import type { Delay, Digest, DigestOf, Fetch, ReplicaId, Signed, Slot } from '@quorumlab/core';
import { ms } from '@quorumlab/core';
import { spread } from './client-state.ts';
import type { ServiceMessage, SnapshotChunk, SnapshotManifest } from './messages.ts';
import { isChunk, isComplete, type Kept, kept, rootOf } from './snapshots.ts';

/** Most chunks asked for at a time: 1 MiB is under way. */
const window = 8;
const firstWait = ms(500);
const longestWait = ms(8000);

/** One transfer under way. Plain data. */
export interface Transfer {
  readonly slot: Slot;
  readonly root: Digest;
  holders: readonly ReplicaId[];
  /** Which holder is asked now. */
  at: number;
  /** Holders given up since the timer last fired: after a whole round it is time to wait. */
  failed: number;
  wait: number;
  progress: boolean;
  manifest: SnapshotManifest | undefined;
  /** By digest: verified chunks, and those of this replica's own last snapshot. */
  readonly pool: Map<Digest, Uint8Array>;
  readonly asked: Set<number>;
  /** All chunks below this index are here. */
  low: number;
}

/** How a transfer speaks. */
export interface TransferPorts {
  readonly digest: DigestOf;
  send(to: ReplicaId, message: ServiceMessage): void;
  wait(after: Delay): void;
}

/** A new transfer, with what is known already taken over from the one before it. */
export function begin(
  { slot, digest, holders }: Fetch,
  own: Kept | undefined,
  before: Transfer | undefined,
  ports: TransferPorts,
): Transfer {
  const pool = new Map(before?.pool);
  own?.chunks.forEach((each, i) => {
    pool.set(own.manifest.chunks[i] as Digest, each);
  });
  const transfer: Transfer = {
    slot,
    root: digest,
    holders,
    at: 0,
    failed: 0,
    wait: firstWait,
    progress: false,
    manifest: undefined,
    pool,
    asked: new Set(),
    low: 0,
  };
  ask(transfer, ports);
  ports.wait(spread(transfer.wait));
  return transfer;
}

function ask(transfer: Transfer, ports: TransferPorts): void {
  const holder = transfer.holders[transfer.at] as ReplicaId;
  const { slot, root, manifest, pool, asked } = transfer;
  if (manifest === undefined) {
    ports.send(holder, { kind: 'snapshot-request', slot, root });
    return;
  }
  const { chunks } = manifest;
  while (transfer.low < chunks.length && pool.has(chunks[transfer.low] as Digest)) transfer.low++;
  for (let index = transfer.low; index < chunks.length && asked.size < window; index++) {
    if (pool.has(chunks[index] as Digest) || asked.has(index)) continue;
    asked.add(index);
    ports.send(holder, { kind: 'chunk-request', root, index });
  }
}

/** The holder lied, has nothing or says nothing: on to the next one. */
function giveUp(transfer: Transfer, ports: TransferPorts): void {
  transfer.at = (transfer.at + 1) % transfer.holders.length;
  transfer.asked.clear();
  transfer.failed++;
  if (transfer.failed < transfer.holders.length) ask(transfer, ports);
}

/** Whether `from` is the holder that is being asked; others are not listened to. */
const isAsked = (transfer: Transfer, from: number): boolean =>
  transfer.holders[transfer.at] === from && transfer.failed < transfer.holders.length;

/** Takes a manifest. The snapshot is returned if all its chunks were here already. */
export function onManifest(
  transfer: Transfer,
  message: Signed<SnapshotManifest>,
  ports: TransferPorts,
): Kept | undefined {
  if (!isAsked(transfer, message.from) || transfer.manifest !== undefined) return undefined;
  const { kind, slot, size, chunks } = message;
  const manifest: SnapshotManifest = { kind, slot, size, chunks };
  const right =
    slot === transfer.slot &&
    isComplete(manifest) &&
    rootOf(manifest, ports.digest) === transfer.root;
  if (!right) {
    giveUp(transfer, ports);
    return undefined;
  }
  const { pool } = transfer;
  const wanted = new Set(chunks);
  for (const name of pool.keys()) if (!wanted.has(name)) pool.delete(name);
  transfer.manifest = manifest;
  transfer.progress = true;
  ask(transfer, ports);
  return finished(transfer, ports);
}

/** Takes a chunk. The snapshot is returned when this was the last one. */
export function onChunk(
  transfer: Transfer,
  { from, root, index, bytes }: Signed<SnapshotChunk>,
  ports: TransferPorts,
): Kept | undefined {
  const { manifest, asked } = transfer;
  const expected = isAsked(transfer, from) && root === transfer.root && asked.has(index);
  if (!expected || manifest === undefined) return undefined;
  const name = manifest.chunks[index] as Digest;
  if (!isChunk(bytes, name, ports.digest)) {
    giveUp(transfer, ports);
    return undefined;
  }
  asked.delete(index);
  transfer.pool.set(name, bytes);
  transfer.progress = true;
  ask(transfer, ports);
  return finished(transfer, ports);
}

/** Takes "I have no such snapshot". */
export function onAbsent(
  transfer: Transfer,
  message: Signed<{ readonly slot: Slot; readonly root: Digest }>,
  ports: TransferPorts,
): void {
  if (isAsked(transfer, message.from) && message.root === transfer.root) giveUp(transfer, ports);
}

/** Nothing happened for a while, or only a little. */
export function onTransferTimeout(transfer: Transfer, ports: TransferPorts): void {
  transfer.failed = 0;
  if (!transfer.progress) {
    transfer.at = (transfer.at + 1) % transfer.holders.length;
    // Silence of one may be a lost message; only a round of silence makes us more patient.
    if (transfer.at === 0) transfer.wait = Math.min(transfer.wait * 2, longestWait);
  }
  // Messages can be lost: whatever is not here by now is asked for again.
  transfer.progress = false;
  transfer.asked.clear();
  ask(transfer, ports);
  ports.wait(spread(transfer.wait));
}

function finished({ manifest, pool, asked, low }: Transfer, ports: TransferPorts) {
  if (manifest === undefined || asked.size > 0 || low < manifest.chunks.length) return undefined;
  const chunks = manifest.chunks.map((name) => pool.get(name) as Uint8Array);
  return kept(manifest, chunks, 0, 'installed', ports.digest);
}

/** An independent copy. */
export const copyTransfer = (transfer: Transfer): Transfer => ({
  ...transfer,
  pool: new Map(transfer.pool),
  asked: new Set(transfer.asked),
});
