/** Every lesson. A page that is one file keeps this module apart from its first script. */
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

/** All of them: first those about crashes, and from the ninth on those about lies. */
export const all: readonly Lesson[] = [
  ...[one, two, three, four, five, six, seven, eight],
  ...[nine, ten, eleven, twelve, thirteen, fourteen],
];
