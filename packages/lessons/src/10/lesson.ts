import type { RunExperiment } from '../experiment.ts';
import { type Lesson, survives, type Trial } from '../lesson.ts';
import { text } from './text.ts';

/** PBFT with quorums that are set by hand, and a node that is two, or silent. */
const set = (n: number, quorum: number, attack: string): RunExperiment => ({
  scenario: { protocol: 'pbft', n, f: 1, quorum, unsafe: true, attack, count: 4 },
});

const both = (quorum: number): readonly Trial[] => [
  survives(set(4, quorum, 'double-voter')),
  survives(set(4, quorum, 'silent-follower')),
];

/** Signatures are not enough. */
export const lesson: Lesson = {
  number: 10,
  text,
  main: {
    scenario: {
      ...{ protocol: 'raft', attack: 'equivocating-leader', count: 2 },
      crypto: 'ed25519',
    },
  },
  shows: 'forked',
  decisive: { kind: 'commit', slot: 1 },
  breaks: set(3, 2, 'double-voter'),
  into: 'forked',
  more: { two: set(3, 2, 'double-voter'), three: set(3, 3, 'silent-follower') },
  answer: ({ main }) => (main.word === 'forked' ? 'no' : 'yes'),
  exercise: { 1: both(1), 2: both(2), 3: both(3), 4: both(4) },
};
