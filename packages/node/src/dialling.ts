/** Dials the peers that a node has to dial, again and again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';
import { dialFaultOf } from './dial-fault.ts';
import type { MeshLimits } from './limits.ts';
import { hangUp, type Link } from './link.ts';
import type { Logger } from './logging.ts';
import type { Member } from './members.ts';
import { now } from './time.ts';
import { FRAME_PROTOCOL } from './transport.ts';

/** What dialling one peer needs. */
export interface Dialling {
  readonly limits: Pick<
    MeshLimits,
    'redialMs' | 'maxRedialMs' | 'heartbeatMs' | 'upgradeTimeoutMs'
  >;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Begins the link to the peer on a stream that was opened. */
  begin(stream: Stream, connection: Connection): Link;
}

/** Dials `member` until the signal fires, with growing pauses while that fails. */
export async function keepDialled(node: Libp2p, member: Member, dialling: Dialling): Promise<void> {
  const { limits, signal, logger } = dialling;
  const { redialMs, maxRedialMs, heartbeatMs } = limits;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const link = await dial(node, member, dialling);
      await link.done;
      // Only a link that lasted resets the pauses: two processes with one key would otherwise
      // replace each other as fast as they can dial.
      const livedMs = link.admittedAt === undefined ? 0 : now() - link.admittedAt;
      if (link.admittedAt === undefined) member.fault = 'turned-away';
      failures = livedMs >= heartbeatMs ? 0 : failures + 1;
    } catch (error) {
      failures++;
      if (!signal.aborted) member.fault = dialFaultOf(error);
      logger.trace({ peer: member.principal.id, err: error }, 'Could not dial a peer.');
    }
    const pauseMs = Math.min(maxRedialMs, redialMs * 2 ** Math.min(failures, 16));
    const bannedMs = Math.max(0, member.bannedUntil - now());
    await sleep(bannedMs + pauseMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(
      () => undefined,
    );
  }
}

async function dial(
  node: Libp2p,
  member: Member,
  { limits, signal, begin }: Dialling,
): Promise<Link> {
  const address = withoutPeerId(member.principal.address ?? '');
  // With the PeerId in the address, Noise refuses anybody else who answers there.
  const connection = await node.dial(multiaddr(`${address}/p2p/${member.name}`), {
    signal,
    force: true,
  });
  try {
    const timeout = AbortSignal.timeout(limits.upgradeTimeoutMs);
    const stream = await connection.newStream(FRAME_PROTOCOL, {
      signal: AbortSignal.any([signal, timeout]),
    });
    signal.throwIfAborted();
    return begin(stream, connection);
  } catch (error) {
    hangUp(connection, 'no stream could be opened');
    throw error;
  }
}

/** The address as configured or reported, without the PeerId that libp2p appends. */
export function withoutPeerId(address: string): string {
  return address.split('/p2p/')[0] ?? address;
}
