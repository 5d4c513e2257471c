/** What a node answers beside its own report: how the others are, and who takes what of it. */
import type { Roster } from '@quorumlab/core';
import type { NodeStatus } from '@quorumlab/node';
import { type Asked, askPeer } from './ask-others.ts';
import type { ClusterConfig } from './config.ts';
import { clusterDigest } from './remote-report.ts';
import type { UseReport } from './reports.ts';

/** What is asked of a node. */
interface Node extends Pick<Parameters<typeof askPeer>[0], 'ask' | 'faultOf'> {
  status(): Pick<NodeStatus, 'use' | 'busyMicros'>;
  roster(): Roster | undefined;
  known(): readonly { readonly id: number }[];
}

/** How many frames and connections of others a node has refused. */
export function refusedBy(node: Node): number {
  const { use } = node.status();
  return use
    .flatMap(({ refused }) => Object.values(refused))
    .reduce((sum, count) => sum + count, 0);
}

/** Asks all members over this node's connections; who asks meanwhile gets the same answer. */
export function othersOf({
  node,
  config,
  self,
}: {
  readonly node: Node;
  readonly config: ClusterConfig;
  readonly self: number;
}): () => Promise<Record<string, Asked>> {
  let asking: Promise<Record<string, Asked>> | undefined;
  const digest = clusterDigest(config);
  const ask = async (): Promise<Record<string, Asked>> => {
    const left = node.roster()?.left ?? [];
    const others = node.known().filter(({ id }) => id !== self && !left.includes(id));
    const all = await Promise.all(
      others.map(async ({ id }) => [id, await askPeer(node, id, digest, `n${self}`)] as const),
    );
    return Object.fromEntries(all);
  };
  return () =>
    (asking ??= ask().finally(() => {
      asking = undefined;
    }));
}

/** Who takes what of a node. */
export function useOf(node: Node): UseReport {
  const { use, busyMicros } = node.status();
  return { use, busyMicros, uptimeMilliseconds: Math.round(process.uptime() * 1000) };
}
