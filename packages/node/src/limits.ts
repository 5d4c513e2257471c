import {
  peerQueueBytes,
  unreadBytesOfMembers,
  unreadBytesOfOthers,
  unsentBytesOfMembers,
  unsentBytesOfOthers,
} from '@quorumlab/core';

/**
 * Every bound of a mesh in one place: what a peer can make this process hold, do or wait for.
 * What may wait of all together, unsent or unread, is raised to hold what may wait of one.
 */
export interface MeshLimits {
  /** Bytes that may wait until members take them, of all members together. */
  readonly unsentBytesOfMembers: number;
  /** As `unsentBytesOfMembers`, of all clients and strangers. */
  readonly unsentBytesOfOthers: number;
  /** Bytes of all members together that have come and are not cut into frames yet. */
  readonly unreadBytesOfMembers: number;
  /** As `unreadBytesOfMembers`, of all clients and strangers. */
  readonly unreadBytesOfOthers: number;
  /** Bytes queued for one peer, frame headers included; raised to hold one frame of full size. */
  readonly queueBytesPerPeer: number;
  /** Frames one peer may send per second before it is paused (it loses nothing, it waits). */
  readonly framesPerSecond: number;
  /** Frames of nothing one peer may send per second (in a burst, 8 times as many): heartbeats. */
  readonly emptyFramesPerSecond: number;
  /** Bytes one peer may send per second before it is paused. */
  readonly bytesPerSecond: number;
  /** A peer whose score of invalid frames reaches this is cut off. */
  readonly offencesBeforeReset: number;
  /** The score of invalid frames halves in this time. */
  readonly offenceHalfLifeMs: number;
  /** The first time a peer that was cut off stays out; doubles with each repetition. */
  readonly banMs: number;
  /** The longest time a peer stays out. */
  readonly maxBanMs: number;
  /** Each side sends at least an empty frame in this time. */
  readonly heartbeatMs: number;
  /** A peer from which nothing came for so many heartbeats is taken for dead. */
  readonly silentHeartbeats: number;
  /** A peer that took nothing from a full pipe for so many heartbeats is cut off. */
  readonly stalledHeartbeats: number;
  /** TCP, Noise and yamux of one connection must be done in this time. */
  readonly upgradeTimeoutMs: number;
  /** The hello must follow the connection in this time, in whole heartbeats. */
  readonly helloHeartbeats: number;
  /** First and longest pause between attempts to dial a peer; jitter takes off up to a half. */
  readonly redialMs: number;
  /** The longest pause between attempts to dial a peer. */
  readonly maxRedialMs: number;
  /** Handshakes per second with all who have shown no pass (in a burst, twice as many). */
  readonly strangersPerSecond: number;
  /** Connections whose handshake has not begun; above it the one that has waited longest ends. */
  readonly pendingConnections: number;
  /** Connections of one principal at a time, in the handshake and behind it. */
  readonly connectionsPerMember: number;
  /** Connections per second accepted from one member (in a burst, ten times as many). */
  readonly connectionsPerMemberPerSecond: number;
  /** Questions how this node is that a peer may ask per second (in a burst, eight times that). */
  readonly asksPerSecond: number;
  /** Streams a peer may have open on its connection; the mesh itself needs one. */
  readonly streamsPerConnection: number;
  /** Streams a peer may open per second (in a burst, sixteen times as many). */
  readonly streamsPerSecond: number;
  /** Pings a peer may send per second (in a burst, sixteen times as many). */
  readonly pingsPerSecond: number;
  /** Frames of yamux a peer may send per second before its connection is not read for a while. */
  readonly muxerFramesPerSecond: number;
  /**
   * Frames of yamux that a caller may send until its hello was answered, and afterwards per second
   * on other streams than that of the frames (in a burst, 16 times as many).
   */
  readonly strayFrames: number;
  /** The largest frame of yamux; honest peers send at most 64 KiB at once. */
  readonly muxerFrameBytes: number;
  /** Chunks of fewer than 16 bytes a socket may give per second (in a burst, 32 times as many). */
  readonly dripsPerSecond: number;
  /** Bytes of a peer before its key is proven; an honest handshake has about 300. */
  readonly handshakeBytes: number;
  /** Bytes a caller may send that are no frames: until its hello was answered, or beside them. */
  readonly strayBytes: number;
  /** Bytes a connection may hold unsent, of all its streams and of the muxer, before it is cut. */
  readonly channelWriteBufferBytes: number;
  /** Bytes libp2p may hold unsent for one stream before it aborts the stream. */
  readonly streamWriteBufferBytes: number;
  /** The largest window a peer may fill on one stream: the most that is held while paused. */
  readonly streamWindowBytes: number;
}

/** Limits that honest replicas do not notice on a laptop, in a data centre or across continents. */
export const DEFAULT_LIMITS: MeshLimits = {
  queueBytesPerPeer: peerQueueBytes,
  unsentBytesOfMembers,
  unsentBytesOfOthers,
  unreadBytesOfMembers,
  unreadBytesOfOthers,
  framesPerSecond: 2_000_000,
  emptyFramesPerSecond: 32,
  bytesPerSecond: 512 * 1024 * 1024,
  offencesBeforeReset: 50,
  offenceHalfLifeMs: 10_000,
  banMs: 1_000,
  maxBanMs: 60_000,
  heartbeatMs: 1_000,
  silentHeartbeats: 5,
  stalledHeartbeats: 10,
  upgradeTimeoutMs: 3_000,
  helloHeartbeats: 3,
  redialMs: 50,
  maxRedialMs: 2_000,
  strangersPerSecond: 16,
  pendingConnections: 1024,
  connectionsPerMember: 8,
  connectionsPerMemberPerSecond: 10,
  asksPerSecond: 2,
  streamsPerConnection: 4,
  streamsPerSecond: 8,
  pingsPerSecond: 2,
  muxerFramesPerSecond: 20_000,
  strayFrames: 64,
  muxerFrameBytes: 256 * 1024,
  dripsPerSecond: 128,
  handshakeBytes: 1024,
  strayBytes: 4096,
  channelWriteBufferBytes: 4 * 1024 * 1024,
  streamWriteBufferBytes: 1024 * 1024,
  streamWindowBytes: 4 * 1024 * 1024,
};

/** The limits of a mesh: a queue holds one frame of full size, what is for all holds one's. */
export function limitsOf(given: {
  readonly limits?: Partial<MeshLimits>;
  readonly maxFrameBytes: number;
}): MeshLimits {
  const limits = { ...DEFAULT_LIMITS, ...given.limits };
  const queueBytesPerPeer = Math.max(limits.queueBytesPerPeer, given.maxFrameBytes + 64);
  // A connection holds what was taken from its queue last.
  const least = queueBytesPerPeer + limits.channelWriteBufferBytes;
  // A frame is put together in a buffer that grows, and a window follows it.
  const leastUnread = 2 * (given.maxFrameBytes + limits.streamWindowBytes);
  return {
    ...limits,
    queueBytesPerPeer,
    unsentBytesOfMembers: Math.max(limits.unsentBytesOfMembers, least),
    unsentBytesOfOthers: Math.max(limits.unsentBytesOfOthers, least),
    unreadBytesOfMembers: Math.max(limits.unreadBytesOfMembers, leastUnread),
    unreadBytesOfOthers: Math.max(limits.unreadBytesOfOthers, leastUnread),
  };
}
