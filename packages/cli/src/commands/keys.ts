import type { Command } from 'commander';
import { clusterPackage } from '../cluster-package.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, terminal } from '../io.ts';

/** `quorumlab keys new|show FILE`: Ed25519 keys in files that only their owner can read. */
export function addKeys(program: Command): void {
  const keys = program.command('keys').description('make and show key files');
  withExamples(keys.command('new <file>'), 'quorumlab keys new my.key')
    .description('make a key; never overwrites a file')
    .action(async (file: string, _flags: unknown, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const { newKeyFile } = await clusterPackage();
      const publicKey = await newKeyFile(file);
      if (io.json) io.out(JSON.stringify({ schema: 'quorumlab.key/1', file, publicKey }));
      else {
        io.out(`public key ${publicKey}`);
        io.note(`secret key in ${file} (mode 0600): keep it on this machine`);
      }
    });
  withExamples(keys.command('show <file>'), 'quorumlab keys show my.key')
    .description('print the public key of a key file')
    .action(async (file: string, _flags: unknown, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      const { showKeyFile } = await clusterPackage();
      const { publicKey, peerId } = await showKeyFile(file);
      if (io.json) io.out(JSON.stringify({ schema: 'quorumlab.key/1', file, publicKey, peerId }));
      else {
        io.out(`public key ${publicKey}`);
        io.out(`peer id    ${peerId}`);
      }
    });
}
