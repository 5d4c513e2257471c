/** The lessons, in their order. */
import { ScenarioError } from '@quorumlab/harness';
import { lesson as one } from './01/lesson.ts';
import { lesson as two } from './02/lesson.ts';
import { lesson as three } from './03/lesson.ts';
import { lesson as four } from './04/lesson.ts';
import { lesson as five } from './05/lesson.ts';
import { lesson as six } from './06/lesson.ts';
import { lesson as seven } from './07/lesson.ts';
import { lesson as eight } from './08/lesson.ts';
import { lesson as nine } from './09/lesson.ts';
import { lesson as ten } from './10/lesson.ts';
import { lesson as eleven } from './11/lesson.ts';
import { lesson as twelve } from './12/lesson.ts';
import { lesson as thirteen } from './13/lesson.ts';
import { lesson as fourteen } from './14/lesson.ts';
import type { Lesson } from './lesson.ts';
import { fill, words } from './words.ts';

/** All of them: first those about crashes, and from the ninth on those about lies. */
export const lessons: readonly Lesson[] = [
  ...[one, two, three, four, five, six, seven, eight],
  ...[nine, ten, eleven, twelve, thirteen, fourteen],
];

/** The lesson of a number, which may be written `3` or `03`. Throws a ScenarioError (QL101). */
export function lessonOf(number: string | number): Lesson {
  const found = lessons.find((each) => each.number === Number(number));
  if (found !== undefined && /^\d{1,2}$/.test(`${number}`)) return found;
  throw new ScenarioError('QL101', fill(words.noLesson, { number, last: lessons.length }));
}
