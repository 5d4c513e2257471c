/** The lessons: a list of them, and one that asks, shows, breaks and marks. */
import {
  fill,
  type Lesson,
  lessonOf,
  lessons,
  type Marked,
  type Question,
  words,
} from '@quorumlab/lessons';
import { h, type JSX, type TargetedEvent } from 'preact';
import type { Learning } from './learning.ts';
import type { Came, Lecture } from './lecture.ts';
import { Player } from './player.ts';
import { Quiz } from './quiz.ts';
import type { State } from './state.ts';

interface Props {
  readonly state: State;
}

/** The page `#/learn`, or that of one lesson. */
export function Learn({ state }: Props): JSX.Element {
  const { lesson } = state.place.value;
  if (lesson === 'quiz') return h(Quiz, { state });
  return lesson === undefined
    ? List()
    : h(OneLesson, { state, lesson: lessonOf(lesson), key: lesson });
}

const titleOf = ({ number, text }: Lesson): string =>
  fill(words.lesson, { number, title: text.title });

const addressOf = (number: number): string => `#/learn/${number}`;

const List = (): JSX.Element =>
  h(
    'main',
    null,
    h('h1', null, words.lessons),
    h('p', { class: 'lead' }, words.invitation),
    h(
      'ol',
      { class: 'lessons' },
      lessons.map(({ number, text }) =>
        h(
          'li',
          { key: number },
          h('a', { href: addressOf(number) }, text.title),
          h('p', { class: 'quiet' }, text.idea),
        ),
      ),
    ),
    h('p', null, h('a', { class: 'button', href: '#/learn/quiz' }, words.quiz)),
  );

function OneLesson({ state, lesson }: Props & { readonly lesson: Lesson }): JSX.Element {
  const { learning, guess, attempt } = state.lessons;
  const now: Learning = learning.value ?? { number: lesson.number };
  const { lecture, guess: guessed } = now;
  const { text, number } = lesson;
  return h(
    'main',
    { class: 'lesson' },
    h('h1', null, titleOf(lesson)),
    h('p', { class: 'lead' }, text.idea),
    h(
      'div',
      { class: 'words' },
      text.text.map((each) => h('p', null, each)),
      h(Ask, {
        question: text.question,
        title: words.question,
        chosen: guessed,
        isReady: lecture !== undefined,
        isOver: guessed !== undefined,
        onChoose: guess,
      }),
      lecture !== undefined &&
        guessed !== undefined && [
          h(Told, { lesson, lecture, guessed }),
          h(Ask, {
            question: text.exercise,
            title: words.exercise,
            chosen: now.tried,
            isReady: true,
            isOver: false,
            onChoose: attempt,
          }),
          h(Mark, { now }),
          h('p', { class: 'quiet' }, lecture.asExpected ? words.asExpected : words.notAsExpected),
        ],
      h(
        'p',
        { class: 'choices' },
        number > 1 && h('a', { class: 'button', href: addressOf(number - 1) }, words.before),
        number < lessons.length &&
          h('a', { class: 'button', href: addressOf(number + 1) }, words.next),
      ),
    ),
    h(Player, { state }),
  );
}

interface AskProps {
  readonly question: Question;
  readonly title: string;
  readonly chosen: string | undefined;
  /** Whether it can be answered yet. */
  readonly isReady: boolean;
  /** Whether it was answered for good: its buttons stay, so that nobody loses the focus. */
  readonly isOver: boolean;
  readonly onChoose: (choice: string) => void;
}

/** A question with a button for each answer. */
const Ask = ({ question, title, chosen, isReady, isOver, onChoose }: AskProps): JSX.Element =>
  h(
    'section',
    { class: 'ask' },
    h('h2', null, title),
    h(
      'fieldset',
      { disabled: !isReady },
      h('legend', null, question.ask),
      Object.entries(question.choices).map(([choice, meaning]) =>
        h(
          'button',
          {
            key: choice,
            type: 'button',
            'aria-pressed': choice === chosen,
            'aria-disabled': isOver,
            onClick: (_: TargetedEvent<HTMLButtonElement>) => onChoose(choice),
          },
          meaning,
        ),
      ),
    ),
  );

/** What the runs say to the question, why, and what breaks it. */
function Told({
  lesson: { text },
  lecture,
  guessed,
}: {
  readonly lesson: Lesson;
  readonly lecture: Lecture;
  readonly guessed: string;
}): JSX.Element {
  const { answer, explanation, breaking, broken, mended } = lecture;
  const choice = text.question.choices[answer] ?? answer;
  const verdict = guessed === answer ? words.foretold : fill(words.otherwise, { choice });
  return h(
    'div',
    null,
    h('p', { role: 'status', class: 'note' }, h('strong', null, verdict)),
    h('h2', null, words.explanation),
    explanation.map((each) => h('p', null, each)),
    h('h2', null, words.breaking),
    breaking.map((each) => h('p', null, each)),
    h(CameOf, { came: broken, title: words.broken }),
    h(CameOf, { came: mended, title: words.mended }),
  );
}

const CameOf = ({ came, title }: { readonly came: Came; readonly title: string }): JSX.Element =>
  h(
    'div',
    null,
    h(
      'p',
      { class: `verdict ${came.word}` },
      `${title} `,
      h('strong', null, came.verdict),
      ` ${came.sentence}`,
    ),
    h(
      'details',
      null,
      h('summary', null, words.happened),
      h(
        'ul',
        null,
        came.story.map((each) => h('li', null, each)),
      ),
      h('p', { class: 'behind' }, h('code', null, came.command)),
    ),
  );

/** Whether an answer to the exercise is right, and what its runs came to. */
function Mark({ now: { tried, marked } }: { readonly now: Learning }): JSX.Element {
  return h('div', { role: 'status' }, tried !== undefined && markOf(marked));
}

function markOf(marked: Marked | undefined): JSX.Element {
  if (marked === undefined) return h('p', null, words.running);
  const { right, trials } = marked;
  return h(
    'div',
    null,
    h(
      'p',
      { class: `verdict ${right ? 'ok' : 'forked'}` },
      h('strong', null, right ? `✓ ${words.rightAnswer}` : `✗ ${words.wrongAnswer}`),
    ),
    h(
      'ul',
      null,
      trials.map(({ reason }) => h('li', null, reason)),
    ),
  );
}
