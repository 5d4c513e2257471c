import { type Lesson, right, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** EPaxos: no leader. */
export const lesson: Lesson = {
  number: 8,
  text,
  main: { scenario: { protocol: 'epaxos', n: 5, count: 6 } },
  shows: 'ok',
  decisive: { kind: 'commit' },
  breaks: wrong('epaxos', 'execute-early'),
  into: 'forked',
  more: { apart: { scenario: { protocol: 'epaxos', n: 5, count: 6, workload: 'writes' } } },
  answer: ({ broken, mended }) =>
    broken.word === 'forked' && mended.word === 'ok' ? 'execute' : 'nothing',
  exercise: {
    commit: [survives(wrong('epaxos', 'no-validation'))],
    ask: [
      survives(right('epaxos', 'no-validation')),
      survives(right('epaxos', 'ballot-overwrite')),
    ],
    overwrite: [survives(wrong('epaxos', 'ballot-overwrite'))],
  },
};
