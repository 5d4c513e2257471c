/** `quorumlab cluster init` and `up`: makes a cluster, and starts its nodes. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type {
  CertificateKind,
  ClusterConfig,
  InitOptions,
  NodeReport,
  UpResult,
} from '@quorumlab/cluster';
import { protocolOf, protocols, readsIn } from '@quorumlab/harness';
import type { Command } from 'commander';
import { clusterPackage } from '../cluster-package.ts';
import { exitCodes, usageError } from '../errors.ts';
import { makeFolder } from '../files.ts';
import { gather, nodesOf, optionsOf, readsHelp, readsWord, wholeNumber } from '../flags.ts';
import { type Io, progressOf } from '../io.ts';
import { stoppable, stopped } from '../stop.ts';
import { elsewhere, type Flags, say } from './cluster-io.ts';

interface InitFlags extends Flags {
  readonly protocol?: string;
  readonly n?: string;
  readonly f?: string;
  readonly option?: readonly string[];
  readonly reads?: string;
  readonly ranges?: string;
  readonly rejoin?: string;
  readonly name?: string;
  readonly signed?: boolean;
  readonly certificates?: string;
  readonly allowFaults?: boolean;
  readonly port?: string;
  readonly clients?: string;
  readonly host?: string;
}

/** Adds the flags by which a cluster is made. */
export const withInitFlags = (command: Command): Command =>
  command
    .option('--protocol <name>', 'the protocol: quorumlab list protocols (required for a new one)')
    .option('-n <replicas>', 'how many replicas, 1 to 128 (default: as many as f takes)')
    .option('-f <faults>', 'how many faulty ones it is to survive (default: what n allows, or 1)')
    .option(
      '--option <name=value>',
      "an option of the protocol's own: quorumlab list options; repeatable (default: as listed)",
      gather,
    )
    .option('--reads <kind>', readsHelp)
    .option(
      '--ranges <keys>',
      'ranges of keys, each with a group of its own, by where they end: g,n (default: none)',
    )
    .option('--name <name>', 'a name that no other cluster has (default: a random one)')
    .option('--signed', 'sign every message, also where the protocol needs no signatures')
    .option(
      '--certificates <kind>',
      'ed25519: lists of signatures, or bls: aggregates, from n=16 on (default: ed25519)',
    )
    .option('--allow-faults', 'nodes may be told to lie: only for experiments')
    .option('--port <port>', "n0's port from 1024 on, n1's is one above (default: free ones)")
    .option(
      '--clients <clients>',
      'how many clients may be connected at once, 1 to 64 (default: 8)',
    )
    .option(
      '--host <hosts>',
      'IP address or name of the machine, or one per node: a,b,c (default: 127.0.0.1)',
    );

async function make(flags: InitFlags): Promise<ClusterConfig> {
  const { folder, protocol, name, signed = false, allowFaults = false, host } = flags;
  if (protocol === undefined)
    throw usageError(
      'QL112',
      'say which protocol the cluster is to run.\n  use   ' +
        protocols.map((each) => `--protocol ${each.name}`).join('  or  '),
    );
  const entry = protocolOf(protocol);
  if (name !== undefined && !/^[\w.-]{1,64}$/.test(name))
    throw usageError(
      'QL102',
      '--name takes up to 64 letters, digits, dots, underscores and hyphens, e.g. red-1.',
    );
  const { certificateKinds, initCluster } = await clusterPackage();
  makeFolder(dirname(resolve(folder)));
  return initCluster({
    folder,
    protocol,
    signed,
    allowFaults,
    ...sizeOf(flags),
    ...certificatesOf(flags, certificateKinds),
    ...(flags.option === undefined ? {} : { options: optionsOf(entry, flags.option) }),
    ...(flags.reads === undefined ? {} : { reads: readsWord(flags.reads) }),
    ...(flags.ranges === undefined ? {} : { ranges: flags.ranges.split(',') }),
    ...(name === undefined ? {} : { name }),
    ...(host === undefined ? {} : { hosts: host.split(',').map((each) => each.trim()) }),
  });
}

/** The numbers that make a cluster, of those flags that were given. */
const sizeOf = ({
  n,
  f,
  port,
  clients,
}: InitFlags): Pick<InitOptions, 'n' | 'f' | 'basePort' | 'clients'> => ({
  ...(n === undefined ? {} : { n: wholeNumber('-n', n, 1, 128) }),
  ...(f === undefined ? {} : { f: wholeNumber('-f', f, 0, 63) }),
  ...(port === undefined ? {} : { basePort: wholeNumber('--port', port, 0, 65_535) }),
  ...(clients === undefined ? {} : { clients: wholeNumber('--clients', clients, 1, 64) }),
});

/** What certificates are to be, if that was said. */
function certificatesOf(
  { certificates }: InitFlags,
  kinds: readonly CertificateKind[],
): Pick<InitOptions, 'certificates'> {
  if (certificates === undefined) return {};
  const kind = kinds.find((each) => each === certificates);
  if (kind === undefined)
    throw usageError('QL101', `--certificates takes ${kinds.join(' or ')}, not "${certificates}".`);
  return { certificates: kind };
}

/** Makes a cluster. */
export async function init(io: Io, flags: InitFlags): Promise<void> {
  const config = await make(flags);
  const { folder } = flags;
  if (io.json) return say(io, 'cluster-init', { folder, config });
  const { n, f, protocol } = config;
  io.out(`made a cluster of ${n} ${protocol} nodes, f=${f}, in ${folder}/`);
  if (f === 0)
    io.out(
      `  faults    it survives none; for one use   -n ${protocolOf(protocol).claims.replicas(1)}`,
    );
  io.out(`  keys      one file per node and client, mode 0600: they stay on this machine`);
  io.out(`  messages  ${signatures(config)}`);
  if (config.allowFaults) io.out('  faults    allowed: nodes of this cluster can be told to lie');
  io.out(`start: quorumlab cluster up${elsewhere(folder)}`);
}

function signatures({ signatures: kind, certificates }: ClusterConfig): string {
  if (kind !== 'ed25519') return 'authenticated by the channel (Noise), not signed';
  return certificates === 'bls'
    ? 'signed with Ed25519; certificates are BLS12-381 aggregates'
    : 'signed with Ed25519';
}

/** Starts the nodes that do not run; makes the cluster if there is none. */
export async function up(io: Io, flags: InitFlags): Promise<void> {
  const { folder } = flags;
  const { upCluster, readConfig } = await clusterPackage();
  const rejoin = flags.rejoin === undefined ? [] : nodesOf('--rejoin', flags.rejoin);
  const isNew = !existsSync(join(folder, 'cluster.json'));
  if (isNew) await make(flags);
  else refuseOther(await readConfig(folder), flags);
  const progress = progressOf(io, 'nodes');
  const result = await stoppable(async (signal) => {
    try {
      return await upCluster(folder, {
        rejoin,
        signal,
        progress: (some, of) => progress.update(some.length, of, 'starting'),
      });
    } catch (error) {
      if (signal.aborted) throw stopped(signal, 'every node that this has started is stopped');
      throw error;
    } finally {
      progress.end();
    }
  });
  if (result.refused.length > 0) process.exitCode = exitCodes.usage;
  if (io.json) return say(io, 'cluster-up', { folder, ...result });
  await sayUp(io, folder, result);
  for (const { node, why } of result.refused) io.complain(`n${node} did not start: ${why}`);
}

/** Flags that contradict the cluster that is there would otherwise be passed over in silence. */
function refuseOther(config: ClusterConfig, flags: InitFlags): void {
  const { protocol = config.protocol, name = config.name, folder } = flags;
  const option = optionsOf(protocolOf(protocol), flags.option ?? []);
  const { n, f, clients, basePort } = sizeOf(flags);
  const [, , , , port] = config.members[0]?.address.split('/') ?? [];
  const hosts = flags.host?.split(',').map((each) => each.trim()) ?? [];
  const wishes: Readonly<Record<string, boolean>> = {
    '--protocol': protocol === config.protocol,
    '-n': n === undefined || n === config.n,
    '-f': f === undefined || f === config.f,
    '--option': Object.entries(option).every(([each, value]) => config.options[each] === value),
    '--reads': flags.reads === undefined || readsWord(flags.reads) === readsIn(config),
    '--ranges': flags.ranges === undefined || flags.ranges === config.ranges?.join(),
    '--name': name === config.name,
    '--signed': !flags.signed || config.signatures === 'ed25519',
    '--certificates':
      flags.certificates === undefined || flags.certificates === (config.certificates ?? 'ed25519'),
    '--allow-faults': !flags.allowFaults || config.allowFaults,
    '--port': basePort === undefined || basePort === 0 || String(basePort) === port,
    '--clients': clients === undefined || clients === config.clients.length,
    '--host':
      flags.host === undefined ||
      config.members.every(
        ({ address }, i) => address.split('/')[2] === (hosts.length === 1 ? hosts[0] : hosts[i]),
      ),
  };
  const other = Object.keys(wishes).filter((flag) => !wishes[flag]);
  if (other.length === 0) return;
  throw usageError(
    'QL113',
    `${folder} holds a cluster of ${config.n} ${config.protocol} nodes already, made with ` +
      `another ${other.join(', ')}.\n` +
      '  use   quorumlab cluster up without these flags\n  or    --folder for another cluster',
  );
}

async function sayUp(
  io: Io,
  folder: string,
  { config, nodes, milliseconds }: UpResult,
): Promise<void> {
  const { peerNameOf } = await clusterPackage();
  const address = config.members[0]?.address.split('/')[2] ?? '';
  const all = config.n + (config.joined?.length ?? 0) - (config.left?.length ?? 0);
  const some = nodes.length < all ? `${nodes.length} of ` : '';
  io.out(`${some}${all} nodes, libp2p tcp + noise on ${address}, data in ${folder}/`);
  for (const node of nodes) {
    const member = [...config.members, ...(config.joined ?? [])][node.self];
    const name = peerNameOf(Buffer.from(member?.publicKey ?? '', 'hex'));
    const short = `${name.slice(0, 6)}…${name.slice(-2)}`;
    const port = member?.address.split('/').at(-1);
    io.out(`  n${node.self}  ${short}  :${port}  pid ${node.pid}${leading(node)}`);
  }
  const where = elsewhere(folder);
  io.out(
    `ready in ${(milliseconds / 1000).toFixed(1)} s    submit: quorumlab cluster submit${where} ` +
      `'set a 1'    stop: quorumlab cluster down${where}`,
  );
}

const leading = ({ leader, self, role, term }: NodeReport): string =>
  leader === self ? `  ${role} ${term}` : '';
