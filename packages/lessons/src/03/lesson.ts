import type { RunExperiment } from '../experiment.ts';
import { type Lesson, right, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** Five members with these quorums, of which two crash at the start. */
const withTwoDown = (q1: number, q2: number): RunExperiment => ({
  scenario: {
    ...{ protocol: 'flexible-paxos', n: 5, f: 5 - Math.max(q1, q2), options: { q1, q2 } },
    count: 4,
    faults: [3, 4].map((node) => ({ type: 'crash', at: 1000, node })),
  },
});

const schedule = 'disjoint-quorums';

/** Flexible Paxos: quorums only need to meet. */
export const lesson: Lesson = {
  number: 3,
  text,
  main: withTwoDown(4, 2),
  shows: 'stalled',
  decisive: { kind: 'violation' },
  breaks: wrong('flexible-paxos', schedule),
  into: 'forked',
  more: { majorities: withTwoDown(3, 3) },
  answer: ({ main }) => (main.word === 'ok' ? 'yes' : 'no'),
  exercise: {
    '4+2': [survives(withTwoDown(4, 2))],
    '2+4': [survives(withTwoDown(2, 4))],
    '3+3': [survives(withTwoDown(3, 3)), survives(right('flexible-paxos', schedule))],
    // These add up to five: what the mutant takes, and its schedule is against.
    '2+3': [survives(wrong('flexible-paxos', schedule))],
  },
};
