import type { ScenarioFault } from '@quorumlab/harness';
import { type Lesson, right, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** The node that leads then is alone for a time. */
const alone = (leader: number): readonly ScenarioFault[] => [
  {
    ...{ type: 'split', at: 1_000_000 },
    groups: [[leader], [0, 1, 2].filter((id) => id !== leader)],
  },
  { type: 'heal', at: 2_500_000 },
];

/** Reads: who leads now? */
export const lesson: Lesson = {
  number: 6,
  text,
  main: {
    scenario: {
      ...{ protocol: 'raft', workload: 'a', count: 40, clients: 4 },
      ...{ network: 'wan', faults: alone(2) },
    },
  },
  shows: 'ok',
  decisive: { kind: 'split' },
  breaks: wrong('raft', 'stale-leader-read'),
  into: 'stale-read',
  answer: ({ broken, mended }) =>
    broken.word === 'stale-read' && mended.word === 'ok' ? 'refuse' : 'answer',
  exercise: {
    now: [survives(wrong('raft', 'readindex-without-noop'))],
    alone: [survives(wrong('raft', 'stale-leader-read'))],
    entry: [
      survives(right('raft', 'readindex-without-noop')),
      survives(right('raft', 'stale-leader-read')),
    ],
  },
};
