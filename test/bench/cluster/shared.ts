/** What the parent and the replicas of the benchmark say to each other. */
import { fromHex, type Protocol } from '@quorumlab/core';
import { type OptionValues, protocolOf, toleratedBy } from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
import type { ClusterIdentity, MeshLimits, Signatures } from '@quorumlab/node';

/** A principal as JSON. */
export interface PrincipalJson {
  readonly id: number;
  readonly publicKey: string;
  readonly address?: string;
  /** Where certificates are aggregates: its key for them, in hexadecimal digits. */
  readonly certificateKey?: { readonly publicKey: string; readonly possession: string };
}

/** Parent to replica. */
export type Ask =
  | {
      readonly type: 'start';
      readonly protocol: string;
      readonly options: OptionValues;
      readonly n: number;
      readonly self: number;
      readonly principals: readonly PrincipalJson[];
      readonly secretKey: string;
      readonly folder: string;
      readonly backEnd: 'files' | 'sqlite';
      readonly signatures?: Signatures | undefined;
      /** Whether certificates are aggregates. */
      readonly aggregates: boolean;
      /** Peers to wait for; all others unless told. */
      readonly peers?: number | undefined;
      /** Where to answer a tool of this machine how the node is; nowhere unless told. */
      readonly control?: string | undefined;
      /** Limits of the mesh that are other than its own. */
      readonly meshLimits?: Partial<MeshLimits> | undefined;
    }
  /** `collect`: after the garbage is gone. */
  | { readonly type: 'usage'; readonly collect?: boolean }
  | { readonly type: 'stop' };

/** Replica to parent. */
export type Told =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly why: string }
  | {
      readonly type: 'usage';
      /** User and system time in microseconds. */
      readonly cpu: number;
      /** When it was, in milliseconds of this process's own clock. */
      readonly at: number;
      /** Resident memory in bytes. */
      readonly rss: number;
      /** Bytes that are held in the heap and outside of it. */
      readonly held: number;
      /** The longest pause of the event loop since the last report, in milliseconds. */
      readonly pause: number;
      readonly steps: number;
      readonly ticks: number;
      readonly commits: number;
      readonly leads: boolean;
      readonly term: number;
      readonly applied: number;
      /** Frames refused so far, by reason. */
      readonly refused: Readonly<Record<string, number>>;
    };

/** The registered protocol under test. */
export function benchProtocol(
  name: string,
  n: number,
  options: OptionValues = {},
): Protocol<LogShape> {
  const entry = protocolOf(name);
  return entry.create({ n, f: toleratedBy(entry.claims, n), options });
}

/** The cluster of the benchmark: replicas have addresses, clients have none. */
export function clusterOf(principals: readonly PrincipalJson[]): ClusterIdentity {
  const all = principals.map(({ certificateKey: key, ...each }) => ({
    ...each,
    publicKey: fromHex(each.publicKey),
    ...(key === undefined
      ? {}
      : {
          certificateKey: {
            publicKey: fromHex(key.publicKey),
            possession: fromHex(key.possession),
          },
        }),
  }));
  return {
    cluster: 'bench',
    group: 'log',
    epoch: 0,
    members: all.flatMap(({ address, ...one }) => (address ? [{ ...one, address }] : [])),
    clients: all.filter(({ address }) => address === undefined),
  };
}
