/** Peers that hold a real key and speak real Noise and yamux, but do as they please above it. */
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';
import { channelGuard } from '../src/channel-guard.ts';
import { FRAME_HEADER_BYTES, writeLength } from '../src/frames.ts';
import { encodeHello } from '../src/hello.ts';
import { DEFAULT_LIMITS } from '../src/limits.ts';
import type { Principal } from '../src/principal.ts';
import { FRAME_PROTOCOL, peerIdOf, startTransport } from '../src/transport.ts';

/** A libp2p node with the key of `seed` that admits everybody and limits nothing. */
export function rawNode(seed: Uint8Array): Promise<Libp2p> {
  const limits = {
    ...DEFAULT_LIMITS,
    streamsPerConnection: 100_000,
    streamsPerSecond: 100_000,
    pingsPerSecond: 100_000,
    muxerFrameBytes: 2 ** 32,
    handshakeBytes: 2 ** 30,
    strayBytes: 2 ** 30,
    channelWriteBufferBytes: 2 ** 30,
    streamWriteBufferBytes: 2 ** 30,
    streamWindowBytes: 16 * 1024 * 1024,
  };
  return startTransport({
    secretKey: seed,
    listen: undefined,
    principals: 16,
    gater: { denyDialMultiaddr: () => false },
    limits,
    guard: channelGuard(limits, { faulty: () => {}, paused: () => {} }),
  });
}

/** Connects to a replica; the replica may end the connection at once. */
export function rawDial(node: Libp2p, to: Principal): Promise<Connection> {
  return node.dial(multiaddr(`${to.address}/p2p/${peerIdOf(to.publicKey)}`), { force: true });
}

/** Opens the stream of frames. */
export function rawStream(connection: Connection): Promise<Stream> {
  return connection.newStream(FRAME_PROTOCOL, { maxOutboundStreams: 100_000 });
}

/** A length and a body that need not agree. */
export function rawFrame(length: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + body.byteLength);
  writeLength(bytes, 0, length);
  bytes.set(body, FRAME_HEADER_BYTES);
  return bytes;
}

/** A hello as it goes on the wire. */
export function rawHello(from: number, to: number): Uint8Array {
  const hello = encodeHello({ from, to, maxFrameBytes: 1024 * 1024 });
  return rawFrame(hello.byteLength, hello);
}

/** Connects and says a right hello. */
export async function rawMember(
  node: Libp2p,
  from: number,
  to: Principal,
): Promise<{ readonly connection: Connection; readonly stream: Stream }> {
  const connection = await rawDial(node, to);
  const stream = await rawStream(connection);
  stream.send(rawHello(from, to.id));
  return { connection, stream };
}
