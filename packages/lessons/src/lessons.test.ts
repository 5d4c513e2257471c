import { parseTrace } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';
import type { Lesson, LessonText } from './lesson.ts';
import { lessonOf, lessons } from './lessons.ts';
import { answerKey, choiceOf, comesOut, indexOf, letterOf, mark, playLesson } from './play.ts';
import { quiz, quizItemOf, settle } from './quiz.ts';
import { sheetOf } from './sheet.ts';
import { fill, words } from './words.ts';

test('there are fourteen, each found by its number', () => {
  expect(lessons.map(({ number }) => number)).toEqual([...Array(14).keys()].map((i) => i + 1));
  expect(lessonOf('07').number).toBe(7);
  for (const wrong of ['0', '15', 'x', '', '1e0', '-1', '1.5'])
    expect(() => lessonOf(wrong), wrong).toThrow(/There is no lesson/);
});

describe.each(lessons.map((lesson) => [lesson.number, lesson] as const))(
  'lesson %i',
  (_, lesson) => {
    test('comes out as it says, and can fail', () => {
      const run = playLesson(lesson);
      const { main, broken, mended: without } = run.shown;
      expect([main.word, broken.word]).toEqual([lesson.shows, lesson.into]);
      // Without its mutant or attack, the lesson would not show what it shows.
      expect(without.word).not.toBe(lesson.into);
      expect(run.asExpected).toBe(true);
      expect(comesOut(lesson, { ...run.shown, broken: without })).toBe(false);
      // It pauses at an event of its trace, behind the first one.
      const trace = parseTrace(main.trace ?? '');
      expect(run.decisive).toBeGreaterThan(0);
      expect(trace.events[run.decisive]?.k).toBe(lesson.decisive.kind);
      expect(trace.footer?.digest).toBe(main.digest);
      expect(indexOf({ events: [] }, lesson.decisive)).toBe(-1);
      // The answer of the runs is one that can be given.
      expect(Object.keys(lesson.text.question.choices)).toContain(run.answer);
      for (const each of [...run.explanation, ...run.breaking]) expect(each).not.toMatch(/[{}]/);
    });

    test('tells the right answer to its exercise from the wrong ones, by running them', () => {
      const key = answerKey(lesson);
      expect(Object.keys(lesson.exercise).sort()).toEqual(key.map(({ answer }) => answer).sort());
      expect(key.filter((each) => each.right)).toHaveLength(1);
      for (const { right, trials } of key) {
        expect(trials.length).toBeGreaterThan(0);
        expect(trials.every(({ passed }) => passed)).toBe(right);
        for (const { reason } of trials) expect(reason).toMatch(/ended/);
      }
    });

    test('writes no number of a run by hand', () => expect(numbersIn(lesson.text)).toEqual([]));
  },
);

/** Digits in what is said of runs, outside of braces; `n > 3f` is arithmetic and no run. */
const numbersIn = ({ explanation, breaking }: LessonText): readonly string[] =>
  [...explanation, ...breaking].flatMap((each) =>
    [...each.replace(/\{[\w.]+\}|\b\d[nfq]\b|\bq\d\b/g, '').matchAll(/.{0,20}\d.{0,20}/g)].map(
      ([at]) => at,
    ),
  );

test('a number that was written by hand would be found', () => {
  const { text } = lessonOf(1);
  expect(numbersIn({ ...text, explanation: ['It took 3 of {main.n}.'] })).toHaveLength(1);
});

test('a text that speaks of what no run has shown is a mistake that is found', () => {
  const lesson = lessonOf(1);
  const text = { ...lesson.text, explanation: ['It was {main.nothing}.'] };
  expect(() => playLesson({ ...lesson, text })).toThrow('nothing is known of {main.nothing}');
  expect(fill('{a} and {b.c}', { a: 1, 'b.c': 'two' })).toBe('1 and two');
});

test('an answer is a choice or its letter; anything else is named, with what there is', () => {
  const { exercise } = lessonOf(1).text;
  const all = Object.keys(exercise.choices);
  for (const [i, each] of all.entries()) {
    expect(choiceOf(exercise, ` ${each.toUpperCase()} `)).toBe(each);
    expect(choiceOf(exercise, letterOf(i))).toBe(each);
  }
  for (const wrong of ['', 'z', 'nothings', '__proto__', 'constructor'])
    expect(() => choiceOf(exercise, wrong), wrong).toThrow(
      /is none of the answers: nothing, votes, everything/,
    );
  expect(() => mark(lessonOf(1), 'maybe')).toThrow(/nothing, votes, everything/);
});

/** Every word that people read of a lesson. */
const saidIn = ({ text }: Lesson): readonly string[] => [
  ...[text.title, text.idea, ...text.text, ...text.explanation, ...text.breaking],
  ...[text.question, text.exercise].flatMap(({ ask, choices }) => [ask, ...Object.values(choices)]),
];

test('sentences are short: nobody reads them as a second language for pleasure', () => {
  for (const lesson of lessons)
    for (const said of saidIn(lesson))
      for (const sentence of said.split(/[.?!:](?: |$)/))
        expect(sentence.split(' ').length, sentence).toBeLessThanOrEqual(38);
});

test('a sheet asks and keeps what runs say for its key, and loads nothing', () => {
  const lesson = lessonOf(10);
  const html = sheetOf([lesson]);
  const at = html.indexOf('Answer key');
  const [asks, key] = [html.slice(0, at), html.slice(at)];
  for (const each of Object.values(lesson.text.exercise.choices)) expect(asks).toContain(each);
  for (const word of [words.rightAnswer, words.wrongAnswer, 'forked', 'stalled']) {
    expect(asks).not.toContain(word);
    expect(key).toContain(word);
  }
  expect(key.split(words.rightAnswer)).toHaveLength(2);
  expect(key).toContain('2q - n &gt; f');
  expect(html).not.toMatch(/<script|<link|src=|url\(|\{[a-z]/);
});

test('every statement of the quiz is settled, some as true and some as false', () => {
  const all = quiz.map(settle);
  const holding = all.filter(({ holds }) => holds).map(({ item }) => item.name);
  expect(holding).toEqual(['silent', 'quorum-of-four', 'small-quorum', 'beyond']);
  // Who says that nothing goes wrong has looked more than once, and an attack has acted.
  for (const { holds, trials } of all)
    if (holds && trials[0]?.must.includes('ok')) expect(trials.length).toBeGreaterThan(4);
  for (const { trials } of all)
    for (const { outcome } of trials)
      if (outcome.liars.length > 0 && 'fired' in outcome.facts)
        expect(outcome.facts.fired).toBeGreaterThan(0);
  expect(quizItemOf('3')).toBe(quizItemOf('silent'));
  expect(() => quizItemOf('13')).toThrow('There is no statement "13"; there are 1 to 12.');
});
