import type { ShardExperiment } from '../experiment.ts';
import { type Lesson, survives } from '../lesson.ts';
import { text } from './text.ts';

type Parts = ShardExperiment['shards'];

/** Two transactions: the first by a clock that is fast, the second by one that is slow. */
const two: Parts = { protocol: 'raft', count: 2, bound: 20_000, seed: 4 };

/** Several of them, under a few seeds, so that each answer meets clocks of all kinds. */
const several = (more: Parts): readonly ShardExperiment[] =>
  [1, 2, 4, 5].map((seed) => ({ shards: { ...two, count: 6, ...more, seed } }));

/** Commit wait: time that nobody disputes. */
export const lesson: Lesson = {
  number: 7,
  text,
  main: { shards: two },
  shows: 'ok',
  // The inputs are a transaction, a read of what it wrote, and then the other transaction.
  decisive: { kind: 'input', nth: 3 },
  breaks: { shards: { ...two, mutant: 'commit-wait-latest' } },
  into: 'invalid',
  more: {
    wide: { shards: { ...two, bound: 40_000 } },
    many: { shards: { ...two, count: 40, mutant: 'commit-wait-latest' } },
    beyond: { shards: { ...two, count: 4, beyond: 60_000 } },
  },
  answer: ({ main, broken }) =>
    main.facts.late === 0 && Number(broken.facts.late) > 0 ? 'over' : 'smaller',
  exercise: {
    latest: several({ mutant: 'commit-wait-latest' }).map(survives),
    earliest: several({ mutant: 'stamp-earliest' }).map(survives),
    declare: several({ bound: 5000, beyond: 15_000 }).map(survives),
    clocks: several({ bound: 5000 }).map(survives),
  },
};
