import type { MembershipOptions } from '@quorumlab/cluster';
import type { Membership } from '@quorumlab/core';
import type { Command } from 'commander';
import { clusterPackage } from '../cluster-package.ts';
import { timeOf, wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';
import { stoppable, stopped } from '../stop.ts';

interface Flags {
  readonly folder: string;
  readonly timeout?: string;
  readonly learner?: boolean;
  readonly joint?: boolean;
}

interface AddFlags extends Flags {
  readonly host?: string;
  readonly port?: string;
  readonly start?: boolean;
}

const numberOf = (name: string): number => wholeNumber('the node', name.replace(/^n/, ''), 0, 9999);

/** `quorumlab cluster member …` and `quorumlab cluster transfer`. */
export function addMembership(cluster: Command, usual: string): void {
  const member = cluster
    .command('member')
    .description('who is in the group of a running cluster: add, promote, remove');
  const withFlags = (command: Command): Command =>
    command
      .option('--folder <folder>', 'where the cluster is', usual)
      .option('--timeout <time>', 'longest wait for the answer, e.g. 5s or 2m', '60s');
  const withJoint = (command: Command): Command =>
    command.option('--joint', 'go through both groups (C_old,new), also for one voter');
  const doing =
    (becomes: (flags: Flags) => Membership, done: string) =>
    (node: string, flags: Flags, command: Command): Promise<void> =>
      change(ioOf(command), flags, node, becomes(flags), done);
  withExamples(
    withJoint(withFlags(member.command('add <node>'))).description(
      'let a node in: a new one gets a key, is started, and votes once it has the log',
    ),
    'quorumlab cluster member add n3',
    'quorumlab cluster member add n3 --learner',
  )
    .option('--learner', 'it gets the log, and has no vote')
    .option('--host <host>', 'IP address or name of its machine (default: 127.0.0.1)')
    .option('--port <port>', 'its port there, from 1024 on (default: a free one of this machine)')
    .option('--no-start', 'do not start its process: somebody does so on another machine')
    .action((node: string, flags: AddFlags, command: Command) => add(ioOf(command), flags, node));
  withExamples(
    withJoint(withFlags(member.command('promote <node>'))).description(
      'let a learner vote, once it has the log',
    ),
    'quorumlab cluster member promote n3',
  ).action(doing(() => 'voter', 'votes'));
  withExamples(
    withJoint(withFlags(member.command('remove <node>'))).description(
      'a node leaves the group, and its process ends; it can be let in again',
    ),
    'quorumlab cluster member remove n1',
  ).action((node: string, flags: Flags, command: Command) => remove(ioOf(command), flags, node));
  withExamples(
    withFlags(cluster.command('transfer <node>')).description('let another node lead'),
    'quorumlab cluster transfer n1',
  ).action((node: string, flags: Flags, command: Command) => transfer(ioOf(command), flags, node));
}

const ioOf = (command: Command): Io => terminal(command.optsWithGlobals<GlobalFlags>());

async function asked<R>(
  { timeout = '60s', joint = false }: Flags,
  ask: (options: MembershipOptions) => Promise<R>,
): Promise<R> {
  const limitMs = timeOf('--timeout', timeout, 1000) / 1000;
  return stoppable(async (signal) => {
    try {
      return await ask({ limitMs, joint, signal });
    } catch (error) {
      if (signal.aborted) throw stopped(signal, 'what was asked for may still be done');
      throw error;
    }
  });
}

async function add(io: Io, flags: AddFlags, name: string): Promise<void> {
  const node = numberOf(name);
  const { addMember } = await clusterPackage();
  const { folder, learner = false, host, port, start = true } = flags;
  const result = await asked(flags, (options) =>
    addMember(folder, node, {
      ...options,
      learner,
      noStart: !start,
      ...(host === undefined ? {} : { host }),
      ...(port === undefined ? {} : { port: wholeNumber('--port', port, 1024, 65_535) }),
    }),
  );
  const { address, becomes, milliseconds, pid } = result;
  const schema = 'quorumlab.cluster-member/1';
  if (io.json) return io.out(JSON.stringify({ schema, folder, ...result }));
  const is = becomes === 'voter' ? 'is in the group' : 'gets the log, and has no vote';
  const where = `${address}${pid === undefined ? '' : `, pid ${pid}`}`;
  io.out(`n${node} ${is} (${milliseconds.toFixed(0)} ms)  ${where}`);
  if (start) return;
  io.out(`  start it where it runs, with cluster.json and n${node}/key: quorumlab cluster up`);
  if (!learner) io.out(`  then let it vote: quorumlab cluster member promote n${node}`);
}

async function remove(io: Io, flags: Flags, name: string): Promise<void> {
  const node = numberOf(name);
  const { removeMember } = await clusterPackage();
  const { folder } = flags;
  const { milliseconds, ended } = await asked(flags, (options) =>
    removeMember(folder, node, options),
  );
  const schema = 'quorumlab.cluster-member/1';
  if (io.json)
    return io.out(JSON.stringify({ schema, folder, node, becomes: 'none', milliseconds, ended }));
  io.out(`n${node} has left the group (${milliseconds.toFixed(0)} ms), and no process of it runs`);
}

async function change(
  io: Io,
  flags: Flags,
  name: string,
  becomes: Membership,
  done: string,
): Promise<void> {
  const node = numberOf(name);
  const { changeMember } = await clusterPackage();
  const { folder } = flags;
  const { milliseconds } = await asked(flags, (options) =>
    changeMember(folder, node, becomes, options),
  );
  const schema = 'quorumlab.cluster-member/1';
  if (io.json) return io.out(JSON.stringify({ schema, folder, node, becomes, milliseconds }));
  io.out(`n${node} ${done} (${milliseconds.toFixed(0)} ms)`);
}

async function transfer(io: Io, flags: Flags, name: string): Promise<void> {
  const node = numberOf(name);
  const { transferLead } = await clusterPackage();
  const { folder } = flags;
  const { milliseconds } = await asked(flags, (options) => transferLead(folder, node, options));
  const schema = 'quorumlab.cluster-transfer/1';
  if (io.json) return io.out(JSON.stringify({ schema, folder, node, milliseconds }));
  io.out(`n${node} leads (${milliseconds.toFixed(0)} ms)`);
}
