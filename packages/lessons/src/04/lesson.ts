import { type Lesson, right, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** Raft: replicated is not committed. */
export const lesson: Lesson = {
  number: 4,
  text,
  main: { scenario: { protocol: 'raft', n: 5, attack: 'crash-leader', network: 'wan' } },
  shows: 'ok',
  decisive: { kind: 'crash' },
  breaks: wrong('raft', 'figure-8'),
  into: 'forked',
  answer: ({ broken, mended }) =>
    broken.word === 'forked' && mended.word === 'ok' ? 'old' : 'never',
  exercise: {
    prevote: [survives(right('raft', 'no-prevote')), survives(wrong('raft', 'no-checkquorum'))],
    checkquorum: [survives(wrong('raft', 'no-prevote')), survives(right('raft', 'no-checkquorum'))],
    both: [survives(right('raft', 'no-prevote')), survives(right('raft', 'no-checkquorum'))],
  },
};
