/** The lessons, in their order. */
import { ScenarioError } from '@quorumlab/harness';
import { all } from './all.ts';
import type { Lesson } from './lesson.ts';
import { fill, words } from './words.ts';

/** All of them: first those about crashes, and from the ninth on those about lies. */
export const lessons: readonly Lesson[] = all;

/** The lesson of a number, which may be written `3` or `03`. Throws a ScenarioError (QL101). */
export function lessonOf(number: string | number): Lesson {
  const found = lessons.find((each) => each.number === Number(number));
  if (found !== undefined && /^\d{1,2}$/.test(`${number}`)) return found;
  throw new ScenarioError('QL101', fill(words.noLesson, { number, last: lessons.length }));
}
