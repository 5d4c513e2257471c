import type { RunExperiment } from '../experiment.ts';
import { fails, type Lesson, survives, type Trial, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** So many replicas, of which the last two crash at the start. */
const withTwoDown = (n: number): RunExperiment => ({
  scenario: {
    ...{ protocol: 'multi-paxos', n, f: 2, count: 4, seed: '1' },
    ...(n < 5 ? { unsafe: true } : {}),
    faults: [n - 2, n - 1].map((node) => ({ type: 'crash', at: 1000, node })),
  },
});

/** That so many are enough, and fewer are not. */
const least = (n: number): readonly Trial[] => [
  survives(withTwoDown(n)),
  fails(withTwoDown(n - 1)),
];

/** Multi-Paxos: a log and a leader. */
export const lesson: Lesson = {
  number: 2,
  text,
  main: { scenario: { protocol: 'multi-paxos', attack: 'crash-leader' } },
  shows: 'ok',
  decisive: { kind: 'crash' },
  breaks: wrong('multi-paxos', 'gap-noop'),
  into: 'forked',
  answer: ({ broken, mended }) =>
    broken.word === 'forked' && mended.word === 'ok' ? 'noop' : 'hole',
  exercise: { 3: least(3), 4: least(4), 5: least(5), 6: least(6), 7: least(7) },
};
