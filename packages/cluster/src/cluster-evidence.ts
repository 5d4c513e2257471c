/** Who has lied in a cluster, by what its nodes on this machine have kept and proven. */
import { existsSync } from 'node:fs';
import { accusationRecord } from './accusations.ts';
import { paths, presentNodes, readConfig } from './config.ts';
import { tryAskNode } from './control-client.ts';
import { guiltIn, messagesIn } from './evidence.ts';
import type { HeardStatement } from './reports.ts';

/** What {@link clusterEvidence} found. */
export interface ClusterEvidence {
  readonly cluster: string;
  readonly protocol: string;
  readonly n: number;
  readonly f: number;
  /** Nodes of this machine that run and told what they have heard. */
  readonly asked: readonly number[];
  /** Nodes of this machine that do not answer: only their proofs on disk were read. */
  readonly silent: readonly number[];
  /** Who is convicted, in ascending order, and of what. */
  readonly culprits: readonly { readonly member: number; readonly rule: string }[];
  /** The file of the proof, as text; absent: nobody is convicted. */
  readonly proof?: string;
}

/**
 * Lays side by side what the nodes of `folder` have heard and what they have proven before, in
 * earlier lives too, and judges. Throws {@link ClusterError} if there is no cluster.
 */
export async function clusterEvidence(folder: string): Promise<ClusterEvidence> {
  const config = await readConfig(folder);
  const { name: cluster, protocol, n, f } = config;
  const here = presentNodes(config).filter((node) => existsSync(paths.node(folder, node)));
  const pairs = here.flatMap((node) =>
    accusationRecord(config, paths.node(folder, node), () => undefined).pairs(),
  );
  const heard: HeardStatement[] = [];
  const asked: number[] = [];
  for (const node of here) {
    const said = await tryAskNode<HeardStatement[]>(paths.node(folder, node), 'evidence');
    if (said === undefined) continue;
    asked.push(node);
    heard.push(...said);
  }
  const { culprits, proof } = guiltIn(config, [
    ...pairs.flatMap(({ first, second }) => [first, second]),
    ...messagesIn(config, heard),
  ]);
  return {
    ...{ cluster, protocol, n, f, asked },
    silent: here.filter((node) => !asked.includes(node)),
    culprits: culprits.map(({ signer, rule }) => ({ member: signer, rule })),
    ...(proof === undefined ? {} : { proof }),
  };
}
