/** What a cluster is, as one file that all its processes read: `cluster.json`. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fromHex, type Protocol, type ReplicaId } from '@quorumlab/core';
import {
  type OptionValues,
  optionsWithReads,
  protocolOf,
  type Reads,
  readsWords,
  requireOptions,
} from '@quorumlab/harness';
import type { LogShape } from '@quorumlab/log';
import type { ClusterIdentity, Signatures } from '@quorumlab/node';
import { admitPublicKey, KeyError } from '@quorumlab/wire';
import {
  type CertificateKeyText,
  type CertificateKind,
  certificateKeyFrom,
  certificateKinds,
  isCertificateKey,
} from './certificates.ts';
import { ClusterError, codeOf } from './errors.ts';
import { requirePlainFile } from './plain-file.ts';

/** The schema of `cluster.json`. */
export const clusterSchema = 'quorumlab.cluster/1';

/** A replica or a client in `cluster.json`. */
export interface ClusterPrincipal {
  readonly id: number;
  /** Its Ed25519 public key in hexadecimal digits. */
  readonly publicKey: string;
}

/** A replica in `cluster.json`. */
export interface ClusterMember extends ClusterPrincipal {
  /** The multiaddr on which it listens. */
  readonly address: string;
  /** Where certificates are aggregates: its key for them. */
  readonly certificateKey?: CertificateKeyText;
}

/** The content of `cluster.json`: the same for all processes, and without any secret. */
export interface ClusterConfig {
  readonly schema: typeof clusterSchema;
  /** Part of everything that is signed: no two clusters have the same. */
  readonly name: string;
  readonly group: string;
  readonly epoch: number;
  /** A registered protocol's name. */
  readonly protocol: string;
  readonly n: number;
  readonly f: number;
  /** The protocol's own options, by its names for them. */
  readonly options: OptionValues;
  /** What the reads of its clients promise; absent: what the options say, or 'quorum'. */
  readonly reads?: Reads;
  readonly signatures: Signatures;
  /** What certificates are; absent: lists of Ed25519 signatures. */
  readonly certificates?: CertificateKind;
  /** Whether nodes may be told to lie. */
  readonly allowFaults: boolean;
  readonly members: readonly ClusterMember[];
  /** How many numbers there are for nodes, where some may come later; absent: none may. */
  readonly seats?: number;
  /** Who came later, by number; absent: nobody has yet. */
  readonly joined?: readonly ClusterMember[];
  /** Who was told to leave and has not come back; absent: nobody. */
  readonly left?: readonly number[];
  readonly clients: readonly ClusterPrincipal[];
  /**
   * Where ranges of keys end and the next begin, ascending: each range has a group of its own on
   * the nodes of the first day (`@quorumlab/shards`), beside that of the cluster; absent: none.
   */
  readonly ranges?: readonly string[];
  /** By how much wall clocks may be wrong where chrony says nothing, in microseconds; 100,000. */
  readonly clockError?: number;
}

/** Where a cluster's parts are. */
export const paths = {
  config: (folder: string): string => join(folder, 'cluster.json'),
  node: (folder: string, self: ReplicaId): string => join(folder, `n${self}`),
  client: (folder: string, id: number): string => join(folder, `client-${id}`),
  /** In a node's or client's folder: its secret key. */
  key: (home: string): string => join(home, 'key'),
  /** In a node's folder: its durable log. */
  data: (home: string): string => join(home, 'data'),
  /** In a node's folder: what it reports, one JSON object a line. */
  log: (home: string): string => join(home, 'log.ndjson'),
  /** In a node's folder: the number of its process. */
  pid: (home: string): string => join(home, 'pid'),
  /** In a node's folder: the last words of a process that did not start. */
  stderr: (home: string): string => join(home, 'stderr'),
  /**
   * In a node's folder: there since its log was first opened. While it says `rejoining`, a log that
   * is empty is one that was lost, and not one of a node that has never run.
   */
  started: (home: string): string => join(home, 'started'),
  /** In a node's folder: proofs against members that broke their word. */
  proofs: (home: string): string => join(home, 'proofs'),
  /** In a node's folder: there since it was first told to lie; names the attack. */
  traitor: (home: string): string => join(home, 'traitor'),
};

/** Where `quorumlab cluster` keeps its cluster unless told. */
export const defaultFolder: string = join('.quorumlab', 'cluster');

/**
 * Reads `<folder>/cluster.json`. Throws {@link ClusterError} if there is none or it is not one; a
 * protocol that is not registered is a `ScenarioError`.
 */
export async function readConfig(folder: string): Promise<ClusterConfig> {
  const file = paths.config(folder);
  requirePlainFile(file);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new ClusterError(
      `There is no cluster in ${resolve(folder)}; ` +
        `make one with: quorumlab cluster init --folder ${folder}`,
    );
  });
  return checked(file, parsed(file, text));
}

function parsed(file: string, text: string): Partial<ClusterConfig> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below: text that is no JSON is as wrong as JSON that is no object.
  }
  throw new ClusterError(`${file} is not a JSON object; restore it or make the cluster again.`);
}

function checked(file: string, config: Partial<ClusterConfig>): ClusterConfig {
  const wrong = (what: string): ClusterError =>
    new ClusterError(`${file}: ${what}; restore it or make the cluster again.`);
  const { schema, name, group, epoch, protocol, n, f, members, clients } = config;
  if (schema !== clusterSchema) throw wrong(`"schema" must be "${clusterSchema}"`);
  if (typeof name !== 'string' || typeof group !== 'string') throw wrong('it has no name or group');
  if (!isCount(epoch) || !isCount(n) || !isCount(f))
    throw wrong('"epoch", "n" or "f" is no number');
  if (typeof protocol !== 'string') throw wrong('it names no protocol');
  if (config.signatures !== 'ed25519' && config.signatures !== 'channel')
    throw wrong('"signatures" must be "ed25519" or "channel"');
  requireCertificates(config, wrong);
  if (typeof config.allowFaults !== 'boolean') throw wrong('"allowFaults" must be true or false');
  if (!Array.isArray(members) || !Array.isArray(clients))
    throw wrong('"members" and "clients" must be lists');
  if (members.length !== n) throw wrong(`it lists ${members.length} members, and n is ${n}`);
  if (config.clockError !== undefined && !isCount(config.clockError))
    throw wrong('"clockError" must be a number of microseconds');
  const { ranges } = config;
  if (ranges !== undefined && !(Array.isArray(ranges) && ranges.every(isText)))
    throw wrong('"ranges" must be a list of keys');
  const { seats, joined = [], left = [] } = config;
  if (!Array.isArray(joined) || !Array.isArray(left) || !left.every(isCount))
    throw wrong('"joined" and "left" must be lists');
  if (seats !== undefined && !(isCount(seats) && seats >= n + joined.length))
    throw wrong('"seats" must be a number, and has to be enough for all nodes');
  if (joined.some((each, i) => each?.id !== n + i))
    throw wrong('"joined" must list nodes by their numbers, without a gap');
  for (const each of [...members, ...joined, ...clients])
    if (!isCount(each?.id) || !/^[0-9a-f]{64}$/.test(each.publicKey))
      throw wrong('a member or client has no number or no public key of 64 digits');
  requireKeys([...members, ...joined, ...clients], wrong);
  for (const each of [...members, ...joined])
    if (typeof each.address !== 'string') throw wrong(`n${each.id} has no address`);
  // Absent where an older version made the cluster.
  const { options = {} } = config;
  if (typeof options !== 'object' || options === null) throw wrong('"options" must be an object');
  requireOptions(protocol, protocolOf(protocol).options, options);
  const { reads } = config;
  if (reads !== undefined && !readsWords.includes(reads))
    throw wrong(`"reads" must be one of ${readsWords.join(', ')}`);
  // Every part has been looked at above.
  return { ...config, options } as ClusterConfig;
}

/** Every member of the first day has a certificate key, or none is needed. */
function requireCertificates(
  { certificates = 'ed25519', signatures, members }: Partial<ClusterConfig>,
  wrong: (what: string) => ClusterError,
): void {
  if (!certificateKinds.includes(certificates))
    throw wrong('"certificates" must be "ed25519" or "bls"');
  if (certificates === 'ed25519') return;
  if (signatures !== 'ed25519') throw wrong('"certificates" need "signatures" to be "ed25519"');
  for (const each of Array.isArray(members) ? members : [])
    if (!isCertificateKey(each?.certificateKey))
      throw wrong(`n${each?.id} has no certificate key of 96 digits with its proof of 192`);
}

/** Refuses keys that nobody may be known by, whoever starts a node or a client from this file. */
function requireKeys(
  principals: readonly { readonly id: number; readonly publicKey: string }[],
  wrong: (what: string) => ClusterError,
): void {
  for (const { id, publicKey } of principals) {
    try {
      admitPublicKey(fromHex(publicKey), `principal ${id}`);
    } catch (error) {
      throw error instanceof KeyError ? wrong(error.message) : error;
    }
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** The protocol that a cluster runs. */
export function protocolIn(config: ClusterConfig): Protocol<LogShape> {
  const { protocol, n, f, reads, seats } = config;
  const entry = protocolOf(protocol);
  const options = optionsWithReads(entry, reads, config.options) ?? {};
  return entry.create({ n, f, options, ...(seats === undefined ? {} : { seats }) });
}

/** All nodes that there are or were, by number: those made with the cluster, and who came later. */
export const allNodes = ({ members, joined = [] }: ClusterConfig): readonly ClusterMember[] => [
  ...members,
  ...joined,
];

/** One of {@link allNodes}; nothing for a number that nobody has. */
export const nodeIn = (config: ClusterConfig, node: ReplicaId): ClusterMember | undefined =>
  allNodes(config).find(({ id }) => id === node);

/** The numbers of those that have not left, as far as this file knows. */
export const presentNodes = (config: ClusterConfig): readonly ReplicaId[] =>
  allNodes(config)
    .map(({ id }) => id)
    .filter((id) => config.left?.includes(id) !== true);

/** Throws {@link ClusterError} for the number of no node. */
export function requireNode(config: ClusterConfig, node: ReplicaId): ClusterMember {
  const found = nodeIn(config, node);
  if (found !== undefined) return found;
  throw new ClusterError(
    `The cluster has the nodes n0 to n${allNodes(config).length - 1}, and n${node} is none.`,
  );
}

/** Writes `<folder>/cluster.json` anew, all of it or nothing. */
export async function writeConfig(folder: string, config: ClusterConfig): Promise<void> {
  const file = paths.config(folder);
  const draft = `${file}.${process.pid}`;
  const text = `${JSON.stringify(config, undefined, 2)}\n`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await rename(draft, file);
}

/** A cluster as its nodes and clients know it. */
export const identityOf = (config: ClusterConfig): ClusterIdentity => ({
  cluster: config.name,
  group: config.group,
  epoch: config.epoch,
  ...(config.seats === undefined ? {} : { seats: config.seats }),
  members: allNodes(config).map(({ id, publicKey, address, certificateKey }) => ({
    id,
    address,
    publicKey: fromHex(publicKey),
    ...(certificateKey === undefined ? {} : { certificateKey: certificateKeyFrom(certificateKey) }),
  })),
  clients: config.clients.map(({ id, publicKey }) => ({ id, publicKey: fromHex(publicKey) })),
});
