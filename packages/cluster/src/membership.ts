/** Changes of the group of a running cluster, and of who leads it. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromHex, type Membership, type ReplicaId } from '@quorumlab/core';
import { protocolOf, protocols } from '@quorumlab/harness';
import { OperationError } from '@quorumlab/log';
import { encodeAbout, publicKeyOf, readKeyFile } from '@quorumlab/node';
import {
  allNodes,
  type ClusterConfig,
  type ClusterMember,
  nodeIn,
  paths,
  readConfig,
  requireNode,
  writeConfig,
} from './config.ts';
import { connectCluster } from './connect.ts';
import { tryAskNode } from './control-client.ts';
import { ClusterError } from './errors.ts';
import { addressOf, portsOf, requireHosts } from './hosts.ts';
import { newPrincipal } from './init.ts';
import { shortageOf } from './progress.ts';
import type { NodeReport } from './reports.ts';
import { spawnNode } from './spawn.ts';
import { rowsOf } from './status.ts';
import { downCluster } from './up.ts';

/** How long to wait, and for whom. */
export interface MembershipOptions {
  /** Longest wait for the answer, in milliseconds. 60,000 unless told. */
  readonly limitMs?: number;
  /** Goes through both groups, although one voter more or less would not need it. */
  readonly joint?: boolean;
  readonly signal?: AbortSignal;
}

/** Who comes, and where it runs. */
export interface AddOptions extends MembershipOptions {
  /** It gets the log, and has no vote. */
  readonly learner?: boolean;
  /** An IP address or name of the machine on which it runs; loopback unless told. */
  readonly host?: string;
  /** Its port there; a free one of this machine unless told. */
  readonly port?: number;
  /** Somebody else starts its process. */
  readonly noStart?: boolean;
}

/** What came of it. */
export interface MembershipResult {
  readonly milliseconds: number;
}

/** What came of {@link addMember}. */
export interface AddResult extends MembershipResult {
  readonly node: ReplicaId;
  /** What it is now. */
  readonly becomes: Membership;
  /** Where it listens. */
  readonly address: string;
  /** Its process, if it was started here. */
  readonly pid?: number;
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
  const member = memberOf(config);
  requireNode(config, node);
  const begin = performance.now();
  if (becomes === 'voter') await caughtUp(folder, config, node, options);
  await ask(folder, config, member(node, becomes, options.joint), options);
  if (becomes === 'none') await noteLeft(folder, node);
  return { milliseconds: performance.now() - begin };
}

/**
 * Lets node `node` into the group of the running cluster in `folder`. One that nobody knows yet
 * gets a key and an address; the group is told of both in its log, so that its members let it in;
 * its process is started; and once it has caught up it votes. Throws {@link ClusterError} as
 * {@link changeMember} does, for a number that is not the next one, and if it does not catch up.
 */
export async function addMember(
  folder: string,
  node: ReplicaId,
  options: AddOptions = {},
): Promise<AddResult> {
  const config = await readConfig(folder);
  const member = memberOf(config);
  const begin = performance.now();
  const isNew = nodeIn(config, node) === undefined;
  const made = isNew ? await introduce(folder, config, node, options) : config;
  const { address } = requireNode(made, node);
  const { learner = false, joint, noStart = false } = options;
  const left = made.left?.includes(node) === true;
  // Who was told to leave is let in as a learner first: nobody talks to it before.
  if (left) await ask(folder, made, member(node, 'learner'), options);
  await writeConfig(folder, present(made, node));
  const pid = noStart ? undefined : await begun(folder, node, options);
  if (learner && !isNew && !left) await ask(folder, made, member(node, 'learner'), options);
  if (!learner && !noStart) {
    await caughtUp(folder, made, node, options);
    await ask(folder, made, member(node, 'voter', joint), options);
  }
  return {
    node,
    becomes: learner || noStart ? 'learner' : 'voter',
    address,
    ...(pid === undefined ? {} : { pid }),
    milliseconds: performance.now() - begin,
  };
}

/**
 * Takes node `node` out of the group, and waits for its process to end if it runs here: the group
 * tells it, and lets it in no longer. Throws as {@link changeMember} does.
 */
export async function removeMember(
  folder: string,
  node: ReplicaId,
  options: MembershipOptions = {},
): Promise<MembershipResult & { readonly ended: boolean }> {
  const { milliseconds } = await changeMember(folder, node, 'none', options);
  const isThere = async (): Promise<boolean> =>
    (await tryAskNode(paths.node(folder, node), 'status')) !== undefined;
  const deadline = performance.now() + farewellMs;
  while ((await isThere()) && performance.now() < deadline) await sleep(lookMs);
  // It may have been cut off, and never hear of it.
  if (await isThere()) await downCluster(folder, { nodes: [node] });
  return { milliseconds, ended: !(await isThere()) };
}

/** How long who has left may take to hear of it and to end, in milliseconds. */
const farewellMs = 10_000;
/** How often it is looked again, in milliseconds. */
const lookMs = 50;

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

function memberOf(config: ClusterConfig) {
  const { member } = protocolOf(config.protocol);
  if (member === undefined) throw unable(config, 'cannot change single members', 'member');
  return member;
}

function unable(
  { protocol }: ClusterConfig,
  what: string,
  part: 'member' | 'transfer',
): ClusterError {
  const able = protocols.filter((each) => each[part] !== undefined).map(({ name }) => name);
  return new ClusterError(`${protocol} ${what}; of the protocols here ${able.join(', ')} can.`);
}

/** As if it had never left. */
function present(config: ClusterConfig, node: ReplicaId): ClusterConfig {
  const left = config.left?.filter((id) => id !== node) ?? [];
  const { left: _, ...rest } = config;
  return left.length === 0 ? rest : { ...rest, left };
}

async function noteLeft(folder: string, node: ReplicaId): Promise<void> {
  const config = await readConfig(folder);
  const left = [...new Set([...(config.left ?? []), node])].sort((one, two) => one - two);
  await writeConfig(folder, { ...config, left });
}

/** Gives a new node its key and its address, and has the group write both into its log. */
async function introduce(
  folder: string,
  config: ClusterConfig,
  node: ReplicaId,
  options: AddOptions,
): Promise<ClusterConfig> {
  const { seat } = protocolOf(config.protocol);
  const next = allNodes(config).length;
  if (seat === undefined || config.seats === undefined)
    throw new ClusterError(
      `Nobody can come to ${folder} who was not made with it: it was made without room for that. ` +
        'Make a cluster anew, and move the data: quorumlab cluster init',
    );
  if (node !== next)
    throw new ClusterError(
      `The cluster has the nodes n0 to n${next - 1}, so the next one is n${next} and not ` +
        `n${node}: quorumlab cluster member add n${next}`,
    );
  if (node >= config.seats)
    throw new ClusterError(
      `All ${config.seats} numbers have been given, and none is given twice; make a cluster anew.`,
    );
  const member = await newcomer(folder, node, options);
  const { publicKey, address } = member;
  const about = encodeAbout({ publicKey: fromHex(publicKey), address });
  try {
    await ask(folder, config, seat(node, about), options);
  } catch (error) {
    // Refused: nobody has heard of it. With no answer the group may know it: its key stays.
    if (error instanceof RefusedError)
      await rm(paths.node(folder, node), { recursive: true, force: true });
    throw error;
  }
  const joined = [...(config.joined ?? []), member];
  const made = { ...(await readConfig(folder)), joined };
  await writeConfig(folder, made);
  return made;
}

/** A key of its own, or the one of an attempt that had no answer; and where it listens. */
async function newcomer(
  folder: string,
  node: ReplicaId,
  { host = '127.0.0.1', port = 0 }: AddOptions,
): Promise<ClusterMember> {
  const home = paths.node(folder, node);
  const [place = host] = requireHosts([host], 1);
  const [free = port] = port === 0 ? await portsOf([place], 0) : [port];
  const address = addressOf(place, free);
  if (!existsSync(paths.key(home))) return { ...(await newPrincipal(home, node)), address };
  const seed = await readKeyFile(paths.key(home));
  const publicKey = Buffer.from(publicKeyOf(seed)).toString('hex');
  seed.fill(0);
  return { id: node, publicKey, address };
}

/** The process of a node, started if it does not run. */
async function begun(
  folder: string,
  self: ReplicaId,
  { limitMs = 60_000, signal }: AddOptions,
): Promise<number | undefined> {
  const running = await tryAskNode<NodeReport>(paths.node(folder, self), 'status');
  if (running !== undefined) return running.pid;
  if (!existsSync(paths.key(paths.node(folder, self)))) return undefined;
  return (await spawnNode({ folder, self }).ready(limitMs, signal)).pid;
}

/**
 * Waits until a node that is to vote has about all of the log: else nothing might be decided until
 * it has. Throws {@link ClusterError} if that does not come. Of a node elsewhere nothing is known.
 */
async function caughtUp(
  folder: string,
  config: ClusterConfig,
  node: ReplicaId,
  { limitMs = 60_000, signal }: MembershipOptions,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    signal?.throwIfAborted();
    const rows = await rowsOf(folder, config);
    const row = rows.find((each) => each.node === node);
    const most = Math.max(0, ...rows.map(({ committed = 0 }) => committed));
    if (row === undefined || row.remote) return;
    // Whom nobody feeds before it is to vote is fed by its leader then, which waits for it.
    if (row.up && row.membership !== 'learner') return;
    const has = row.committed ?? 0;
    if (row.up && most - has <= nearly) return;
    if (performance.now() > deadline) {
      const how = row.up ? `it has ${has} of ${most} entries` : row.note;
      throw new ClusterError(
        `n${node} has not caught up in ${limitMs / 1000} s (${how}), so it has no vote. Once it ` +
          `has: quorumlab cluster member promote n${node}`,
      );
    }
    await sleep(lookMs);
  }
}

/** So many entries a node may lack that is to vote: what comes in a moment. */
const nearly = 64;

/** The group has answered, and leaves itself as it is. */
class RefusedError extends ClusterError {}

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
    if (error instanceof OperationError) throw new RefusedError(`${sentence(error.message)}.`);
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
  const said = text.replaceAll(/(?:server|replica)s? (\d+(?:, \d+)*)/g, (_, ids: string) =>
    ids.replaceAll(/\d+/g, 'n$&'),
  );
  return /^n\d/.test(said) ? said : said.charAt(0).toUpperCase() + said.slice(1);
}
