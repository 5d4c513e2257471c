/** How lessons look in a terminal: what is asked, what was run, and what that shows. */
import { columns, type StoryLine } from '@quorumlab/harness';
import {
  fill,
  type Lesson,
  type LessonRun,
  letterOf,
  type Marked,
  type Outcome,
  type Question,
  words,
} from '@quorumlab/lessons';
import type { Io } from './io.ts';
import { plainStory, verdictWord } from './words.ts';

/** Lines of a picture at most. */
const mostLines = 12;

/** The title, the idea and the text. */
export function sayIntroduction(io: Io, { number, text }: Lesson): void {
  io.out(io.paint('strong', fill(words.lesson, { number, title: text.title })));
  io.out('');
  io.out(fill(words.idea, { idea: text.idea }));
  for (const each of text.text) {
    io.out('');
    io.out(each);
  }
}

/** A question with a letter before each answer. */
export function sayQuestion(io: Io, title: string, { ask, choices }: Question): void {
  io.out('');
  io.out(io.paint('strong', title));
  io.out(ask);
  for (const [i, [name, meaning]] of Object.entries(choices).entries())
    io.out(`  ${letterOf(i)}  ${name.padEnd(widthOf(choices))}  ${meaning}`);
}

const widthOf = (choices: Question['choices']): number =>
  Math.max(...Object.keys(choices).map(({ length }) => length));

/** The run up to the moment before the one that decides. */
export function sayPause(io: Io, { shown, decisiveAt }: LessonRun): void {
  io.out('');
  io.out(shown.main.command);
  const before = shown.main.lines.filter(({ at }) => at < decisiveAt);
  for (const line of picture(io, shown.main, before.slice(-mostLines))) io.out(`  ${line}`);
  io.out(words.paused);
}

/** What became of it, why, and how to break it. */
export function sayExplanation(io: Io, lesson: Lesson, run: LessonRun, typed?: string): void {
  const { main, broken, mended } = run.shown;
  const { choices } = lesson.text.question;
  const said = (text: string, choice: string): string =>
    fill(text, { choice: choices[choice] ?? choice });
  io.out('');
  if (typed === undefined) io.out(said(words.answer, run.answer));
  else {
    io.out(said(words.yours, typed));
    io.out(typed === run.answer ? words.foretold : said(words.otherwise, run.answer));
  }
  io.out('');
  io.out(io.paint('strong', words.happened));
  const after = main.lines.filter(({ at }) => at >= run.decisiveAt);
  for (const line of picture(io, main, after)) io.out(`  ${line}`);
  io.out(`  ${verdictWord(io, main.word)}   ${main.sentence}`);
  for (const each of main.story) io.out(`  ${each}`);
  io.out('');
  io.out(io.paint('strong', words.explanation));
  for (const each of run.explanation) io.out(each);
  io.out('');
  io.out(io.paint('strong', words.breaking));
  for (const each of run.breaking) io.out(each);
  for (const [text, { word, sentence }] of [
    [words.withBreak, broken],
    [words.withoutBreak, mended],
  ] as const)
    io.out(`  ${fill(text, { word: verdictWord(io, word), sentence })}`);
  io.out(`  again:      ${broken.command}`);
}

/** Whether an answer is right, and what its runs came to. */
export function sayMarked(io: Io, { right, trials }: Marked): void {
  const sign = io.paint(right ? 'good' : 'bad', io.sign(right ? 'ok' : 'fail'));
  io.out('');
  io.out(`${sign} ${right ? words.rightAnswer : words.wrongAnswer}`);
  for (const { reason, outcome } of trials) {
    io.out(`  ${reason}`);
    io.out(`    again  ${outcome.command}`);
  }
}

function picture(
  io: Io,
  { n, liars, seats }: Outcome,
  lines: readonly StoryLine[],
): readonly string[] {
  return columns(plainStory(io, lines), {
    n,
    ...(seats && { names: seats }),
    traitors: liars,
    traitorSign: io.sign('traitor'),
    more: io.plain('…'),
    width: 26,
    most: mostLines,
    room: io.columns - 2,
  });
}
