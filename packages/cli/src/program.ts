import { engine, unknownName } from '@quorumlab/harness';
import { Command } from 'commander';
import { addAttack } from './commands/attack.ts';
import { addCheck } from './commands/check.ts';
import { addCluster } from './commands/cluster.ts';
import { addCompare } from './commands/compare.ts';
import { addCompletion } from './commands/completion.ts';
import { addDemo } from './commands/demo.ts';
import { addExplain } from './commands/explain.ts';
import { addKeys } from './commands/keys.ts';
import { addLab } from './commands/lab.ts';
import { addLesson } from './commands/lesson.ts';
import { addList } from './commands/list.ts';
import { addNode } from './commands/node.ts';
import { addPlay } from './commands/play.ts';
import { addQuiz } from './commands/quiz.ts';
import { addQuorums } from './commands/quorums.ts';
import { addReplay } from './commands/replay.ts';
import { addReport } from './commands/report.ts';
import { addRun } from './commands/run.ts';
import { addShards } from './commands/shards.ts';
import { addShrink } from './commands/shrink.ts';
import { addTrace } from './commands/trace.ts';
import { errorDocument, explainError, isHelp, usageError } from './errors.ts';
import { gather, oneOf } from './flags.ts';
import { columnsOf, type GlobalFlags, spoken, terminal } from './io.ts';
import { loadNamed } from './modules.ts';
import { refuseEmptyArguments, strictly } from './strict.ts';
import { wrapped } from './wrap.ts';

/** The command tree. Nothing runs before it is asked to parse. */
export function makeProgram(argv: readonly string[] = []): Command {
  const program = new Command('quorumlab')
    .description('See, test and use consensus under the threat model you really have.')
    .version(`${engine} · Node ${process.versions.node}`)
    .option('--json', 'one JSON document on stdout and nothing else, for errors too')
    .option('-q, --quiet', 'no notes and no progress')
    .option('--ascii', 'only ASCII characters: OK and FAIL instead of signs')
    .option('--color <when>', 'auto, always or never (default: auto; NO_COLOR turns it off)')
    .option('--progress <how>', 'auto, bar, lines or off (default: auto)')
    .option(
      '--with <module>',
      'a file with a protocol, attacks or workloads of your own, e.g. ./mine.ts; repeatable ' +
        '(default: what quorumlab.config.ts names)',
      gather,
    )
    .showSuggestionAfterError()
    .addHelpText('after', '\nStart with:  quorumlab demo')
    .exitOverride();
  for (const add of [
    addDemo,
    addRun,
    addAttack,
    addCompare,
    addQuorums,
    addShards,
    addShrink,
    addReplay,
    addExplain,
    addCheck,
    addLesson,
    addQuiz,
    addLab,
    addPlay,
    addReport,
    addTrace,
    addList,
    addKeys,
    addNode,
    addCluster,
    addCompletion,
  ])
    add(program);
  const flags = globalFlagsIn(argv);
  const width = (): number => columnsOf(process.env, process.stdout) ?? 100;
  const say = (text: string): void =>
    void process.stdout.write(wrapped(spoken(text, flags), width()).join('\n'));
  for (const command of everyCommand(program)) {
    command.exitOverride().configureOutput({
      // What is wrong is said once, below, with its code.
      outputError: () => undefined,
      writeOut: say,
      // Help that nobody asked for by its name: of a command that takes another one behind it.
      writeErr: (text) => void (flags.json || say(text)),
      getOutHelpWidth: width,
      getErrHelpWidth: width,
    });
    strictly(command);
  }
  program.hook('preAction', async (_, command) => {
    const { color, progress } = program.opts<GlobalFlags>();
    if (color !== undefined) oneOf('--color', color, ['auto', 'always', 'never']);
    if (progress !== undefined) oneOf('--progress', progress, ['auto', 'bar', 'lines', 'off']);
    refuseEmptyArguments(command);
    await loadNamed(command);
  });
  return program;
}

function* everyCommand(command: Command): Generator<Command> {
  yield command;
  for (const each of command.commands) yield* everyCommand(each);
}

/** The flags of every command, for what is said before or instead of one. */
function globalFlagsIn(argv: readonly string[]): GlobalFlags {
  const words = argv.slice(2, argv.includes('--') ? argv.indexOf('--') : undefined);
  return { json: words.includes('--json'), ascii: words.includes('--ascii') };
}

/** The command that was asked for: `cluster up` of `cluster up --folder x`. */
function commandIn(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv.slice(2))
    command = command.commands.find((each) => each.name() === word) ?? command;
  return command;
}

const nameOf = (command: Command): string =>
  [...(command.parent === null ? [] : [nameOf(command.parent)]), command.name()].join(' ');

/** `help` of what is no command would else show all of them, as if that had been asked for. */
function requireKnownHelp(program: Command, argv: readonly string[]): void {
  const [first, wanted] = argv.slice(2).filter((word) => !word.startsWith('-'));
  const names = namesOf(program);
  if (first === 'help' && wanted !== undefined && !names.includes(wanted))
    throw unknownName('command', wanted, names);
}

const namesOf = (program: Command): readonly string[] =>
  program.commands.map((each) => each.name()).filter((name) => !name.startsWith('_'));

/** Runs one command line; sets `process.exitCode` and never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  const flags = globalFlagsIn(argv);
  const program = makeProgram(argv);
  try {
    requireKnownHelp(program, argv);
    await program.parseAsync(argv);
  } catch (error) {
    const told =
      isHelp(error) && flags.json
        ? usageError('QL100', `name a command: ${namesOf(program).join(', ')}.`)
        : error;
    const command = commandIn(program, argv);
    const knows = (flag: string, by: Command | null = command): boolean =>
      by !== null &&
      (by.options.some(({ long, short }) => flag === long || flag === short) ||
        knows(flag, by.parent));
    const failure = explainError(told, nameOf(command), (flag) => knows(flag));
    process.exitCode = failure?.exit ?? 0;
    if (failure === undefined) return;
    const io = terminal(flags);
    if (flags.json) io.out(JSON.stringify(errorDocument(failure)));
    io.complain(failure.text);
  }
}
