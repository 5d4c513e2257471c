/** Changes of the group of a running cluster, and of who leads it. */
import type { Membership, ReplicaId } from '@quorumlab/core';
import { protocolOf, protocols } from '@quorumlab/harness';
import { OperationError } from '@quorumlab/log';
import { type ClusterConfig, readConfig } from './config.ts';
import { connectCluster } from './connect.ts';
import { ClusterError } from './errors.ts';
import { shortageOf } from './progress.ts';
import { rowsOf } from './status.ts';

/** How long to wait, and for whom. */
export interface MembershipOptions {
  /** Longest wait for the answer, in milliseconds. 60,000 unless told. */
  readonly limitMs?: number;
  /** Goes through both groups, although one voter more or less would not need it. */
  readonly joint?: boolean;
  readonly signal?: AbortSignal;
}

/** What came of it. */
export interface MembershipResult {
  readonly milliseconds: number;
}

/**
 * Makes node `node` of the cluster in `folder` a voter, a learner or neither; resolves once that is
 * ordered. Throws {@link ClusterError} with the group's reason if it refuses, for a node that
 * there is not and a protocol without such changes, and if no answer came in time.
 */
export async function changeMember(
  folder: string,
  node: ReplicaId,
  becomes: Membership,
  options: MembershipOptions = {},
): Promise<MembershipResult> {
  const config = await readConfig(folder);
  const { member } = protocolOf(config.protocol);
  if (member === undefined) throw unable(config, 'cannot change single members', 'member');
  requireNode(config, node);
  return ask(folder, config, member(node, becomes, options.joint), options);
}

/**
 * Makes node `node` of the cluster in `folder` the leader, and resolves once it is. Throws as
 * {@link changeMember} does.
 */
export async function transferLead(
  folder: string,
  node: ReplicaId,
  options: MembershipOptions = {},
): Promise<MembershipResult> {
  const config = await readConfig(folder);
  const { transfer } = protocolOf(config.protocol);
  if (transfer === undefined) throw unable(config, 'lets nobody say who leads', 'transfer');
  requireNode(config, node);
  return ask(folder, config, transfer(node), options);
}

function unable(
  { protocol }: ClusterConfig,
  what: string,
  part: 'member' | 'transfer',
): ClusterError {
  const able = protocols.filter((each) => each[part] !== undefined).map(({ name }) => name);
  return new ClusterError(`${protocol} ${what}; of the protocols here ${able.join(', ')} can.`);
}

function requireNode({ n }: ClusterConfig, node: ReplicaId): void {
  if (Number.isSafeInteger(node) && node >= 0 && node < n) return;
  throw new ClusterError(
    `The cluster has the nodes n0 to n${n - 1}, and n${node} is none. Nodes that may be let in ` +
      'later are made with the cluster, e.g.: quorumlab cluster init -n 5 -f 1 --option ' +
      'initialMembers=0,1,2',
  );
}

async function ask(
  folder: string,
  config: ClusterConfig,
  change: Uint8Array,
  { limitMs = 60_000, signal }: MembershipOptions,
): Promise<MembershipResult> {
  const shortage = shortageOf(config, await rowsOf(folder, config));
  if (shortage !== undefined)
    throw new ClusterError(
      `Nothing was asked for: ${shortage}. Start what is down: quorumlab cluster up`,
    );
  const stop = signal === undefined ? {} : { signal };
  const client = await connectCluster(folder, { waitMs: limitMs, ...stop });
  const limit = AbortSignal.timeout(limitMs);
  const begin = performance.now();
  try {
    await client.reconfigure(change, {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    return { milliseconds: performance.now() - begin };
  } catch (error) {
    if (error instanceof OperationError) throw new ClusterError(`${sentence(error.message)}.`);
    if (!limit.aborted || signal?.aborted === true) throw error;
    throw new ClusterError(
      `There was no answer in ${limitMs / 1000} s, and it may still be done; look at: ` +
        'quorumlab cluster status',
    );
  } finally {
    await client.stop();
  }
}

/** The group's own words, as a sentence with nodes as people write them. */
function sentence(text: string): string {
  const said = text.replaceAll(/servers? (\d+(?:, \d+)*)/g, (_, ids: string) =>
    ids.replaceAll(/\d+/g, 'n$&'),
  );
  return /^n\d/.test(said) ? said : said.charAt(0).toUpperCase() + said.slice(1);
}
