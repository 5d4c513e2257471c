import { noise } from '@chainsafe/libp2p-noise';
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { ConnectionGater, PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import type { ChannelGuard } from './channel-guard.ts';
import type { MeshLimits } from './limits.ts';
import { quickened } from './quick-channel.ts';

/** The stream protocol of the mesh; both ends must name it to talk. */
export const FRAME_PROTOCOL = '/quorumlab/frames/1.0.0';

/** The longest timeout Node knows: heartbeats, not sockets, decide when a peer is dead. */
const NEVER_MS = 2 ** 31 - 1;

/** What the transport needs to know of a mesh. */
export interface TransportOptions {
  readonly secretKey: Uint8Array;
  readonly listen: string | undefined;
  /** Addresses of all replicas: their hosts are not held to the limits for unknown hosts. */
  readonly addresses: readonly string[];
  /** Number of principals, from which the bounds on connections follow. */
  readonly principals: number;
  readonly gater: ConnectionGater;
  readonly limits: MeshLimits;
  /** Stands between libp2p's parts and the peers. */
  readonly guard: ChannelGuard;
}

/** The libp2p name of an Ed25519 public key: the key itself in another spelling. */
export function peerIdOf(publicKey: Uint8Array): PeerId {
  // A copy, because parts of libp2p read the whole buffer behind a view.
  return peerIdFromPublicKey(publicKeyFromRaw(Uint8Array.from(publicKey)));
}

/**
 * A started libp2p node with TCP, Noise and yamux, and every default that does not suit a cluster
 * replaced. This file alone names the packages of the channel, so changing one is one line.
 */
export async function startTransport(options: TransportOptions): Promise<Libp2p> {
  const { limits, guard } = options;
  const members = options.principals;
  return await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', options.secretKey),
    addresses: { listen: options.listen === undefined ? [] : [options.listen] },
    transports: [
      tcp({
        inboundSocketInactivityTimeout: NEVER_MS,
        outboundSocketInactivityTimeout: NEVER_MS,
        // Sockets in the handshake count here, also those of replicas' hosts, which skip the
        // limits below; the upgrade timeout frees them.
        maxConnections: 8 * members + 4096,
      }),
    ],
    connectionEncrypters: [guard.encrypter(quickened(noise()))],
    streamMuxers: [guard.muxer(yamuxOf(limits))],
    connectionGater: guard.gater(options.gater),
    connectionManager: {
      allow: allowedHosts(options.addresses),
      maxConnections: 8 * members + 64,
      inboundConnectionThreshold: limits.connectionsPerHostPerSecond,
      maxIncomingPendingConnections: limits.pendingConnections,
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

/** The replicas' hosts as libp2p's allow list takes them; names (/dns4/...) cannot be listed. */
function allowedHosts(addresses: readonly string[]): string[] {
  const hosts = new Set<string>();
  for (const address of addresses) {
    const host = multiaddr(address).getComponents()[0];
    if (host?.value === undefined) continue;
    if (host.name === 'ip4' || host.name === 'ip6') hosts.add(`/${host.name}/${host.value}`);
  }
  return [...hosts];
}
