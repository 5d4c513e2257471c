/**
 * What peers do below the frames must not become an error that nobody catches. libp2p passes data
 * on by events, and Node ends the process for an error in a listener, which no caller can catch;
 * yamux throws there when it answers on a channel that is closed, and it stores what a header
 * announces, up to 4 GiB. So the channel between Noise and yamux is guarded here: writing to it
 * never throws, errors in its listeners end the connection and nothing else, and bytes are
 * judged before yamux stores them. Errors of our own handlers do not pass here: they are thrown in
 * the events of streams, and still end the process.
 */
import type {
  Connection,
  ConnectionEncrypter,
  ConnectionGater,
  MessageStream,
  MultiaddrConnection,
  PeerId,
  StreamMuxer,
  StreamMuxerFactory,
} from '@libp2p/interface';
import type { MeshLimits } from './limits.ts';
import type { Rooms } from './rooms.ts';
import { now } from './time.ts';
import { TokenBucket } from './token-bucket.ts';
import { YamuxInspector } from './yamux-inspector.ts';

/**
 * Told of what a peer did below the frames; `peer` is missing where its key is not proven yet. What
 * a channel holds unsent, and unread, is counted with what all others hold, if there is a bound for
 * all.
 */
export interface ChannelReports {
  /** Its connection is being ended. */
  faulty(peer: PeerId | undefined, address: string, reason: string): void;
  /** It is read no further for a while, because it sends too much. */
  paused(): void;
  readonly unsent?: Rooms;
  readonly unread?: Rooms;
  /** The number of a principal of the cluster. */
  readonly ownerOf?: (peer: PeerId) => number | undefined;
}

/** A peer did below the frames what no honest peer does. */
class ChannelFaultError extends Error {
  override readonly name = 'ChannelFaultError';
}

/** Wraps what libp2p is made of, for one node. */
export interface ChannelGuard {
  /** The same gater; every connection passes it first, and is watched from then on. */
  gater(gater: ConnectionGater): ConnectionGater;
  /** The same encrypter; it also remembers whose channel is whose. */
  encrypter<C>(
    make: (components: C) => ConnectionEncrypter,
  ): (components: C) => ConnectionEncrypter;
  /** The same muxer, on guarded channels. */
  muxer<C>(make: (components: C) => StreamMuxerFactory): (components: C) => StreamMuxerFactory;
  /** The peer on this connection has said a right hello: its first stream may carry frames now. */
  admit(connection: Connection): void;
}

/** Who is at the other end of a channel. */
interface Remote {
  readonly peer: PeerId;
  readonly address: string;
}

/** A guard for connections within `limits`. */
export function channelGuard(limits: MeshLimits, reports: ChannelReports): ChannelGuard {
  const remotes = new WeakMap<MessageStream, Remote>();
  /** By the list of streams, which a connection shares with its muxer. */
  const inspectors = new WeakMap<object, YamuxInspector>();
  /** Whom Noise has proven, by connection. */
  const peers = new WeakMap<MessageStream, PeerId>();
  /** Whom to tell that a handshake is done, by connection. */
  const shaking = new WeakMap<MessageStream, () => void>();

  const watch = (connection: MultiaddrConnection): false => {
    containListeners(connection);
    const fail = (reason: string): void => {
      const peer = peers.get(connection);
      reports.faulty(peer, connection.remoteAddr.toString(), reason);
      endLater(connection, new ChannelFaultError(reason));
    };
    shaking.set(connection, watchBytes(connection, limits, fail));
    return false;
  };
  const secured = async <S extends { readonly connection: MessageStream; remotePeer: PeerId }>(
    connection: MessageStream,
    securing: Promise<S>,
  ): Promise<S> => {
    const done = await securing;
    shaking.get(connection)?.();
    peers.set(connection, done.remotePeer);
    const address = 'remoteAddr' in connection ? String(connection.remoteAddr) : '';
    remotes.set(done.connection, { peer: done.remotePeer, address });
    return done;
  };
  return {
    gater: (gater) => ({
      ...gater,
      denyInboundConnection: (connection) => watch(connection),
      denyOutboundConnection: (_peer, connection) => watch(connection),
    }),
    encrypter: (make) => (components) => {
      const encrypter = make(components);
      const { secureInbound, secureOutbound } = encrypter;
      encrypter.secureInbound = (connection, options) =>
        secured(connection, secureInbound.call(encrypter, connection, options));
      encrypter.secureOutbound = (connection, options) =>
        secured(connection, secureOutbound.call(encrypter, connection, options));
      return encrypter;
    },
    muxer: (make) => (components) => {
      const factory = make(components);
      return {
        protocol: factory.protocol,
        createStreamMuxer: (channel) => {
          const { peer, address = '' } = remotes.get(channel) ?? {};
          const inspector = new YamuxInspector(limits, channel.direction);
          const owner = peer && reports.ownerOf?.(peer);
          const muxer = guardedMuxer(factory, channel, inspector, {
            mayHold: mayHold(channel, limits, reports, owner),
            mayRead: (unread) => mayRead(channel, reports, owner, unread),
            faulty: (reason) => reports.faulty(peer, address, reason),
            paused: () => reports.paused(),
          });
          inspectors.set(muxer.streams, inspector);
          return muxer;
        },
      };
    },
    admit: (connection) => {
      const inspector = inspectors.get(connection.streams);
      // Without it the peer would soon be ended for the frames that it may send now.
      if (inspector === undefined) throw new TypeError('This connection was never guarded.');
      inspector.admit();
    },
  };
}

/** A connection or muxer as libp2p's base classes make it: bytes come in by this method alone. */
interface Reading {
  onData(data: MessageBytes): void;
}

type MessageBytes = Uint8Array | (Iterable<Uint8Array> & { readonly byteLength: number });

/** Left unguarded it would be open to every peer, so there is no going on without the method. */
function requireReading(part: object): Reading {
  const isReading = (one: object): one is Reading =>
    'onData' in one && typeof one.onData === 'function';
  if (!isReading(part)) throw new TypeError('This part of libp2p cannot be guarded: no onData.');
  return part;
}

/** A chunk of fewer bytes is a drip: the smallest record of Noise with a yamux header has 30. */
const DRIP_BYTES = 16;

/**
 * Watches the bytes of a socket. A connection ends that says more than a handshake can need before
 * it is done: a stranger could ask for the list of protocols again and again, and be answered. One
 * ends as well that drips: what gathers records is slow in the square of the number of chunks.
 * Gives what to call when the handshake is done.
 */
function watchBytes(
  connection: MultiaddrConnection,
  limits: MeshLimits,
  fail: (reason: string) => void,
): () => void {
  const { handshakeBytes, dripsPerSecond } = limits;
  const drips = new TokenBucket(dripsPerSecond, 32 * dripsPerSecond, now());
  const reading = requireReading(connection);
  const { onData } = reading;
  let isSecured = false;
  let said = 0;
  const faultOf = (bytes: number): string | undefined => {
    said += bytes;
    if (!isSecured && said > handshakeBytes)
      return `more than ${handshakeBytes} bytes before the end of the handshake`;
    return bytes < DRIP_BYTES && !drips.tryTake(now()) ? 'bytes that come one by one' : undefined;
  };
  reading.onData = (data) => {
    const fault = faultOf(data.byteLength);
    if (fault === undefined) return onData.call(connection, data);
    // Nothing more is looked at, whatever comes before the end of the connection.
    reading.onData = () => {};
    fail(fault);
  };
  return () => {
    isSecured = true;
  };
}

interface GuardedMuxerOptions {
  /** Whether the channel may hold so many bytes more unsent. */
  mayHold(bytes: number): boolean;
  /** Given what is unread, whether so many bytes more may be; if not, the channel is ended. */
  mayRead(unread: () => number): (bytes: number) => boolean;
  faulty(reason: string): void;
  paused(): void;
}

function guardedMuxer(
  factory: StreamMuxerFactory,
  channel: MessageStream,
  inspector: YamuxInspector,
  options: GuardedMuxerOptions,
): StreamMuxer {
  // A muxer on a channel that is closed would never hear so, and its timers would never stop.
  if (channel.status !== 'open') throw new ChannelFaultError('The channel is closed already.');
  let failed = false;
  const fail = (error: Error): void => {
    if (failed || channel.status !== 'open') return;
    failed = true;
    options.faulty(error.message);
    endLater(channel, error);
  };
  containListeners(channel, fail);
  writeSafely(channel, options.mayHold, fail);
  const muxer = factory.createStreamMuxer(channel);
  const reading = requireReading(muxer);
  const { onData } = reading;
  const mayRead = options.mayRead(() =>
    muxer.streams.reduce((sum, { readBufferLength }) => sum + readBufferLength, 0),
  );
  reading.onData = (data) => {
    if (failed || !mayRead(data.byteLength)) return;
    const fault = inspector.read(data);
    if (fault !== undefined) return fail(new ChannelFaultError(fault));
    try {
      onData.call(reading, data);
    } catch (error) {
      fail(errorOf(error));
    }
    const waitMs = inspector.waitMs();
    if (waitMs === 0 || failed) return;
    options.paused();
    pauseFor(channel, waitMs);
  };
  return muxer;
}

/** Reads nothing for a while; the socket then holds the peer back. */
function pauseFor(channel: MessageStream, waitMs: number): void {
  pauseLater(channel);
  setTimeout(() => ifOpen(channel, () => channel.resume()), Math.min(1000, waitMs)).unref();
}

/** Bounds what a channel holds, by itself and beside all others. */
function mayHold(
  channel: MessageStream,
  { channelWriteBufferBytes }: MeshLimits,
  { unsent }: ChannelReports,
  owner: number | undefined,
): (bytes: number) => boolean {
  const end = (): void => endLater(channel, new ChannelFaultError('others need the room'));
  const unwatch = unsent?.watch({ owner, bytes: () => channel.writeBufferLength, end });
  if (unwatch !== undefined) channel.addEventListener('close', unwatch);
  return (bytes) =>
    channel.writeBufferLength + bytes <= channelWriteBufferBytes &&
    unsent?.admits(owner, bytes) !== false;
}

/** As {@link mayHold}, for what is read: `unread` of its streams, and what others count of it. */
function mayRead(
  channel: MessageStream,
  { unread: rooms }: ChannelReports,
  owner: number | undefined,
  unread: () => number,
): (bytes: number) => boolean {
  const end = (): void => endLater(channel, new ChannelFaultError('others need the room'));
  const bytes = (): number => channel.readBufferLength + unread();
  const unwatch = rooms?.watch({ owner, bytes, end });
  if (unwatch !== undefined) channel.addEventListener('close', unwatch);
  return (more) => {
    if (rooms?.admits(owner, more) !== false) return true;
    end();
    return false;
  };
}

/** Makes writing to a channel harmless: never an error, and never without bound. */
function writeSafely(
  channel: MessageStream,
  mayHold: (bytes: number) => boolean,
  fail: (error: Error) => void,
): void {
  const { send } = channel;
  channel.send = (data) => {
    // False is what a full channel says. Whoever waits for more room hears of the end instead.
    if (channel.status !== 'open') return false;
    if (!mayHold(data.byteLength)) {
      fail(new ChannelFaultError('the peer does not read what it makes us say'));
      return false;
    }
    try {
      return send.call(channel, data);
    } catch (error) {
      // The socket has ended, and the channel has not heard of it yet: that is nobody's fault.
      endLater(channel, errorOf(error));
      return false;
    }
  };
}

type Listener = (event: Event) => void;

/** From now on an error in a listener of the channel ends the channel, and goes no further. */
function containListeners(
  channel: MessageStream,
  fail: (error: Error) => void = (error) => endLater(channel, error),
): void {
  const { addEventListener, removeEventListener } = channel;
  const contained = new WeakMap<Listener, Listener>();
  const containedOf = (listener: Listener): Listener => {
    const known = contained.get(listener);
    if (known !== undefined) return known;
    const made: Listener = (event) => {
      try {
        listener(event);
      } catch (error) {
        fail(errorOf(error));
      }
    };
    contained.set(listener, made);
    return made;
  };
  Object.assign(channel, {
    addEventListener(type: string, listener: Listener, options?: unknown): void {
      Reflect.apply(addEventListener, channel, [type, containedOf(listener), options]);
    },
    removeEventListener(type: string, listener: Listener, options?: unknown): void {
      const known = contained.get(listener) ?? listener;
      Reflect.apply(removeEventListener, channel, [type, known, options]);
    },
  });
}

/**
 * Pauses a channel or stream once libp2p is done with what it is doing now, if `mustWait` then. It
 * hands on what was held back in the middle of resuming, and would finish resuming what was paused
 * again meanwhile: then nothing holds the peer back, and what it sends is held until it is too
 * much.
 */
export function pauseLater(channel: MessageStream, mustWait: () => boolean = () => true): void {
  queueMicrotask(() => {
    if (mustWait()) ifOpen(channel, () => channel.pause());
  });
}

/** Does something to a channel or stream unless it, or what carries it, has ended. */
function ifOpen(channel: MessageStream, act: () => void): void {
  if (channel.status !== 'open') return;
  try {
    act();
  } catch {
    // One of its ends, or the socket below, has ended before its status says so: then libp2p
    // throws, and there is nothing left to do.
  }
}

/** Ends a channel when libp2p is done with what it is doing now. */
function endLater(channel: MessageStream, error: Error): void {
  queueMicrotask(() => channel.abort(error));
}

const errorOf = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));
