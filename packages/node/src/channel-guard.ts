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
  ConnectionEncrypter,
  MessageStream,
  PeerId,
  StreamMuxer,
  StreamMuxerFactory,
} from '@libp2p/interface';
import type { MeshLimits } from './limits.ts';
import { YamuxInspector } from './yamux-inspector.ts';

/** Told when what a peer sent below the frames ends its connection. */
export type OnChannelFault = (peer: PeerId, reason: string) => void;

/** A peer did below the frames what no honest peer does. */
class ChannelFaultError extends Error {
  override readonly name = 'ChannelFaultError';
}

/** Wraps what libp2p is made of, for one node. */
export interface ChannelGuard {
  /** The same encrypter; it also remembers whose channel is whose. */
  encrypter<C>(
    make: (components: C) => ConnectionEncrypter,
  ): (components: C) => ConnectionEncrypter;
  /** The same muxer, on guarded channels. */
  muxer<C>(make: (components: C) => StreamMuxerFactory): (components: C) => StreamMuxerFactory;
}

/** A guard that tells `onFault` whose connection had to be ended, and why. */
export function channelGuard(limits: MeshLimits, onFault: OnChannelFault): ChannelGuard {
  const peers = new WeakMap<MessageStream, PeerId>();
  return {
    encrypter: (make) => (components) => {
      const encrypter = make(components);
      const { secureInbound, secureOutbound } = encrypter;
      encrypter.secureInbound = async (connection, options) => {
        containListeners(connection);
        const secured = await secureInbound.call(encrypter, connection, options);
        peers.set(secured.connection, secured.remotePeer);
        return secured;
      };
      encrypter.secureOutbound = async (connection, options) => {
        containListeners(connection);
        const secured = await secureOutbound.call(encrypter, connection, options);
        peers.set(secured.connection, secured.remotePeer);
        return secured;
      };
      return encrypter;
    },
    muxer: (make) => (components) => {
      const factory = make(components);
      return {
        protocol: factory.protocol,
        createStreamMuxer: (channel) => {
          const peer = peers.get(channel);
          const report = (reason: string): void => {
            if (peer !== undefined) onFault(peer, reason);
          };
          return guardedMuxer(factory, channel, limits, report);
        },
      };
    },
  };
}

/** A muxer as libp2p's base class makes it: bytes come in by this method alone. */
interface Reading {
  onData(data: MessageBytes): void;
}

type MessageBytes = Uint8Array | Iterable<Uint8Array>;

const isReading = (muxer: object): muxer is Reading =>
  'onData' in muxer && typeof muxer.onData === 'function';

function guardedMuxer(
  factory: StreamMuxerFactory,
  channel: MessageStream,
  limits: MeshLimits,
  report: (reason: string) => void,
): StreamMuxer {
  // A muxer on a channel that is closed would never hear so, and its timers would never stop.
  if (channel.status !== 'open') throw new ChannelFaultError('The channel is closed already.');
  let failed = false;
  const fail = (error: Error): void => {
    if (failed || channel.status !== 'open') return;
    failed = true;
    report(error.message);
    endLater(channel, error);
  };
  containListeners(channel, fail);
  writeSafely(channel, limits.channelWriteBufferBytes, fail);
  const muxer = factory.createStreamMuxer(channel);
  // Left unguarded it would be open to every peer, so there is no going on without it.
  if (!isReading(muxer)) throw new TypeError('This muxer cannot be guarded: it has no onData.');
  const inspector = new YamuxInspector(limits);
  const { onData } = muxer;
  muxer.onData = (data) => {
    if (failed) return;
    const fault = inspector.read(data);
    if (fault !== undefined) return fail(new ChannelFaultError(fault));
    try {
      onData.call(muxer, data);
    } catch (error) {
      fail(errorOf(error));
    }
  };
  return muxer;
}

/** Makes writing to a channel harmless: never an error, and never without bound. */
function writeSafely(channel: MessageStream, maxBytes: number, fail: (error: Error) => void): void {
  const { send } = channel;
  channel.send = (data) => {
    // False is what a full channel says. Whoever waits for more room hears of the end instead.
    if (channel.status !== 'open') return false;
    if (channel.writeBufferLength + data.byteLength > maxBytes) {
      fail(new ChannelFaultError('the peer does not read what it makes us say'));
      return false;
    }
    try {
      return send.call(channel, data);
    } catch (error) {
      fail(errorOf(error));
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

/** Ends a channel when libp2p is done with what it is doing now. */
function endLater(channel: MessageStream, error: Error): void {
  queueMicrotask(() => channel.abort(error));
}

const errorOf = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));
