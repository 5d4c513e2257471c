import type { RunExperiment } from '../experiment.ts';
import { type Lesson, right, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

const chained = (n: number): RunExperiment => ({
  scenario: { protocol: 'hotstuff', n, options: { rules: 'chained' }, count: 4 },
});

const pbft = (n: number): RunExperiment => ({ scenario: { protocol: 'pbft', n, count: 4 } });

/** HotStuff: certificates in a chain. */
export const lesson: Lesson = {
  number: 13,
  text,
  main: chained(4),
  shows: 'ok',
  decisive: { kind: 'commit' },
  breaks: wrong('hotstuff', 'two-phase-livelock'),
  into: 'stalled',
  more: { small: pbft(4), hotstuff: chained(16), pbft: pbft(16) },
  answer: ({ hotstuff, pbft: other }) => {
    const sent = Number(hotstuff?.facts.perCommit);
    const others = Number(other?.facts.perCommit);
    return sent < others ? 'hotstuff' : sent > others ? 'pbft' : 'same';
  },
  exercise: {
    older: [survives(wrong('hotstuff', 'two-chain-old-lock'))],
    hasty: [survives(wrong('hotstuff', 'two-phase-livelock'))],
    waiting: [
      survives(right('hotstuff', 'two-chain-old-lock')),
      survives(right('hotstuff', 'two-phase-livelock')),
    ],
  },
};
