import type { RunExperiment } from '../experiment.ts';
import { type Lesson, survives, type Trial } from '../lesson.ts';
import { text } from './text.ts';

/** One liar more than the protocol tolerates. */
const beyond = (protocol: string): RunExperiment => ({
  scenario: { protocol, attack: 'f+1-traitors', count: 2 },
});

/** Two companies that lie together, in three ways. */
const two = (protocol: string, n: number): readonly Trial[] =>
  ['equivocating-leader', 'double-voter', 'lying-acceptor'].map((attack) =>
    survives({ scenario: { protocol, n, attack, by: [0, 1], count: 4 } }),
  );

/** Over the threshold: proof, and choosing. */
export const lesson: Lesson = {
  number: 14,
  text,
  main: beyond('pbft'),
  shows: 'forked',
  decisive: { kind: 'commit', slot: 0 },
  breaks: beyond('pbft'),
  into: 'forked',
  more: { tendermint: beyond('tendermint'), hotstuff: beyond('hotstuff') },
  answer: ({ main }) => {
    const { convicted } = main.facts;
    return convicted === 2 ? 'both' : convicted === 1 ? 'one' : 'none';
  },
  exercise: { raft: two('raft', 7), pbft: two('pbft', 7), small: two('pbft', 4) },
};
