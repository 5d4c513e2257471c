import type { RunExperiment } from '../experiment.ts';
import { fails, type Lesson, survives } from '../lesson.ts';
import { text } from './text.ts';

/** A leader that tells two stories. */
const lied = (protocol: string, n?: number): RunExperiment => ({
  scenario: {
    ...{ protocol, attack: 'equivocating-leader', count: 2 },
    ...(n === undefined ? {} : { n }),
  },
});

/** One traitor. */
export const lesson: Lesson = {
  number: 9,
  text,
  main: lied('raft'),
  shows: 'forked',
  decisive: { kind: 'commit', slot: 1 },
  breaks: lied('raft'),
  into: 'forked',
  more: {
    paxos: lied('basic-paxos'),
    multi: lied('multi-paxos'),
    zab: lied('zab'),
    epaxos: lied('epaxos'),
  },
  answer: ({ main }) => (main.word === 'forked' ? 'yes' : 'no'),
  exercise: {
    5: [survives(lied('raft', 5))],
    7: [survives(lied('raft', 7))],
    9: [survives(lied('raft', 9))],
    none: [3, 5, 7, 9].map((n) => fails(lied('raft', n))),
  },
};
