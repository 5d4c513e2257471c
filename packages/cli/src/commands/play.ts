import { placeOf } from '@quorumlab/harness/link';
import type { Command } from 'commander';
import { usageError } from '../errors.ts';
import { readText } from '../files.ts';
import { wholeNumber } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, terminal } from '../io.ts';
import { hashOf } from '../link.ts';
import { openInBrowser, playgroundPage, serve } from '../page.ts';
import { stoppable } from '../stop.ts';

interface PlayFlags {
  readonly port?: string;
  readonly open?: boolean;
  readonly trace?: string;
}

/** `quorumlab play`: the playground, from this machine to this machine. */
export function addPlay(program: Command): void {
  withExamples(
    program.command('play [link]'),
    'quorumlab play --open',
    "quorumlab play '#/play?p=raft,pbft&attack=equivocating-leader&seed=7'",
    'quorumlab play --trace raft.trace.ndjson',
  )
    .description('serve the playground on this machine, at one of its links if you name it')
    .option('--port <port>', 'where it listens, on 127.0.0.1 alone (default: any free port)')
    .option('--open', 'open it in the browser of this desktop')
    .option('--trace <file>', 'show this trace, a file or - for stdin (default: none)')
    .action(async (link: string | undefined, flags: PlayFlags, command: Command) => {
      const io = terminal(command.optsWithGlobals<GlobalFlags>());
      if (link !== undefined && flags.trace !== undefined)
        throw usageError('QL100', 'a link and --trace are two places; leave out one of them.');
      const hash = link === undefined ? '' : hashOf(link);
      const [complaint] = placeOf(hash).complaints;
      if (complaint !== undefined) throw usageError('QL101', complaint);
      const port = flags.port === undefined ? 0 : wholeNumber('--port', flags.port, 0, 65_535);
      const trace = flags.trace === undefined ? undefined : readText(flags.trace);
      await using served = await serve(await playgroundPage(), port, trace);
      const address = `${served.address}${trace === undefined ? hash : '#/trace'}`;
      if (io.json) io.out(JSON.stringify({ schema: 'quorumlab.play/1', address }));
      else io.out(`the playground is at ${address} until you press Ctrl-C`);
      if (flags.open) openInBrowser(address);
      await stoppable(
        (signal) =>
          new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => resolve(), { once: true }),
          ),
      );
    });
}
