/** Peers that hold a real key and speak real Noise, and write what is above it byte by byte. */
import type { Socket } from 'node:net';
import { noise } from '@chainsafe/libp2p-noise';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import {
  type MessageStream,
  type StreamMuxer,
  type StreamMuxerEvents,
  type StreamMuxerFactory,
  TypedEventEmitter,
} from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { behindDoor } from '../src/door.ts';
import { PASS_BYTES } from '../src/pass.ts';
import type { Principal } from '../src/principal.ts';
import { FRAME_PROTOCOL, peerIdOf } from '../src/transport.ts';
import { rawHello } from './hostile.ts';

/** The types of yamux frames. */
export const DATA = 0;
export const WINDOW = 1;
export const PING = 2;
export const GO_AWAY = 3;

/** The flags of yamux frames. */
export const SYN = 1;
export const ACK = 2;
export const FIN = 4;
export const RST = 8;

/** One yamux frame whose parts need not agree. */
export interface YamuxFrame {
  readonly version?: number;
  readonly type: number;
  readonly flags?: number;
  readonly stream?: number;
  readonly length?: number;
  readonly body?: Uint8Array;
}

/** The bytes of yamux frames, one after the other. */
export function yamux(...frames: readonly YamuxFrame[]): Uint8Array {
  const parts = frames.map(({ version = 0, type, flags = 0, stream = 0, length, body }) => {
    const header = new Uint8Array(12);
    const view = new DataView(header.buffer);
    view.setUint8(0, version);
    view.setUint8(1, type);
    view.setUint16(2, flags);
    view.setUint32(4, stream);
    view.setUint32(8, length ?? body?.byteLength ?? 0);
    return Buffer.concat([header, body ?? new Uint8Array(0)]);
  });
  return Buffer.concat(parts);
}

/** Some frames whose parts are drawn one by one from what is special about each. */
export function yamuxNonsense(draw: (limit: number) => number): Uint8Array {
  const far = 2 ** 32 - 1;
  const one = <T>(of: readonly T[]): T => of[draw(of.length)] as T;
  const frames = Array.from({ length: 1 + draw(6) }, (): YamuxFrame => {
    const filled = new Uint8Array(draw(2) === 0 ? 0 : draw(300)).map(() => draw(256));
    return {
      version: draw(12) === 0 ? draw(256) : 0,
      type: draw(8) === 0 ? draw(256) : draw(4),
      flags: draw(8) === 0 ? draw(65_536) : draw(16),
      stream: one([0, 1, 1, 2, 3, 5, far]),
      ...(draw(3) === 0 ? { length: one([0, 1, 12, 65_536, 300_000, 2 ** 31, far]) } : {}),
      body: filled,
    };
  });
  const whole = yamux(...frames);
  // Often the end is missing, and sometimes a byte is another.
  const cut = whole.slice(0, draw(3) === 0 ? draw(whole.byteLength) : whole.byteLength);
  if (draw(3) === 0 && cut.byteLength > 0) cut[draw(cut.byteLength)] = draw(256);
  return cut;
}

/** A line of multistream-select. */
export function line(text: string): Uint8Array {
  const bytes = Buffer.from(`${text}\n`);
  return Buffer.concat([Buffer.from([bytes.byteLength]), bytes]);
}

/** What a caller writes to get its frame stream admitted; `until` leaves later parts out. */
export function opening(from: number, to: number, until: 'stream' | 'protocol' | 'hello') {
  const open: YamuxFrame = { type: WINDOW, flags: SYN, stream: 1 };
  if (until === 'stream') return yamux(open);
  const lines = Buffer.concat([line('/multistream/1.0.0'), line(FRAME_PROTOCOL)]);
  const protocol: YamuxFrame = { type: DATA, stream: 1, body: lines };
  if (until === 'protocol') return yamux(open, protocol);
  return yamux(open, protocol, { type: DATA, stream: 1, body: rawHello(from, to) });
}

/** What a callee writes to have the caller's first stream admitted there. */
export function answer(from: number, to: number): Uint8Array {
  const lines = Buffer.concat([line('/multistream/1.0.0'), line(FRAME_PROTOCOL)]);
  const body = Buffer.concat([lines, rawHello(from, to)]);
  return yamux({ type: WINDOW, flags: ACK, stream: 1 }, { type: DATA, stream: 1, body });
}

/** One connection of a peer that writes its yamux by hand. */
export interface Channel {
  /** Sends bytes as they are; nothing once the channel is closed. */
  send(bytes: Uint8Array): void;
  isOpen(): boolean;
  /** Calls back once, when the next bytes come. */
  onData(callback: () => void): void;
  /** Bytes that came from the other side. */
  received(): number;
  /** Stops, or goes on, taking bytes from the socket. */
  read(on: boolean): void;
  abort(): void;
}

/** A muxer that muxes nothing: it leaves the channel to the test. */
class NoMuxer extends TypedEventEmitter<StreamMuxerEvents> implements StreamMuxer {
  readonly protocol = '/yamux/1.0.0';
  readonly streams: [] = [];
  status: 'open' | 'closed' = 'open';

  createStream(): Promise<never> {
    return Promise.reject(new Error('no streams here'));
  }

  abort(): void {
    this.status = 'closed';
  }

  close(): Promise<void> {
    this.status = 'closed';
    return Promise.resolve();
  }
}

function channelOf(stream: MessageStream): Channel {
  let received = 0;
  stream.addEventListener('message', ({ data }) => {
    received += data.byteLength;
  });
  return {
    send: (bytes) => {
      if (stream.status === 'open') stream.send(bytes);
    },
    isOpen: () => stream.status === 'open',
    onData: (callback) => stream.addEventListener('message', callback, { once: true }),
    received: () => received,
    read: (on) => {
      try {
        if (on) stream.resume();
        else stream.pause();
      } catch {
        // The other side has ended it meanwhile.
      }
    },
    abort: () => stream.abort(new Error('the test ends this channel')),
  };
}

/** Takes the pass of a caller away, and lets it in. */
function skipPass(socket: Socket, enter: () => void): void {
  const onReadable = (): void => {
    if (socket.read(PASS_BYTES) === null) return;
    socket.off('readable', onReadable);
    try {
      enter();
    } catch {
      // As behind the door: libp2p has stopped listening meanwhile.
      socket.destroy();
    }
  };
  socket.on('error', () => {}).on('readable', onReadable);
}

/** A node with the key of `seed` that hands every channel to the test as soon as it stands. */
export async function handNode(
  seed: Uint8Array,
  onChannel: (channel: Channel) => void,
  listen?: string,
): Promise<Libp2p> {
  const factory: StreamMuxerFactory = {
    protocol: '/yamux/1.0.0',
    createStreamMuxer: (stream) => {
      onChannel(channelOf(stream));
      return new NoMuxer();
    },
  };
  return await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', seed),
    addresses: { listen: listen === undefined ? [] : [listen] },
    // Whoever calls a listener shows a pass first, which this one does not look at.
    transports: [listen === undefined ? tcp() : behindDoor(tcp(), skipPass, () => {})],
    connectionEncrypters: [noise()],
    streamMuxers: [() => factory],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: {
      inboundConnectionThreshold: 100_000,
      maxIncomingPendingConnections: 1000,
      maxConnections: 10_000,
      maxParallelDials: 256,
      maxDialQueueLength: 10_000,
    },
    connectionMonitor: { enabled: false },
  });
}

/** A caller with the key of `seed`: each call is one channel to a replica. */
export async function handCaller(
  seed: Uint8Array,
): Promise<{ readonly node: Libp2p; call(to: Principal): Promise<Channel | undefined> }> {
  const channels: Channel[] = [];
  const node = await handNode(seed, (channel) => void channels.push(channel));
  const call = async (to: Principal): Promise<Channel | undefined> => {
    const address = multiaddr(`${to.address}/p2p/${peerIdOf(to.publicKey)}`);
    // The replica may end the connection while it is being made.
    await node.dial(address, { force: true }).catch(() => undefined);
    return channels.pop();
  };
  return { node, call };
}
