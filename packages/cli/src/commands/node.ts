import { basename, dirname } from 'node:path';
import type { Command } from 'commander';
import { clusterPackage } from '../cluster-package.ts';
import { usageError } from '../errors.ts';
import { wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, terminal } from '../io.ts';
import { stoppable } from '../stop.ts';

interface NodeFlags {
  readonly config?: string;
  readonly folder?: string;
  readonly self: string;
  readonly rejoin?: boolean;
  readonly listen?: string;
}

/** `quorumlab node`: one node in the foreground, as containers and supervisors want it. */
export function addNode(program: Command): void {
  withExamples(
    program.command('node'),
    'quorumlab node --config .quorumlab/cluster/cluster.json --self 0',
  )
    .description('run one node of a cluster in this process until SIGTERM or Ctrl-C')
    .option('--config <file>', "the cluster's cluster.json (required, or --folder)")
    .option('--folder <folder>', "the cluster's folder (default: that of --config)")
    .requiredOption('--self <number>', 'which node, e.g. 0 (required)')
    .option('--rejoin', 'its disk was lost: if it is empty, come back as the protocol has it')
    .option(
      '--listen <address>',
      'an IP address of this machine, e.g. 0.0.0.0 in a container (default: that of cluster.json)',
    )
    .action(async (flags: NodeFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const folder = folderOf(flags);
      const self = wholeNumber('--self', flags.self.replace(/^n/, ''), 0, 9999);
      const { runNode } = await clusterPackage();
      const node = await runNode({
        folder,
        self,
        rejoin: flags.rejoin ?? false,
        ...(flags.listen === undefined ? {} : { listen: flags.listen }),
      });
      io.note(
        `n${self} is up, process ${process.pid}; it reports to ${folder}/n${self}/log.ndjson`,
      );
      const reason = await stoppable((signal) => {
        signal.addEventListener('abort', () => void node.stop(), { once: true });
        return node.ended;
      });
      if (reason !== undefined) throw reason;
    });
}

function folderOf({ config, folder }: NodeFlags): string {
  if (config !== undefined && folder !== undefined)
    throw usageError('QL100', '--config and --folder both say which cluster; give one of them.');
  if (config !== undefined && basename(config) !== 'cluster.json')
    throw usageError(
      'QL111',
      `--config takes the cluster.json of a cluster's folder, not ${config}.\n` +
        `  use   --folder ${dirname(config)}`,
    );
  if (config !== undefined) return dirname(config);
  if (folder !== undefined) return folder;
  throw usageError('QL111', 'say which cluster.\n  use   --config .quorumlab/cluster/cluster.json');
}
