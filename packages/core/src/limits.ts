/**
 * Every size limit of the system in one place, in bytes unless told, from the smallest thing to the
 * largest. Each follows from those above it, so that nothing which one layer lets pass is refused
 * by a layer below. `test/limits` takes the largest of everything through every layer.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

/** One operation, and one result. */
export const maxOperationBytes: number = 64 * KiB;
/** Operations of one request, and of one query: a number. */
export const maxOperations = 1024;
/**
 * What an operation counts at least wherever something is filled by bytes: a small one takes more
 * than its bytes in memory. So no batch holds more than 16,384 of them.
 */
export const operationBytes = 64;
/** All operations of one request, and of one query. */
export const maxRequestBytes: number = 8 * maxOperationBytes;
/** All results of one request that a replica keeps and sends. */
export const maxResultBytes: number = 2 * maxRequestBytes;
/** A change of the group that a request carries in place of operations. */
export const maxChangeBytes: number = 4 * KiB;

/** The length that stands before each byte string of at most {@link maxOperationBytes}. */
export const lengthBytes = 3;
/** What stands around the parts of a list or a message: integers of at most seven bytes. */
const frameOfList = 8;
const integersOfRequest = 4 * 7;

/** The encoding of a list of operations, whose lengths stand before them. */
export const maxEncodedOperationsBytes: number =
  maxRequestBytes + maxOperations * lengthBytes + frameOfList;
/** The encoding of a list of results. */
export const maxEncodedResultsBytes: number =
  maxResultBytes + maxOperations * lengthBytes + frameOfList;

/** What a request takes beside its operations: their lengths, its numbers, its seal, a change. */
export const requestOverheadBytes: number =
  maxOperations * lengthBytes + integersOfRequest + frameOfList + maxChangeBytes + 7 + 80;

/** Operations that a message of at most `bytes` may hold: so many fill it, and one more request. */
export const operationsIn = (bytes: number): number =>
  Math.floor(bytes / operationBytes) + maxOperations;

/** Operations that are ordered together: a batch, a block, a slot, the entries of one message. */
export const maxBatchBytes: number = 2 * maxRequestBytes;

/**
 * What is kept of a buffer in which one value after the other is encoded: it grows by doubling, so
 * this holds one with a batch in it.
 */
export const scratchBytes: number = 2 * maxBatchBytes;

/** A frame: one sealed message of any protocol. A node may be told another limit. */
export const maxFrameBytes: number = 16 * MiB;
/** What a frame holds beside its message: version, domain, sender, seal, kind. */
export const envelopeBytes = 192;

/** Frames that wait for one peer to take them; a node raises it to one frame of full size. */
export const peerQueueBytes: number = maxFrameBytes / 2;
/**
 * What all members together have not taken yet: three of full size. Who holds the most makes way.
 */
export const unsentBytesOfMembers: number = 3 * maxFrameBytes;
/** As {@link unsentBytesOfMembers}, of clients and strangers: two of full size. */
export const unsentBytesOfOthers: number = 2 * maxFrameBytes;
/**
 * What has come of all members together and is no whole frame yet: four of full size. Who holds the
 * most makes way.
 */
export const unreadBytesOfMembers: number = 4 * maxFrameBytes;
/** As {@link unreadBytesOfMembers}, of clients and strangers. */
export const unreadBytesOfOthers: number = 3 * maxFrameBytes;
/** Frames of one peer that wait to be stepped: above it nothing is read of that peer. */
export const inboxBytesOfPeer: number = 4 * maxBatchBytes;
/** Frames of all peers that wait to be stepped. Above it, each peer has an equal share. */
export const inboxBytes: number = 16 * inboxBytesOfPeer;
/** Operations of this process itself that wait to be stepped. */
export const submitBytes: number = 32 * maxBatchBytes;

/**
 * Writes of several steps that share one commit; a larger step has one of its own. To encode a
 * commit takes milliseconds a MiB, in which the thread does nothing else.
 */
export const commitBytes: number = 2 * maxRequestBytes;
/** Outputs that wait for the disk: above it no input is stepped. */
export const waitingOutputBytes: number = 32 * commitBytes;

/** One record of a log on a disk. A larger commit takes several records and is still atomic. */
export const recordBytes: number = 64 * MiB;
/** Records that wait for the disk. */
export const pendingBytes: number = 4 * recordBytes;

/** Requests that wait at a replica, all together and those of one client. */
export const mempoolBytes: number = 64 * maxBatchBytes;
/** See {@link mempoolBytes}: eight of the largest requests, so that they delay others little. */
export const mempoolBytesOfClient: number = 8 * maxRequestBytes;
/**
 * What a replica of a Byzantine protocol logs above a stable checkpoint, unless its group is told
 * otherwise: a primary that has ordered so much goes on with empty batches to the next checkpoint.
 */
export const windowBytes: number = 64 * maxBatchBytes;
/** What a request counts beside its bytes where clients share batches: each takes a signature. */
export const placeBytes: number = maxBatchBytes / 256;
/** Commands in a leader's log that are not committed, or that wait for their slot. */
export const uncommittedBytes: number = 64 * maxBatchBytes;

/** Requests applied since the last snapshot: above it a log wants the next one. */
export const snapshotEveryBytes: number = 32 * maxBatchBytes;
/** What a log keeps behind a snapshot for members that are a little behind. */
export const keptBehindBytes: number = 16 * maxBatchBytes;

/** Results that are kept for one session of a client: those of the requests under way at a time. */
export const sessionBytes: number = 4 * maxResultBytes;
/** What is kept of all sessions, and so stands in every snapshot beside the application. */
export const sessionsBytes: number = 16 * sessionBytes;
