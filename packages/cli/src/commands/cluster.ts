import { attackOf } from '@quorumlab/harness';
import type { Command } from 'commander';
import { clusterPackage } from '../cluster-package.ts';
import { sayStatus, statusResult } from '../cluster-status.ts';
import { wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import type { Io } from '../io.ts';
import { evidence } from './cluster-evidence.ts';
import { type Flags, ioOf, say, usual } from './cluster-io.ts';
import { addMembership } from './cluster-member.ts';
import { type SubmitFlags, submit } from './cluster-submit.ts';
import { init, up, withInitFlags } from './cluster-up.ts';

interface StatusFlags extends Flags {
  readonly use?: boolean;
}

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

const doing =
  <F>(action: (io: Io, flags: F) => Promise<void>) =>
  (flags: F, command: Command): Promise<void> =>
    action(ioOf(command), flags);

async function status(io: Io, { folder, use = false }: StatusFlags): Promise<void> {
  const { clusterStatus } = await clusterPackage();
  const found = await clusterStatus(folder);
  const result = statusResult(folder, found);
  if (io.json) io.out(JSON.stringify(result));
  else sayStatus(io, found, result, use);
  process.exitCode = result.exit;
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
