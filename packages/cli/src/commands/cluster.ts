import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ClusterConfig, InitOptions, NodeReport, UpResult } from '@quorumlab/cluster';
import { attackOf, protocolOf, protocols, quoted, tooManyLiars } from '@quorumlab/harness';
import type { Command } from 'commander';
import { clusterPackage } from '../cluster-package.ts';
import { sayStatus, statusResult } from '../cluster-status.ts';
import { exitCodes, usageError } from '../errors.ts';
import { makeFolder, readText, writeLines } from '../files.ts';
import { gather, nodesOf, optionsOf, timeOf, wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, grouped, type Io, progressOf, terminal } from '../io.ts';
import { stoppable, stopped } from '../stop.ts';
import { addMembership } from './cluster-member.ts';

interface Flags {
  readonly folder: string;
}

interface InitFlags extends Flags {
  readonly protocol?: string;
  readonly n?: string;
  readonly f?: string;
  readonly option?: readonly string[];
  readonly rejoin?: string;
  readonly name?: string;
  readonly signed?: boolean;
  readonly allowFaults?: boolean;
  readonly port?: string;
  readonly clients?: string;
  readonly host?: string;
}

interface SubmitFlags extends Flags {
  readonly count?: string;
  readonly outstanding?: string;
  readonly file?: string;
  readonly timeout?: string;
}

interface EvidenceFlags extends Flags {
  readonly proof?: string;
}

interface StatusFlags extends Flags {
  readonly use?: boolean;
}

const usual = join('.quorumlab', 'cluster');

/** `quorumlab cluster …`: a cluster of real processes on this machine. */
export function addCluster(program: Command): void {
  const cluster = program
    .command('cluster')
    .description(
      'real processes on this machine: init, up, submit, status, member, transfer, fault, ' +
        'evidence, down',
    );
  const add = (name: string, description: string): Command =>
    cluster
      .command(name)
      .description(description)
      .option('--folder <folder>', 'where the cluster is', usual);
  withExamples(
    withInitFlags(add('init', 'make a cluster: cluster.json, keys and a folder per node')),
    'quorumlab cluster init --protocol raft -n 3',
    'quorumlab cluster init --protocol pbft -f 1 --allow-faults --folder lies',
  ).action(doing(init));
  withExamples(
    withInitFlags(
      add('up', 'start every node that is not running; makes the cluster if there is none'),
    ),
    'quorumlab cluster up --protocol raft -n 3',
    'quorumlab cluster up --rejoin 1',
  )
    .option(
      '--rejoin <nodes>',
      'whose disk was lost or damaged, e.g. 1: they come back from the others (default: none)',
    )
    .action(doing(up));
  withExamples(
    add(
      'submit [operations...]',
      "run operations: 'set a 1', 'get a', 'append a 2', 'del a', 'cas a 1 2'",
    ),
    "quorumlab cluster submit 'set colour blue' 'get colour'",
    "quorumlab cluster submit 'set key{i} x' --count 1000 --outstanding 64",
  )
    .option('--count <times>', 'how often; {i} in an operation becomes the turn (default: 1)')
    .option('--outstanding <operations>', 'how many are under way at a time (default: 1)')
    .option('--file <file>', 'one operation a line, in place of operations (default: none)')
    .option('--timeout <time>', 'longest wait for all answers, e.g. 500ms, 5s or 2m', '30s')
    .action((operations: string[], flags: SubmitFlags, command: Command) =>
      submit(ioOf(command), flags, operations),
    );
  withExamples(
    add('status', 'what every node says, on whatever machine, and whether the honest logs agree'),
    'quorumlab cluster status',
    'quorumlab cluster status --use',
  )
    .option('--use', 'also who takes what of each node of this machine: time, frames, bytes')
    .action(doing(status));
  withExamples(
    add('fault <node> <attack>', 'tell a node to lie; "none" ends it'),
    'quorumlab cluster fault n0 equivocating-leader',
  ).action((node: string, attack: string, flags: Flags, command: Command) =>
    fault(ioOf(command), flags, node, attack),
  );
  withExamples(
    add('evidence', 'who has lied, by what the nodes of this machine have kept, and the proof'),
    'quorumlab cluster evidence',
    'quorumlab cluster evidence --proof guilt.json',
  )
    .option('--proof <file>', 'where the proof goes, if somebody is convicted (default: nowhere)')
    .action(doing(evidence));
  addMembership(cluster, usual);
  withExamples(add('down', 'stop all nodes; logs and keys stay'), 'quorumlab cluster down').action(
    doing(down),
  );
}

const withInitFlags = (command: Command): Command =>
  command
    .option('--protocol <name>', 'the protocol: quorumlab list protocols (required for a new one)')
    .option('-n <replicas>', 'how many replicas, 1 to 128 (default: as many as f takes)')
    .option('-f <faults>', 'how many faulty ones it is to survive (default: what n allows, or 1)')
    .option(
      '--option <name=value>',
      "an option of the protocol's own: quorumlab list options; repeatable (default: as listed)",
      gather,
    )
    .option('--name <name>', 'a name that no other cluster has (default: a random one)')
    .option('--signed', 'sign every message, also where the protocol needs no signatures')
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

const ioOf = (command: Command): Io => terminal(command.optsWithGlobals<GlobalFlags>());

const doing =
  <F>(action: (io: Io, flags: F) => Promise<void>) =>
  (flags: F, command: Command): Promise<void> =>
    action(ioOf(command), flags);

const say = (io: Io, schema: string, value: object): void =>
  io.out(JSON.stringify({ schema: `quorumlab.${schema}/1`, ...value }));

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
  const { initCluster } = await clusterPackage();
  makeFolder(dirname(resolve(folder)));
  return initCluster({
    folder,
    protocol,
    signed,
    allowFaults,
    ...sizeOf(flags),
    ...(flags.option === undefined ? {} : { options: optionsOf(entry, flags.option) }),
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

async function init(io: Io, flags: InitFlags): Promise<void> {
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

const signatures = ({ signatures: kind }: ClusterConfig): string =>
  kind === 'ed25519' ? 'signed with Ed25519' : 'authenticated by the channel (Noise), not signed';

const elsewhere = (folder: string): string => (folder === usual ? '' : ` --folder ${folder}`);

async function up(io: Io, flags: InitFlags): Promise<void> {
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
    '--name': name === config.name,
    '--signed': !flags.signed || config.signatures === 'ed25519',
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
  const some = nodes.length < config.n ? `${nodes.length} of ` : '';
  io.out(`${some}${config.n} nodes, libp2p tcp + noise on ${address}, data in ${folder}/`);
  for (const node of nodes) {
    const member = config.members[node.self];
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

async function submit(io: Io, flags: SubmitFlags, operations: readonly string[]): Promise<void> {
  const cluster = await clusterPackage();
  if (flags.file !== undefined && operations.length > 0)
    throw usageError('QL100', '--file and operations both say what to submit; give one of them.');
  const text = flags.file === undefined ? operations.join('\n') : readText(flags.file);
  const count = wholeNumber('--count', flags.count ?? '1', 1, 1e9);
  const outstanding = wholeNumber('--outstanding', flags.outstanding ?? '1', 1, 65_536);
  const progress = progressOf(io, 'operations');
  const limitMs = timeOf('--timeout', flags.timeout ?? '30s', 1000) / 1000;
  const result = await stoppable(async (signal) => {
    let answered = 0;
    try {
      return await cluster.submit(flags.folder, text, {
        count,
        outstanding,
        limitMs,
        signal,
        progress(done, of) {
          answered = done;
          progress.update(done, of, '');
        },
      });
    } catch (error) {
      const so = `${grouped(answered)} operations were answered, what was under way may still run`;
      if (signal.aborted) throw stopped(signal, so);
      throw error;
    } finally {
      progress.end();
    }
  });
  if (io.json) return say(io, 'cluster-submit', { folder: flags.folder, ...result });
  const most = 20;
  for (const row of result.rows.slice(0, most))
    io.out(
      `${clipped(row.operation)}  ${io.sign('arrow')} ${clipped(row.result)}  ` +
        `(${row.milliseconds.toFixed(1)} ms)`,
    );
  if (result.operations > most) io.out(`and ${grouped(result.operations - most)} more`);
  if (result.operations > 1)
    io.out(
      `${grouped(result.operations)} operations in ${(result.milliseconds / 1000).toFixed(2)} s, ` +
        `${grouped(Math.round(result.perSecond))}/s, p50 ${result.p50.toFixed(1)} ms, ` +
        `p99 ${result.p99.toFixed(1)} ms`,
    );
}

/** Most characters of an operation, and of a result, on a line. */
const mostShown = 60;

const clipped = (text: string): string =>
  text.length <= mostShown ? text : `${text.slice(0, mostShown)}... (${text.length} characters)`;

async function status(io: Io, { folder, use = false }: StatusFlags): Promise<void> {
  const { clusterStatus } = await clusterPackage();
  const found = await clusterStatus(folder);
  const result = statusResult(folder, found);
  if (io.json) io.out(JSON.stringify(result));
  else sayStatus(io, found, result, use);
  process.exitCode = result.exit;
}

/** Exit 0 if it could be looked, whoever is convicted; 2 if no node told what it has heard. */
async function evidence(io: Io, { folder, proof }: EvidenceFlags): Promise<void> {
  const { clusterEvidence } = await clusterPackage();
  const found = await clusterEvidence(folder);
  const isWritten = proof !== undefined && found.proof !== undefined;
  if (isWritten) writeLines(proof, found.proof.trimEnd().split('\n'));
  const { culprits, asked, silent, n, f } = found;
  const isBlind = asked.length === 0 && culprits.length === 0;
  process.exitCode = isBlind ? exitCodes.inconclusive : exitCodes.expected;
  if (io.json) {
    const written = isWritten ? { file: proof } : {};
    return say(io, 'cluster-evidence', { folder, ...found, ...written });
  }
  for (const { member, rule } of culprits) io.out(`n${member} ${rule}`);
  if (culprits.length === 0) io.out('nobody is convicted by what the nodes of this machine kept');
  else {
    const most = tooManyLiars(protocolOf(found.protocol).claims, f) - 1;
    io.out(
      `${culprits.length} of ${n} are convicted; ${found.protocol} tolerates ${most}` +
        (isWritten ? '' : '\n  the proof:  quorumlab cluster evidence --proof FILE'),
    );
  }
  if (isWritten)
    io.out(`  check it:   quorumlab explain --proof ${quoted(proof)} --cluster ${quoted(folder)}`);
  if (silent.length > 0)
    io.out(
      `of ${silent.map((id) => `n${id}`).join(', ')}, not running, only their proofs were read`,
    );
}

async function fault(io: Io, { folder }: Flags, name: string, attack: string): Promise<void> {
  const node = wholeNumber('the node', name.replace(/^n/, ''), 0, 9999);
  if (attack !== 'none') attackOf(attack);
  const { faultNode } = await clusterPackage();
  await faultNode(folder, node, attack);
  if (io.json) return say(io, 'cluster-fault', { folder, node, attack });
  io.out(
    attack === 'none'
      ? `n${node} behaves again; it counts as a traitor for good, since its state may be anything`
      : `n${node} is now a traitor: ${attackOf(attack).title}`,
  );
}

async function down(io: Io, { folder }: Flags): Promise<void> {
  const { downCluster } = await clusterPackage();
  const rows = await downCluster(folder);
  if (io.json) return say(io, 'cluster-down', { folder, nodes: rows });
  for (const { node, pid, how } of rows)
    io.out(`n${node}  ${how}${pid === undefined ? '' : ` (process ${pid})`}`);
  io.out(`logs and keys stay in ${folder}/`);
}
