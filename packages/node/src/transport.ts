import { noise } from '@chainsafe/libp2p-noise';
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { ConnectionGater, ConnectionProtector, PeerId, PrivateKey } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2p } from 'libp2p';
import type { ChannelGuard } from './channel-guard.ts';
import { behindDoor, type Door } from './door.ts';
import { publicKeyOf } from './keys.ts';
import type { MeshLimits } from './limits.ts';
import { quickened } from './quick-channel.ts';

/** The stream protocol of the mesh; both ends must name it to talk. */
export const FRAME_PROTOCOL = '/quorumlab/frames/3.0.0';

/** The longest timeout Node knows: heartbeats, not sockets, decide when a peer is dead. */
const NEVER_MS = 2 ** 31 - 1;

/** What the transport needs to know of a mesh. */
export interface TransportOptions {
  readonly secretKey: Uint8Array;
  readonly listen: string | undefined;
  /** Number of principals, from which the bounds on connections follow. */
  readonly principals: number;
  readonly gater: ConnectionGater;
  readonly limits: MeshLimits;
  /** Stands between libp2p's parts and the peers. */
  readonly guard: ChannelGuard;
  /** Stands before all of it; absent: everybody is let in. */
  readonly door?: Door;
  /** What to say first to whom this node calls. */
  readonly passFor?: (peer: string) => Uint8Array | undefined;
}

/** The libp2p name of an Ed25519 public key: the key itself in another spelling. */
export function peerIdOf(publicKey: Uint8Array): PeerId {
  // A copy, because parts of libp2p read the whole buffer behind a view.
  return peerIdFromPublicKey(publicKeyFromRaw(Uint8Array.from(publicKey)));
}

/**
 * The key of a seed. The public half is told: libp2p would compute it in portable code, which holds
 * up the thread for 70 ms.
 */
export function privateKeyOf(seed: Uint8Array): PrivateKey {
  const both = Buffer.concat([seed, publicKeyOf(seed)]);
  const key = privateKeyFromRaw(both);
  both.fill(0);
  return key;
}

/**
 * A started libp2p node with TCP, Noise and yamux, and every default that does not suit a cluster
 * replaced. This file alone names the packages of the channel, so changing one is one line.
 */
export async function startTransport(options: TransportOptions): Promise<Libp2p> {
  const { limits, guard } = options;
  const members = options.principals;
  const transport = tcp({
    inboundSocketInactivityTimeout: NEVER_MS,
    outboundSocketInactivityTimeout: NEVER_MS,
    // Sockets before and in the handshake count here; the upgrade timeout frees them.
    maxConnections: 8 * members + 4096,
  });
  const { door, passFor } = options;
  return await createLibp2p({
    privateKey: privateKeyOf(options.secretKey),
    addresses: { listen: options.listen === undefined ? [] : [options.listen] },
    transports: [
      door === undefined
        ? transport
        : behindDoor(
            transport,
            (socket, enter) => door.arrive(socket, enter),
            () => door.close(),
          ),
    ],
    ...(passFor === undefined ? {} : { connectionProtector: () => passShower(passFor) }),
    connectionEncrypters: [guard.encrypter(quickened(noise()))],
    streamMuxers: [guard.muxer(yamuxOf(limits))],
    connectionGater: guard.gater(options.gater),
    connectionManager: {
      maxConnections: 8 * members + 64,
      // The door bounds both, and tells principals from others, which libp2p cannot yet.
      inboundConnectionThreshold: Number.MAX_SAFE_INTEGER,
      maxIncomingPendingConnections: 8 * members + 4096,
      inboundUpgradeTimeout: limits.upgradeTimeoutMs,
      dialTimeout: limits.upgradeTimeoutMs,
      addressDialTimeout: limits.upgradeTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: limits.upgradeTimeoutMs,
      outboundStreamProtocolNegotiationTimeout: limits.upgradeTimeoutMs,
      maxParallelDials: members + 1,
      maxDialQueueLength: members + 1,
    },
    // The mesh's heartbeats go through the very stream they guard and need no extra streams.
    connectionMonitor: { enabled: false },
  });
}

const yamuxOf = (limits: MeshLimits): ReturnType<typeof yamux> =>
  yamux({
    maxInboundStreams: limits.streamsPerConnection,
    maxOutboundStreams: limits.streamsPerConnection,
    streamOptions: {
      maxWriteBufferLength: limits.streamWriteBufferBytes,
      maxReadBufferLength: limits.streamWindowBytes,
      maxStreamWindowSize: limits.streamWindowBytes,
      inactivityTimeout: NEVER_MS,
    },
  });

/** Says the pass first, on connections that this node makes. */
const passShower = (passFor: (peer: string) => Uint8Array | undefined): ConnectionProtector => ({
  async protect(connection) {
    const isOutbound = 'direction' in connection && connection.direction === 'outbound';
    const address = 'remoteAddr' in connection ? String(connection.remoteAddr) : '';
    const pass = isOutbound ? passFor(address.split('/p2p/')[1] ?? '') : undefined;
    if (pass !== undefined && connection.status === 'open') connection.send(pass);
    return connection;
  },
});
