import { dirname } from 'node:path';
import type { Command } from 'commander';
import { clusterPackage } from '../cluster-package.ts';
import { Exit, exitCodes } from '../errors.ts';
import { wholeNumber } from '../flags.ts';
import { type GlobalFlags, terminal } from '../io.ts';

interface NodeFlags {
  readonly config?: string;
  readonly folder?: string;
  readonly self: string;
  readonly rejoin?: boolean;
  readonly listen?: string;
}

/** `quorumlab node`: one node in the foreground, as containers and supervisors want it. */
export function addNode(program: Command): void {
  program
    .command('node')
    .description('run one node of a cluster in this process until SIGTERM or Ctrl-C')
    .option('--config <file>', "the cluster's cluster.json")
    .option('--folder <folder>', "the cluster's folder, in place of --config")
    .requiredOption('--self <number>', 'which node, e.g. 0')
    .option('--rejoin', 'its disk was lost: if it is empty, come back as the protocol has it')
    .option('--listen <address>', 'an IP address of this machine, e.g. 0.0.0.0 in a container')
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
      const stop = (): void => void node.stop();
      process.on('SIGINT', stop);
      process.on('SIGTERM', stop);
      const reason = await node.ended;
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      if (reason !== undefined) throw reason;
    });
}

function folderOf({ config, folder }: NodeFlags): string {
  if (config !== undefined) return dirname(config);
  if (folder !== undefined) return folder;
  throw new Exit(
    exitCodes.usage,
    'error QL111: say which cluster.\n  use   --config .quorumlab/cluster/cluster.json',
  );
}
