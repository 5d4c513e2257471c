/** What is known of a snapshot that is being fetched, and of who may hold it. */
import type { Delay, Digest, DigestOf, Fetch, Instant, ReplicaId, Slot } from '@quorumlab/core';
import { copyHolder, type Holder } from './holders.ts';
import type { ServiceMessage, SnapshotManifest } from './messages.ts';

/** Most snapshots to fall back on. */
export const mostOthers = 3;

/** A snapshot that the protocol wishes for. */
export interface Target extends Fetch {
  /** It was given up for another one: that is not done again at once. */
  readonly tried?: true;
  /** Known if this one was being fetched before. */
  readonly manifest?: SnapshotManifest;
}

/** A chunk that is not here. */
interface Missing {
  /** One of its places: equal chunks are fetched once. */
  readonly index: number;
  /** Who has been asked for it, each once until all have been. */
  asked: ReplicaId[];
  /** How many of them may still answer in time, and since when the last one is asked. */
  underWay: number;
  since: Instant;
}

/** One transfer under way. Plain data. */
export interface Transfer {
  slot: Slot;
  root: Digest;
  holders: Holder[];
  /** The others that were wished for, the newest last: at most {@link mostOthers}. */
  others: readonly Target[];
  /** Who has lied, about whichever snapshot. */
  readonly liars: Set<ReplicaId>;
  manifest: SnapshotManifest | undefined;
  /** In the order in which they are asked for. */
  missing: Map<Digest, Missing>;
  /** When the last one came, or this snapshot's turn; and how long nothing may come. */
  touched: Instant;
  stall: number;
  /** How many have come since when; and how long that is measured. */
  got: number;
  since: Instant;
  dwell: number;
  /** When the timer fires. */
  alarm: Instant;
}

/** What a transfer needs of its replica. */
export interface TransferPorts {
  readonly digest: DigestOf;
  readonly now: Instant;
  /** Whether the chunk of this digest is here. */
  has(name: Digest): boolean;
  /** Keeps a chunk that was checked. */
  store(name: Digest, bytes: Uint8Array): void;
  /** No chunk but these is needed for what is being fetched, or may be again. */
  retain(names: ReadonlySet<Digest>): void;
  send(to: ReplicaId, message: ServiceMessage): void;
  wait(after: Delay): void;
}

/** The manifest of a snapshot of which every chunk is here: the transfer is over. */
export const whole = ({ manifest, missing }: Transfer): SnapshotManifest | undefined =>
  missing.size === 0 ? manifest : undefined;

/** How many chunks are under way. */
export const owed = (holders: readonly Holder[]): number =>
  holders.reduce((sum, { owes }) => sum + owes.size, 0);

/** An independent copy. */
export const copyTransfer = (transfer: Transfer): Transfer => ({
  ...transfer,
  holders: transfer.holders.map(copyHolder),
  liars: new Set(transfer.liars),
  missing: new Map(
    [...transfer.missing].map(([name, each]) => [name, { ...each, asked: [...each.asked] }]),
  ),
});
