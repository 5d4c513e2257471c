/** `quorumlab quiz`: statements that are true or false, each settled by runs. */
import { engine } from '@quorumlab/harness';
import { type QuizItem, quiz, quizItemOf, type Settled, settle, words } from '@quorumlab/lessons';
import type { Command } from 'commander';
import { exitCodes } from '../errors.ts';
import { oneOf } from '../flags.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';

/** The schema of what `--json` prints of the quiz. */
const schema = 'quorumlab.quiz/1';

/** `quorumlab quiz [number]`. */
export function addQuiz(program: Command): void {
  withExamples(program.command('quiz [number]'), 'quorumlab quiz', 'quorumlab quiz 3 --answer true')
    .description('statements that are true or false: a number shows which, by running')
    .option('--answer <answer>', 'true or false: exit 0 only if the runs say so (default: none)')
    .action(
      (number: string | undefined, { answer }: { readonly answer?: string }, command: Command) => {
        const io = terminal(command.optsWithGlobals<GlobalFlags>());
        if (answer !== undefined) oneOf('--answer', answer, ['true', 'false']);
        if (number === undefined) sayQuiz(io);
        else process.exitCode = saySettled(io, settle(quizItemOf(number)), answer);
      },
    );
}

function sayQuiz(io: Io): void {
  const rows = quiz.map(({ number, name, statement }) => ({ number, name, statement }));
  if (io.json) return io.out(JSON.stringify({ schema, engine, statements: rows }));
  io.out(io.paint('strong', words.quiz));
  for (const { number, statement } of rows) io.out(`${String(number).padStart(3)}  ${statement}`);
  io.out('');
  io.out(`${words.quizInvitation} Show me:  quorumlab quiz 1`);
}

/** Says what runs say to a statement. Returns the exit code. */
function saySettled(io: Io, { item, holds, trials }: Settled, answer?: string): number {
  const right = answer === undefined ? undefined : answer === String(holds);
  const exit = right === false ? exitCodes.unexpected : exitCodes.expected;
  if (io.json) {
    const shown = trials.map(({ passed, must, reason, outcome: { word, digest, command } }) => ({
      ...{ passed, must, reason, word, digest, command },
    }));
    io.out(JSON.stringify({ schema, engine, ...told(item), holds, right, trials: shown, exit }));
    return exit;
  }
  io.out(item.statement);
  if (right !== undefined) {
    const sign = io.paint(right ? 'good' : 'bad', io.sign(right ? 'ok' : 'fail'));
    io.out(`${sign} ${right ? words.rightAnswer : words.wrongAnswer}`);
  }
  io.out(io.paint('strong', holds ? words.isTrue : words.isFalse));
  for (const { reason, outcome } of trials) {
    io.out(`  ${reason}`);
    io.out(`    again  ${outcome.command}`);
  }
  return exit;
}

const told = ({ number, name, statement }: QuizItem) => ({ number, name, statement });
