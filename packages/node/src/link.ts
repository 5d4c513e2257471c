import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface';
import { pauseLater } from './channel-guard.ts';
import { FrameReader } from './frames.ts';
import { decodeHello, encodeHello, HELLO_BYTES } from './hello.ts';
import type { MeshLimits } from './limits.ts';
import type { Member } from './members.ts';
import type { PeerAccount } from './peer-account.ts';
import { PeerQueue, type Schedule } from './peer-queue.ts';
import { updateWindowRarely } from './quick-channel.ts';
import type { Rooms } from './rooms.ts';
import { now } from './time.ts';
import { TokenBucket } from './token-bucket.ts';
import { type Readable, type Turns, Unread } from './turns.ts';

/** Why a frame was not sent: the peer is away, the frame too large or empty, or too many wait. */
export type DropReason = 'not-connected' | 'oversized' | 'empty' | 'queue-full';

/** Running totals of a mesh; links add to them. */
export interface Counters {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  readonly dropped: Record<DropReason, number>;
  pauses: number;
  resets: number;
}

/** What a link needs from, and reports to, its mesh. */
export interface LinkHost {
  readonly self: number;
  readonly maxFrameBytes: number;
  readonly limits: MeshLimits;
  /** What waits until peers take it. */
  readonly unsent: Rooms;
  /** What has come and is not read yet. */
  readonly unread: Rooms;
  /** In which links are read. */
  readonly turns: Turns;
  readonly counters: Counters;
  readonly schedule: Schedule;
  /** The peer's hello was right. Called once, before any frame. */
  admitted(link: Link): void;
  /** A frame of an admitted peer; a view valid during the call. */
  deliver(from: number, frame: Uint8Array): void;
  /** For how many milliseconds nothing is to be read of an admitted peer; 0: go on. */
  busyMs(from: number): number;
  /** The peer broke the rules of the channel; the link resets itself. */
  violated(link: Link, reason: string): void;
  /** The link is over, whatever the cause; so many bytes were never sent. Called once. */
  closed(link: Link, reason: string, unsentBytes: number): void;
}

/** A link was ended by this side; libp2p wants an error for it. */
class LinkAbortError extends Error {
  override readonly name = 'LinkAbortError';
}

const HEARTBEAT = new Uint8Array(0);

/** Bytes that are read between two looks at the clock: some hundred of the smallest frames. */
const PIECE_BYTES = 16 * 1024;

/**
 * One stream to one peer: hello, frames both ways, heartbeats, and all reasons to end it. The
 * caller says hello first; the callee checks it and answers with its own, which is the admission.
 */
export class Link implements Readable {
  readonly member: Member;
  /** Settles when the link is over; never rejects. */
  readonly done: Promise<void>;
  /** When the link was admitted, in ms of the monotonic clock. */
  admittedAt: number | undefined;
  readonly connection: Connection;
  readonly #host: LinkHost;
  /** What this peer takes; beside the totals of the mesh. */
  readonly #account: PeerAccount;
  readonly #stream: Stream;
  readonly #calls: boolean;
  readonly #queue: PeerQueue;
  readonly #reader: FrameReader;
  readonly #unread = new Unread();
  readonly #frameBucket: TokenBucket;
  readonly #emptyBucket: TokenBucket;
  readonly #byteBucket: TokenBucket;
  #state: 'greeting' | 'admitted' | 'closed' = 'greeting';
  #sendCap = HELLO_BYTES;
  #resolveDone: () => void = () => {};
  #unwatch: readonly (() => void)[] = [];
  #resumeTimer: NodeJS.Timeout | undefined;
  #chunkFrames = 0;
  #chunkEmpty = 0;
  #heard = false;
  #sentBefore = 0;
  #greetingTicks = 0;
  #silentTicks = 0;
  #stalledTicks = 0;

  constructor(
    host: LinkHost,
    member: Member,
    stream: Stream,
    connection: Connection,
    calls: boolean,
  ) {
    const { limits } = host;
    this.#host = host;
    this.member = member;
    this.#account = member.account;
    this.connection = connection;
    this.#stream = stream;
    this.#calls = calls;
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
    const sink = {
      // send() on a closed stream throws, and one made while libp2p is busy sending is buffered
      // without limit and answered with true: only an empty buffer is a promise.
      writable: () =>
        stream.writeStatus === 'writable' &&
        !stream.writableNeedsDrain &&
        stream.writeBufferLength === 0,
      send: (bytes: Uint8Array) => this.#write(bytes),
    };
    this.#queue = new PeerQueue(sink, limits.queueBytesPerPeer, host.schedule);
    this.#reader = new FrameReader(HELLO_BYTES, (frame) => this.#onFrame(frame));
    this.#frameBucket = new TokenBucket(limits.framesPerSecond, limits.framesPerSecond, now());
    const { emptyFramesPerSecond } = limits;
    this.#emptyBucket = new TokenBucket(emptyFramesPerSecond, 8 * emptyFramesPerSecond, now());
    this.#byteBucket = new TokenBucket(limits.bytesPerSecond, limits.bytesPerSecond, now());
  }

  /** Starts to listen and, on the calling side, says hello. */
  start(): void {
    const stream = this.#stream;
    // Both events come while libp2p is in the middle of sending, where bytes given to it would be
    // left lying; so the queue continues in a later microtask.
    stream.addEventListener('drain', () => this.#queue.wake());
    stream.addEventListener('idle', () => this.#queue.wake());
    stream.addEventListener('close', (event) => this.#end(event.error?.message ?? 'closed'));
    stream.addEventListener('remoteCloseWrite', () => this.abort('the peer closed its side'));
    stream.addEventListener('message', (event) => this.#receive(event));
    if (stream.status !== 'open') return this.#end('closed before it was used');
    const owner = this.member.principal.id;
    this.#unwatch = [
      this.#host.unsent.watch({
        owner,
        bytes: () => this.#queue.queuedBytes + stream.writeBufferLength,
        end: () => this.abort('it takes the least of all that is sent'),
      }),
      this.#host.unread.watch({
        owner,
        bytes: () => this.#unread.bytes + this.#reader.heldBytes,
        end: () => this.abort('the most of all that is unread is of it'),
      }),
    ];
    if (this.#calls) this.#greet();
  }

  /** Queues a frame, or says why not. */
  send(frame: Uint8Array): DropReason | undefined {
    if (this.#state !== 'admitted') return 'not-connected';
    if (frame.byteLength === 0) return 'empty';
    if (frame.byteLength > this.#sendCap) return 'oversized';
    const { unsent } = this.#host;
    if (!unsent.admits(this.member.principal.id, frame.byteLength)) return 'queue-full';
    if (!this.#queue.push(frame)) return 'queue-full';
    this.#host.counters.framesOut++;
    this.#account.framesOut++;
    return undefined;
  }

  /** The largest frame that both sides take, in bytes. */
  get maxFrameBytes(): number {
    return this.#sendCap;
  }

  /** Which side called the other. */
  get direction(): 'inbound' | 'outbound' {
    return this.#calls ? 'outbound' : 'inbound';
  }

  /** Bytes waiting to be sent. */
  get queuedBytes(): number {
    return this.#queue.queuedBytes;
  }

  /** Ends the link and its connection at once. */
  abort(reason: string): void {
    if (this.#state === 'closed') return;
    this.#end(reason);
  }

  /** Sends what the stream takes now; used before an orderly stop. */
  flush(): void {
    this.#queue.flush();
  }

  /** Called once per heartbeat interval. Counts ticks rather than time, so that a pause of this
   * process does not make its peers look dead. */
  tick(): void {
    const { limits } = this.#host;
    if (this.#state === 'greeting') {
      if (++this.#greetingTicks > limits.helloHeartbeats) this.abort('no hello in time');
      return;
    }
    if (this.#state === 'closed') return;
    // While the peer is paused, silence is our own doing.
    this.#silentTicks = this.#heard || this.#mustWait() ? 0 : this.#silentTicks + 1;
    this.#heard = false;
    const idle = this.#queue.sentBytes === this.#sentBefore;
    this.#stalledTicks = idle && this.#queue.queuedBytes > 0 ? this.#stalledTicks + 1 : 0;
    this.#sentBefore = this.#queue.sentBytes;
    if (this.#silentTicks >= limits.silentHeartbeats) this.abort('the peer is silent');
    else if (this.#stalledTicks >= limits.stalledHeartbeats) this.abort('the peer takes no data');
    else if (idle && this.#queue.queuedBytes === 0) this.#queue.push(HEARTBEAT);
  }

  #greet(): void {
    const { self, maxFrameBytes } = this.#host;
    this.#queue.push(encodeHello({ from: self, to: this.member.principal.id, maxFrameBytes }));
  }

  #write(bytes: Uint8Array): void {
    this.#host.counters.bytesOut += bytes.byteLength;
    this.#account.bytesOut += bytes.byteLength;
    try {
      // The result is not needed: the stream's own flag is asked before every write.
      this.#stream.send(bytes);
    } catch (error) {
      // The stream closed between the question and the write.
      this.abort(error instanceof Error ? error.message : 'write failed');
    }
  }

  #receive(event: StreamMessageEvent): void {
    if (this.#state === 'closed') return;
    const { data } = event;
    this.#heard = true;
    this.#host.counters.bytesIn += data.byteLength;
    this.#account.bytesIn += data.byteLength;
    for (const part of data instanceof Uint8Array ? [data] : data) this.#unread.push(part);
    this.#host.turns.read(this);
    // What is left waits for its turn, and so does the peer.
    if (this.#mustWait()) pauseLater(this.#stream, this.#mustWait);
  }

  /** Cuts a piece of what has come into frames. */
  readPiece(): boolean {
    if (this.#isClosed() || this.#isHeld()) return false;
    const piece = this.#unread.take(PIECE_BYTES);
    if (piece !== undefined) this.#read(piece);
    if (this.#unread.bytes > 0) return true;
    if (!this.#mustWait() && this.#stream.readStatus === 'paused') this.#stream.resume();
    return false;
  }

  /** Whether the peer has to wait: it is above its rate, or there is no room for what it says. */
  #isHeld(): boolean {
    if (this.#resumeTimer === undefined && this.#state === 'admitted' && this.#unread.bytes > 0) {
      const waitMs = this.#host.busyMs(this.member.principal.id);
      if (waitMs > 0) this.#pause(waitMs);
    }
    return this.#resumeTimer !== undefined;
  }

  #read(bytes: Uint8Array): void {
    this.#chunkFrames = 0;
    this.#chunkEmpty = 0;
    try {
      if (this.#reader.push(bytes) === 'too-long')
        this.#violate(`a frame is longer than the cap of ${this.#host.maxFrameBytes} bytes`);
    } catch (error) {
      // A handler of ours failed. The rest of the chunk is lost, so the stream cannot go on; the
      // error goes on to end the process, unless somebody there knows better.
      this.abort('a frame handler threw');
      throw error;
    }
    this.#restrain(bytes.byteLength);
  }

  /** Pauses a peer that is over its rate until its debt is paid; yamux then holds it back. */
  #restrain(bytes: number): void {
    const at = now();
    const waitMs = Math.max(
      this.#frameBucket.take(this.#chunkFrames, at),
      this.#emptyBucket.take(this.#chunkEmpty, at),
      this.#byteBucket.take(bytes, at),
    );
    if (waitMs > 0) this.#pause(waitMs);
  }

  #pause(waitMs: number): void {
    if (this.#stream.status !== 'open' || this.#resumeTimer !== undefined) return;
    this.#host.counters.pauses++;
    pauseLater(this.#stream, this.#mustWait);
    this.#resumeTimer = setTimeout(
      () => {
        this.#resumeTimer = undefined;
        this.#host.turns.read(this);
      },
      Math.min(1000, Math.ceil(waitMs)),
    );
  }

  /** Whether the peer is to send nothing for now. */
  readonly #mustWait = (): boolean =>
    !this.#isClosed() && (this.#resumeTimer !== undefined || this.#unread.bytes > 0);

  #onFrame(frame: Uint8Array): boolean {
    this.#chunkFrames++;
    if (frame.byteLength === 0) this.#chunkEmpty++;
    if (this.#state === 'greeting') {
      this.#onHello(frame);
    } else if (this.#state === 'admitted' && frame.byteLength > 0) {
      this.#host.counters.framesIn++;
      this.#account.framesIn++;
      this.#host.deliver(this.member.principal.id, frame);
    }
    // The handler may have ended the link.
    return !this.#isClosed();
  }

  #onHello(frame: Uint8Array): void {
    const hello = decodeHello(frame);
    const { id } = this.member.principal;
    if (hello === undefined) return this.#violate('the first frame is no hello');
    if (hello.from !== id)
      return this.#violate(`replica or client ${id} claims to be ${hello.from}`);
    if (hello.to !== this.#host.self) return this.#violate(`the peer takes us for ${hello.to}`);
    if (!this.#calls) this.#greet();
    this.#state = 'admitted';
    updateWindowRarely(this.#stream);
    this.admittedAt = now();
    this.#sendCap = Math.min(this.#host.maxFrameBytes, hello.maxFrameBytes);
    this.#reader.limit(this.#host.maxFrameBytes);
    this.#account.links++;
    this.#host.admitted(this);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #violate(reason: string): void {
    if (this.#state === 'closed') return;
    this.#host.violated(this, reason);
    this.abort(reason);
  }

  #end(reason: string): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#resumeTimer);
    this.#unread.clear();
    for (const unwatch of this.#unwatch) unwatch();
    const unsentBytes = this.#queue.queuedBytes;
    this.#queue.close();
    this.#host.closed(this, reason, unsentBytes);
    this.#resolveDone();
    // A stream that ended takes its connection along: one state per peer, not two.
    hangUp(this.connection, reason);
  }
}

/**
 * Ends a connection once libp2p is done with what it is doing now. Most reasons for it come up in
 * the middle of an event of that very connection, where libp2p counts on it to stay as it is.
 */
export function hangUp(connection: Connection, reason: string): void {
  queueMicrotask(() => connection.abort(new LinkAbortError(reason)));
}
