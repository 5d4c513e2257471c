import { type Lesson, right, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** Basic Paxos: one value. */
export const lesson: Lesson = {
  number: 1,
  text,
  main: { scenario: { protocol: 'basic-paxos', count: 2 } },
  shows: 'ok',
  decisive: { kind: 'commit' },
  breaks: wrong('basic-paxos', 'highest-value'),
  into: 'forked',
  answer: ({ broken, mended }) =>
    broken.word === 'forked' && mended.word === 'ok' ? 'reported' : 'largest',
  exercise: {
    nothing: [survives(wrong('basic-paxos', 'amnesia'))],
    votes: [survives(wrong('basic-paxos', 'ballot-reuse'))],
    everything: [
      survives(right('basic-paxos', 'amnesia')),
      survives(right('basic-paxos', 'ballot-reuse')),
    ],
  },
};
