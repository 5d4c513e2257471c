/** Lessons on paper: a sheet for each, and an answer key that is made by running everything. */
import { engine, verdictSigns } from '@quorumlab/harness';
import type { Outcome } from './experiment.ts';
import type { Lesson, Question } from './lesson.ts';
import { answerKey, letterOf, type Marked, playLesson } from './play.ts';
import { fill, words } from './words.ts';

const style = `
body { margin: 0 auto; max-width: 46rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 22px; } h2 { font-size: 17px; margin: 1.2em 0 0.2em; }
ol.answers { list-style: lower-alpha; } .box { display: inline-block; width: 1em; height: 1em;
border: 1.5px solid; margin-right: 0.5em; vertical-align: -0.15em; }
code { overflow-wrap: anywhere; } footer { font-size: 12px; }
section.page { break-before: page; } section.page:first-of-type { break-before: auto; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } }`;

/**
 * A page of HTML with a sheet for each lesson, and behind all of them the answer key: everything in
 * it comes from runs that were made now. It loads nothing.
 */
export function sheetOf(lessons: readonly Lesson[]): string {
  const title = lessons.length === 1 ? titleOf(lessons[0] as Lesson) : words.lessons;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    '<main>',
    ...lessons.map(sheet),
    ...lessons.map(key),
    '</main>',
    `<footer><p>${escaped(engine)}</p></footer>`,
    '</html>',
  ].join('\n');
}

const titleOf = ({ number, text }: Lesson): string =>
  fill(words.lesson, { number, title: text.title });

function sheet(lesson: Lesson): string {
  const { idea, text, question, exercise } = lesson.text;
  return page(titleOf(lesson), [
    paragraph(`<strong>${escaped(idea)}</strong>`),
    ...text.map((each) => paragraph(escaped(each))),
    ...asked(words.question, question),
    ...asked(words.exercise, exercise),
  ]);
}

const asked = (title: string, { ask, choices }: Question): readonly string[] => [
  `<h2>${escaped(title)}</h2>`,
  paragraph(escaped(ask)),
  '<ol class="answers">',
  ...Object.values(choices).map((each) => `<li><span class="box"></span>${escaped(each)}</li>`),
  '</ol>',
];

/** What the runs say to the question and to every answer of the exercise. */
function key(lesson: Lesson): string {
  const { answer, explanation, breaking, shown } = playLesson(lesson);
  const { question, exercise } = lesson.text;
  return page(fill(words.key, { title: titleOf(lesson) }), [
    paragraph(escaped(fill(words.answer, { choice: lettered(question, answer) }))),
    ...[...explanation, ...breaking].map((each) => paragraph(escaped(each))),
    came(words.broken, shown.broken),
    came(words.mended, shown.mended),
    `<h2>${escaped(words.exercise)}</h2>`,
    ...answerKey(lesson).flatMap((marked) => markedAs(exercise, marked)),
  ]);
}

const lettered = ({ choices }: Question, answer: string): string =>
  `(${letterOf(Object.keys(choices).indexOf(answer))}) ${choices[answer] ?? answer}`;

const came = (title: string, { word, sentence, command, digest }: Outcome): string =>
  paragraph(
    `${escaped(title)} ${verdictSigns[word]} ${word}: ${escaped(sentence)}<br>` +
      `<code>${escaped(command)}</code><br><small>${words.digest} ${digest}</small>`,
  );

const markedAs = (question: Question, { answer, right, trials }: Marked): readonly string[] => [
  paragraph(
    `${right ? '✓' : '✗'} ${escaped(lettered(question, answer))} ` +
      `<strong>${right ? words.rightAnswer : words.wrongAnswer}</strong>`,
  ),
  '<ul>',
  ...trials.map(({ reason }) => `<li>${escaped(reason)}</li>`),
  '</ul>',
];

const page = (title: string, parts: readonly string[]): string =>
  ['<section class="page">', `<h1>${escaped(title)}</h1>`, ...parts, '</section>'].join('\n');

const paragraph = (html: string): string => `<p>${html}</p>`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
