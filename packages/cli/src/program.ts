import { engine } from '@quorumlab/harness';
import { Command } from 'commander';
import { addAttack } from './commands/attack.ts';
import { addCluster } from './commands/cluster.ts';
import { addCompare } from './commands/compare.ts';
import { addCompletion } from './commands/completion.ts';
import { addDemo } from './commands/demo.ts';
import { addExplain } from './commands/explain.ts';
import { addKeys } from './commands/keys.ts';
import { addList } from './commands/list.ts';
import { addNode } from './commands/node.ts';
import { addQuorums } from './commands/quorums.ts';
import { addReplay } from './commands/replay.ts';
import { addRun } from './commands/run.ts';
import { addShrink } from './commands/shrink.ts';
import { explainError } from './errors.ts';

/** The command tree. Nothing runs before it is asked to parse. */
export function makeProgram(): Command {
  const program = new Command('quorumlab')
    .description('See, test and use consensus under the threat model you really have.')
    .version(`${engine} · Node ${process.versions.node}`)
    .option('--json', 'one JSON document on stdout and nothing else')
    .option('-q, --quiet', 'no notes and no progress')
    .option('--ascii', 'OK and FAIL instead of signs')
    .option('--color <when>', 'auto, always or never')
    .option('--progress <how>', 'auto, bar, lines or off')
    .showSuggestionAfterError()
    .addHelpText('after', '\nStart with:  quorumlab demo')
    .exitOverride();
  for (const add of [
    addDemo,
    addRun,
    addAttack,
    addCompare,
    addQuorums,
    addShrink,
    addReplay,
    addExplain,
    addList,
    addKeys,
    addNode,
    addCluster,
    addCompletion,
  ])
    add(program);
  for (const command of everyCommand(program))
    command.exitOverride().configureOutput({
      // commander says "error: …"; ours name a code, so that scripts and docs can.
      outputError: (text, write) => write(text.replace(/^error: /, 'error QL100: ')),
    });
  return program;
}

function* everyCommand(command: Command): Generator<Command> {
  yield command;
  for (const each of command.commands) yield* everyCommand(each);
}

/** Runs one command line; sets `process.exitCode` and never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await makeProgram().parseAsync(argv.length > 2 ? argv : [...argv, 'demo']);
  } catch (error) {
    const { code, text } = explainError(error);
    if (text !== '') process.stderr.write(`${text}\n`);
    process.exitCode = code;
  }
}
