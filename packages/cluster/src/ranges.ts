/** Ranges of keys in a cluster: which there are, and the groups that replicate them. */
import type { Protocol } from '@quorumlab/core';
import { ScenarioError } from '@quorumlab/harness';
import { shardProtocols } from '@quorumlab/harness/shards';
import type { LogShape } from '@quorumlab/log';
import type { Range } from '@quorumlab/shards';
import { type ClusterConfig, protocolIn } from './config.ts';

/** Ranges of a cluster at most, and bytes of a key that one begins with. */
const most = { ranges: 16, bytes: 256 } as const;

/** How long the lease of a keeper lasts, in microseconds: so long nobody follows one that died. */
export const leaseMicros = 1_000_000;

/** Protocols that replicate ranges: for crashes, with one order of everything. */
const rangeProtocols: readonly string[] = shardProtocols.filter((name) => name !== 'both');

/**
 * Throws a ScenarioError (QL102, QL114) unless `borders` can be where ranges begin: keys in
 * ascending order, each once; and the protocol replicates ranges.
 */
export function requireRanges(protocol: string, borders: readonly string[]): void {
  if (!rangeProtocols.includes(protocol))
    throw new ScenarioError(
      'QL114',
      `ranges of keys take ${rangeProtocols.join(', ')}, and not ${protocol}: clients of them ` +
        'believe one replica, and their transactions need one order of everything.',
    );
  const isGood = (key: string, i: number): boolean =>
    key !== '' && key > (borders[i - 1] ?? '') && Buffer.byteLength(key) <= most.bytes;
  if (borders.length >= 1 && borders.length < most.ranges && borders.every(isGood)) return;
  throw new ScenarioError(
    'QL102',
    `ranges are told by the keys where one ends and the next begins, in ascending order, 1 to ` +
      `${most.ranges - 1} of up to ${most.bytes} bytes, e.g. m or g,n,t; not "${borders.join()}".`,
  );
}

/** All keys in parts that meet at the borders: the i-th is that of group i at first. */
export const firstRanges = (borders: readonly string[]): readonly Range[] =>
  ['', ...borders].map((from, group) => ({ from, to: borders[group] ?? null, group, epoch: 1 }));

/** What the group of a range is called in its cluster. */
export const rangeName = (group: number): string => `range ${group}`;

/** What replicates a range: on the nodes that the cluster was made with. */
export function rangeProtocolIn(config: ClusterConfig): Protocol<LogShape> {
  const { seats: _, ...fixed } = config;
  return protocolIn(fixed);
}
