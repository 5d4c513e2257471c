import type { RunExperiment } from '../experiment.ts';
import { fails, type Lesson, survives, type Trial, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** Two traitors among n, with quorums that two silent members cannot block. */
const twoTraitors = (n: number): RunExperiment => ({
  scenario: {
    ...{ protocol: 'pbft', n, f: 2, attack: 'double-voter', by: [0, 1], count: 4 },
    ...(n < 7 ? { quorum: n - 2, unsafe: true } : {}),
  },
});

/** That so many are enough, and fewer are not. */
const least = (n: number): readonly Trial[] => [
  survives(twoTraitors(n)),
  fails(twoTraitors(n - 1)),
];

/** PBFT: why a second round of votes. */
export const lesson: Lesson = {
  number: 11,
  text,
  main: { scenario: { protocol: 'pbft', attack: 'equivocating-leader', count: 2 } },
  shows: 'ok',
  decisive: { kind: 'commit' },
  breaks: wrong('pbft', 'skip-commit-phase'),
  into: 'forked',
  answer: ({ main }) => (main.word === 'ok' ? 'view' : main.word === 'stalled' ? 'stall' : 'fork'),
  exercise: { 5: least(5), 6: least(6), 7: least(7), 8: least(8) },
};
