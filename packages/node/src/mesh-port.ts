/** A mesh as whoever runs on it sees it. */
import type { DialFault } from './dial-fault.ts';
import type { DropReason } from './link.ts';
import type { ConnectionRefusal } from './members.ts';
import type { PeerHoldings } from './peer-account.ts';
import type { Principal } from './principal.ts';

/** Totals since the start of the mesh. */
export interface MeshStats {
  /** Frames handed to `onFrame`. */
  readonly framesIn: number;
  /** Frames accepted by `send`; a link that ends may still lose those it had queued. */
  readonly framesOut: number;
  /** Bytes of streams, headers, hellos and heartbeats included. */
  readonly bytesIn: number;
  /** As `bytesIn`, for what was given to libp2p. */
  readonly bytesOut: number;
  /** Frames for which `send` returned false, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** Times a peer was held back because it was above its rate. */
  readonly pauses: number;
  /** Connections refused after the handshake, by reason. */
  readonly refused: Readonly<Record<ConnectionRefusal, number>>;
  /** Links reset because of what the peer sent. */
  readonly resets: number;
  /** Bytes waiting in all queues now. */
  readonly queuedBytes: number;
  /** As `queuedBytes`, with what the connections hold below the queues. */
  readonly unsentBytes: number;
  /** Bytes that have come and are not cut into frames yet. */
  readonly unreadBytes: number;
}

/** The cluster as one principal sees it: authenticated peers, ordered frames, bounded queues. */
export interface Mesh {
  /**
   * Queues a frame for a peer and copies it. All frames of one tick to one peer leave together.
   * False means dropped: the peer is down, its queue is full, or the frame is above the cap of
   * either side. Never throws, also not after `stop`. True is no promise of delivery.
   */
  send(to: number, frame: Uint8Array): boolean;
  /**
   * Reports that a peer's frame was invalid. After repeated offences within a short time the peer
   * is cut off and kept out for a while, longer with each repetition.
   */
  penalise(id: number, reason: string): void;
  /** The numbers of the peers admitted now, in ascending order. */
  connected(): readonly number[];
  /**
   * Resolves when `count` replicas (all others unless given) are connected; rejects with the
   * signal's reason, or with {@link MeshStoppedError}.
   */
  ready(count?: number, signal?: AbortSignal): Promise<void>;
  /**
   * Lets one more principal in, and dials it if it is this node's turn. Nothing if it is let in
   * already. Throws `MeshConfigError` for a number that has another key, and `KeyError`.
   */
  admit(principal: Principal): void;
  /** Lets a principal in no longer, and ends the connection to it. Nothing for one that is not. */
  drop(id: number, reason: string): void;
  /** The multiaddrs this node listens on, without its PeerId. */
  addresses(): readonly string[];
  /**
   * Ends everything at once, within milliseconds, and leaves no handle: like a crash, frames on
   * the way may be lost. Safe to call twice.
   */
  stop(): Promise<void>;
  /** Totals for monitoring. */
  stats(): MeshStats;
  /**
   * What the `answer` of a connected peer is now. Rejects with `InquiryError`, which says why not,
   * after `limitMs` at the latest.
   */
  ask(id: number, limitMs: number): Promise<Uint8Array>;
  /**
   * Why a peer that is not connected is not, as far as this node has tried: `waits-for-it` where
   * it is the peer that dials. Nothing if it is connected, or nothing has been tried yet.
   */
  faultOf(id: number): DialFault | 'waits-for-it' | undefined;
  /** What the channel of a principal holds now, without the frames that were handed on. */
  holdings(id: number): Omit<PeerHoldings, 'waitingFrames' | 'waitingBytes'>;
}

/** The mesh was stopped while somebody waited for it. */
export class MeshStoppedError extends Error {
  override readonly name = 'MeshStoppedError';
}
