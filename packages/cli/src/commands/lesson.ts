/** `quorumlab lesson`: lists the lessons, plays one, and marks an answer to its exercise. */
import { createInterface } from 'node:readline/promises';
import { engine, ScenarioError } from '@quorumlab/harness';
import {
  choiceOf,
  fill,
  type Lesson,
  type LessonRun,
  lessonOf,
  lessons,
  type Marked,
  mark,
  type Outcome,
  playLesson,
  type Question,
  sheetOf,
  words,
} from '@quorumlab/lessons';
import type { Command } from 'commander';
import { exitCodes, usageError } from '../errors.ts';
import { writeLines } from '../files.ts';
import { withExamples } from '../help.ts';
import { type GlobalFlags, type Io, terminal } from '../io.ts';
import {
  sayExplanation,
  sayIntroduction,
  sayMarked,
  sayPause,
  sayQuestion,
} from '../lesson-words.ts';

/** The schema of what `--json` prints of lessons. */
const schema = 'quorumlab.lesson/1';

/** Asks its reader something; nothing when the reader has left. */
export type Ask = (prompt: string) => Promise<string | undefined>;

/** `quorumlab lesson [number]`. */
export function addLesson(program: Command): void {
  withExamples(
    program.command('lesson [number]'),
    'quorumlab lesson',
    'quorumlab lesson 1',
    'quorumlab lesson 1 --answer everything',
    'quorumlab lesson 1 --sheet lesson-1.html',
  )
    .description('fourteen lessons: each asks first, then runs the protocols to find out')
    .option('--answer <answer>', 'an answer to the exercise, checked by running it (default: none)')
    .option(
      '--sheet <file>',
      'write a page to print, with an answer key made by running; of all, without a number ' +
        '(default: none)',
    )
    .action(
      async (
        number: string | undefined,
        { answer, sheet }: { readonly answer?: string; readonly sheet?: string },
        command: Command,
      ) => {
        const io = terminal(command.optsWithGlobals<GlobalFlags>());
        if (number === undefined && answer !== undefined)
          throw usageError('QL101', 'say which lesson it answers: quorumlab lesson 1 --answer …');
        if (answer !== undefined && sheet !== undefined)
          throw usageError('QL100', '--answer and --sheet: give one of them.');
        if (sheet !== undefined) writeSheet(io, number, sheet);
        else if (number === undefined) sayList(io);
        else if (answer !== undefined) process.exitCode = answerTo(io, lessonOf(number), answer);
        else if (!io.json && process.stdin.isTTY && process.stdout.isTTY)
          process.exitCode = await withReader(lessonOf(number), io);
        else process.exitCode = sayLesson(io, lessonOf(number));
      },
    );
}

function sayList(io: Io): void {
  const rows = lessons.map(({ number, text: { title, idea } }) => ({ number, title, idea }));
  if (io.json) return io.out(JSON.stringify({ schema, engine, lessons: rows }));
  io.out(io.paint('strong', words.lessons));
  for (const { number, title, idea } of rows) {
    io.out(`${String(number).padStart(3)}  ${io.paint('strong', title)}`);
    io.out(`     ${idea}`);
  }
  io.out('');
  io.out(words.invitation);
  io.out('Begin:  quorumlab lesson 1');
}

/** Writes one lesson, or all of them, as a page to print. */
function writeSheet(io: Io, number: string | undefined, file: string): void {
  const chosen = number === undefined ? lessons : [lessonOf(number)];
  writeLines(file, [sheetOf(chosen)]);
  if (io.json)
    io.out(
      JSON.stringify({ schema, engine, sheet: file, lessons: chosen.map((each) => each.number) }),
    );
  else io.out(`${file} is written: print it, or open it in a browser.`);
}

/** Marks an answer. Returns the exit code. */
function answerTo(io: Io, lesson: Lesson, typed: string): number {
  const marked = mark(lesson, typed);
  const exit = marked.right ? exitCodes.expected : exitCodes.unexpected;
  if (io.json) io.out(JSON.stringify(documentOf(lesson, exit, { marked: plain(marked) })));
  else sayMarked(io, marked);
  return exit;
}

/** Says a whole lesson to somebody who is not asked. Returns the exit code. */
function sayLesson(io: Io, lesson: Lesson): number {
  const run = playLesson(lesson);
  const exit = exitOf(run);
  if (io.json) {
    const { explanation, breaking, answer, decisive, asExpected } = run;
    const shown = Object.fromEntries(
      Object.entries(run.shown).map(([name, each]) => [name, withoutLines(each)]),
    );
    const { text } = lesson;
    io.out(
      JSON.stringify(
        documentOf(lesson, exit, {
          ...{ text: { ...text, explanation, breaking } },
          ...{ answer, decisive, asExpected, shown },
        }),
      ),
    );
    return exit;
  }
  sayIntroduction(io, lesson);
  sayPause(io, run);
  sayQuestion(io, words.question, lesson.text.question);
  sayExplanation(io, lesson, run);
  sayQuestion(io, words.exercise, lesson.text.exercise);
  const [first] = Object.keys(lesson.text.exercise.choices);
  io.out(`${words.run} For example:  quorumlab lesson ${lesson.number} --answer ${first}`);
  sayEnd(io, run);
  return exit;
}

const documentOf = ({ number, text }: Lesson, exit: number, more: object): object => ({
  ...{ schema, engine, number, title: text.title },
  ...more,
  exit,
});

/** A trace and the lines of a story are for pictures. */
const withoutLines = ({ lines: _, trace: __, ...rest }: Outcome): object => rest;

const plain = ({ answer, right, trials }: Marked): object => ({
  ...{ answer, right },
  trials: trials.map(({ outcome, ...rest }) => ({ ...rest, outcome: withoutLines(outcome) })),
});

const exitOf = ({ asExpected }: LessonRun): number =>
  asExpected ? exitCodes.expected : exitCodes.unexpected;

function sayEnd(io: Io, run: LessonRun): void {
  io.out('');
  io.out(run.asExpected ? words.asExpected : words.notAsExpected);
  const next = run.number + 1;
  if (next <= lessons.length) io.out(`Next:  quorumlab lesson ${next}`);
}

/** Plays a lesson with whoever sits at the terminal. Returns the exit code. */
async function withReader(lesson: Lesson, io: Io): Promise<number> {
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  const left = new AbortController();
  reader.once('close', () => left.abort());
  let interrupted = false;
  reader.once('SIGINT', () => {
    interrupted = true;
    reader.close();
  });
  const ask: Ask = async (prompt) => {
    try {
      return await reader.question(prompt, { signal: left.signal });
    } catch (error) {
      if (left.signal.aborted) return undefined;
      throw error;
    }
  };
  const exit = await playWith(lesson, io, ask);
  reader.close();
  return interrupted ? exitCodes.interrupted : exit;
}

/** Plays a lesson with somebody who answers. Returns the exit code. */
export async function playWith(lesson: Lesson, io: Io, ask: Ask): Promise<number> {
  const { text } = lesson;
  const run = playLesson(lesson);
  sayIntroduction(io, lesson);
  sayPause(io, run);
  sayQuestion(io, words.question, text.question);
  const guess = await answerOf(io, text.question, ask);
  if (guess === undefined) return exitCodes.expected;
  sayExplanation(io, lesson, run, guess);
  sayQuestion(io, words.exercise, text.exercise);
  io.out(words.run);
  for (let right = false; !right; ) {
    const typed = await answerOf(io, text.exercise, ask);
    if (typed === undefined) return exitOf(run);
    const marked = mark(lesson, typed);
    sayMarked(io, marked);
    right = marked.right;
  }
  sayEnd(io, run);
  return exitOf(run);
}

/** Asks until there is an answer that can be given; nothing when the reader leaves. */
async function answerOf(io: Io, question: Question, ask: Ask): Promise<string | undefined> {
  for (;;) {
    const typed = await ask(`${io.sign('arrow')} `);
    if (typed === undefined || ['q', 'quit'].includes(typed.trim())) return undefined;
    try {
      return choiceOf(question, typed);
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      io.out(fill('{why} q leaves.', { why: error.message }));
    }
  }
}
