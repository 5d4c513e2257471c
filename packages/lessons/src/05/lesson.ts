import { type Lesson, right, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** Zab: order and epochs. */
export const lesson: Lesson = {
  number: 5,
  text,
  main: { scenario: { protocol: 'zab', attack: 'crash-leader', network: 'wan' } },
  shows: 'ok',
  decisive: { kind: 'crash' },
  breaks: wrong('zab', 'fifo-assumed'),
  into: 'forked',
  answer: ({ broken, mended }) =>
    broken.word === 'forked' && mended.word === 'ok' ? 'no' : 'lost',
  exercise: {
    longest: [survives(wrong('zab', 'longest-history'))],
    last: [survives(wrong('zab', 'zxid-alone'))],
    epoch: [survives(right('zab', 'longest-history')), survives(right('zab', 'zxid-alone'))],
  },
};
