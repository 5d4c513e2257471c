import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { mostSeats, range, toHex } from '@quorumlab/core';
import {
  type OptionValues,
  optionsWithReads,
  protocolOf,
  type Reads,
  requireSize,
  toleratedBy,
} from '@quorumlab/harness';
import { FIRST_CLIENT, generateSeed, publicKeyOf, writeKeyFile } from '@quorumlab/node';
import { aggregates, type CertificateKind, certificateKeyIn } from './certificates.ts';
import { type ClusterConfig, type ClusterPrincipal, clusterSchema, paths } from './config.ts';
import { ClusterError, codeOf } from './errors.ts';
import { addressOf, portsOf, requireHosts } from './hosts.ts';
import { requireRanges } from './ranges.ts';

/** What {@link initCluster} makes. */
export interface InitOptions {
  /** Where; must not be there yet, or be empty. */
  readonly folder: string;
  /** A registered protocol's name. */
  readonly protocol: string;
  /** How many replicas; as many as `f` needs unless told. */
  readonly n?: number;
  /** How many faulty ones it is to survive; unless told as many as `n` allows, or 1. */
  readonly f?: number;
  /** The protocol's own options, by its names for them (`quorumlab list protocols`). */
  readonly options?: OptionValues;
  /** What the reads of its clients promise; what the options say, or 'quorum', unless told. */
  readonly reads?: Reads;
  /** Where ranges of keys begin, see {@link ClusterConfig.ranges}; none unless told. */
  readonly ranges?: readonly string[];
  /** Unless told, a name that nobody else has. */
  readonly name?: string;
  /** Signs every message, also where the protocol needs no signatures. */
  readonly signed?: boolean;
  /** What certificates are: lists of signatures unless told, or aggregates by `@quorumlab/bls`. */
  readonly certificates?: CertificateKind;
  /** Allows telling nodes to lie, for good. */
  readonly allowFaults?: boolean;
  /** n0's port, n1's is one above, and so on. 0, which it is unless told: free ones are picked. */
  readonly basePort?: number;
  /** How many clients can be connected at once; more wait for their turn. 8 unless told. */
  readonly clients?: number;
  /**
   * Where nodes are reached: one IP address or name for all of them, or one for each. Loopback
   * unless told. A node behind a name listens on all addresses of its machine.
   */
  readonly hosts?: readonly string[];
}

/** Most replicas and clients of a cluster. */
const most = { n: 128, clients: 64 };

/**
 * Makes a cluster's folder: `cluster.json`, and a folder (0700) with a key file (0600) for each
 * node and client. All of it is there afterwards, or nothing. Throws {@link ClusterError}, and
 * `ScenarioError` for a protocol or size that cannot be.
 */
export async function initCluster(options: InitOptions): Promise<ClusterConfig> {
  const { folder, hosts = ['127.0.0.1'], basePort = 0, clients = 8 } = options;
  const { n, f } = sizeOf(options);
  if (options.ranges !== undefined) requireRanges(options.protocol, options.ranges);
  if (n > most.n || clients > most.clients || clients < 1)
    throw new ClusterError(
      `A cluster has up to ${most.n} nodes and 1 to ${most.clients} clients, ` +
        `not ${n} and ${clients}.`,
    );
  const places = requireHosts(hosts, n);
  if (basePort !== 0 && !(basePort >= 1024 && basePort + n <= 65_536))
    throw new ClusterError(`Ports ${basePort} to ${basePort + n - 1}: use 1024 to 65535, or 0.`);
  await refuseExisting(folder);
  const parent = dirname(resolve(folder));
  await mkdir(parent, { recursive: true });
  const draft = join(parent, `.${basename(resolve(folder))}.${randomBytes(6).toString('hex')}`);
  await mkdir(draft, { mode: 0o700 });
  try {
    const ports = await portsOf(places, basePort);
    const config = await fill(draft, { ...options, n, f, clients, hosts: places, ports });
    await rename(draft, resolve(folder)).catch((error: unknown) => {
      if (!['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
      throw existsAlready(folder);
    });
    return config;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
}

function sizeOf({ protocol, n, f, options = {}, reads, certificates }: InitOptions): {
  readonly n: number;
  readonly f: number;
} {
  const entry = protocolOf(protocol);
  const faults = f ?? (n === undefined ? 1 : toleratedBy(entry.claims, n));
  const size = n ?? entry.claims.replicas(faults);
  requireSize(entry, size, faults);
  // What else cannot be, the protocol itself knows: quorums that do not meet, for example.
  const asked = optionsWithReads(entry, reads, options) ?? {};
  const made = entry.create({ n: size, f: faults, options: asked });
  if (certificates === 'bls' && made.messages.certifies === undefined)
    throw new ClusterError(
      `${entry.name} makes no certificates, so nothing aggregates; leave --certificates bls out.`,
    );
  return { n: size, f: faults };
}

const existsAlready = (folder: string): ClusterError =>
  new ClusterError(
    `${resolve(folder)} is there already and was left as it is; ` +
      'start it with: quorumlab cluster up, or choose another --folder.',
  );

async function refuseExisting(folder: string): Promise<void> {
  const there = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    if (codeOf(error) === 'ENOTDIR') return ['a file'];
    throw error;
  });
  if (there.length > 0) throw existsAlready(folder);
}

interface Filling extends InitOptions {
  readonly n: number;
  readonly f: number;
  readonly hosts: readonly string[];
  readonly clients: number;
  readonly ports: readonly number[];
}

/** Whether a host has to sign what replicas say. */
function isSigned({ protocol, n, f, options = {} }: Filling): boolean {
  const { claims, create } = protocolOf(protocol);
  if (claims.faults !== 'byzantine') return false;
  return create({ n, f, ...options }).deniable === undefined;
}

async function fill(draft: string, options: Filling): Promise<ClusterConfig> {
  const { protocol, n, f, hosts, ports, clients, signed = false, allowFaults = false } = options;
  const { certificates } = options;
  const scheme = certificates === 'bls' ? await aggregates() : undefined;
  const members = await Promise.all(
    range(n).map(async (id) => ({
      ...(await newPrincipal(paths.node(draft, id), id)),
      address: addressOf(hosts[id] as string, ports[id] as number),
      ...(scheme === undefined
        ? {}
        : { certificateKey: await certificateKeyIn(scheme, paths.key(paths.node(draft, id))) }),
    })),
  );
  const config: ClusterConfig = {
    schema: clusterSchema,
    name: options.name ?? `cluster-${randomBytes(8).toString('hex')}`,
    group: 'main',
    epoch: 0,
    protocol,
    n,
    f,
    options: options.options ?? {},
    ...(options.reads === undefined ? {} : { reads: options.reads }),
    ...(options.ranges === undefined ? {} : { ranges: options.ranges }),
    signatures: signed || isSigned(options) ? 'ed25519' : 'channel',
    ...(certificates === undefined ? {} : { certificates }),
    allowFaults,
    members,
    ...(protocolOf(protocol).seat === undefined ? {} : { seats: n + mostSeats }),
    clients: await Promise.all(
      range(clients).map((i) =>
        newPrincipal(paths.client(draft, FIRST_CLIENT + i), FIRST_CLIENT + i),
      ),
    ),
  };
  const file = await open(paths.config(draft), 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(config, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return config;
}

/** A folder with a key in it that only its owner can read. */
export async function newPrincipal(home: string, id: number): Promise<ClusterPrincipal> {
  const seed = generateSeed();
  await mkdir(home, { mode: 0o700 });
  await writeKeyFile(paths.key(home), seed);
  const publicKey = toHex(publicKeyOf(seed));
  seed.fill(0);
  return { id, publicKey };
}
