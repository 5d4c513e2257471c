import type { MembershipOptions, MembershipResult } from '@quorumlab/cluster';
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
      'let a node vote, once it has the log; or only learn',
    ),
    'quorumlab cluster member add n3',
    'quorumlab cluster member add n3 --learner',
  )
    .option('--learner', 'it gets the log, and has no vote')
    .action(doing(({ learner }) => (learner ? 'learner' : 'voter'), 'is in the group'));
  withExamples(
    withJoint(withFlags(member.command('promote <node>'))).description(
      'let a learner vote, once it has the log',
    ),
    'quorumlab cluster member promote n3',
  ).action(doing(() => 'voter', 'votes'));
  withExamples(
    withJoint(withFlags(member.command('remove <node>'))).description(
      'a node leaves the group; it may go on running, and be let in again',
    ),
    'quorumlab cluster member remove n1',
  ).action(doing(() => 'none', 'has left the group'));
  withExamples(
    withFlags(cluster.command('transfer <node>')).description('let another node lead'),
    'quorumlab cluster transfer n1',
  ).action((node: string, flags: Flags, command: Command) => transfer(ioOf(command), flags, node));
}

const ioOf = (command: Command): Io => terminal(command.optsWithGlobals<GlobalFlags>());

async function asked(
  { timeout = '60s', joint = false }: Flags,
  ask: (options: MembershipOptions) => Promise<MembershipResult>,
): Promise<MembershipResult> {
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
