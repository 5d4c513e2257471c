import type { Scenario } from '@quorumlab/harness';
import type { RunExperiment } from '../experiment.ts';
import { fails, type Lesson, survives, wrong } from '../lesson.ts';
import { text } from './text.ts';

/** Raft with leases, whose leader n2 is alone for a time. */
const leased = (more: Partial<Scenario> = {}): RunExperiment => ({
  scenario: {
    ...{ protocol: 'raft', options: { reads: 'lease' }, workload: 'a', count: 40, clients: 4 },
    network: 'wan',
    faults: [
      { type: 'split', at: 1_000_000, groups: [[2], [0, 1]] },
      { type: 'heal', at: 2_500_000 },
    ],
    ...more,
  },
});

/** Nothing but reads, and nothing goes wrong. */
const reads = (how: 'lease' | 'quorum'): RunExperiment => ({
  scenario: { protocol: 'raft', options: { reads: how }, workload: 'c', count: 40 },
});

/** Reads: ask who leads, or trust clocks. */
export const lesson: Lesson = {
  number: 6,
  text,
  main: leased(),
  shows: 'ok',
  decisive: { kind: 'split' },
  breaks: wrong('raft', 'lease-forgotten'),
  into: 'stale-read',
  more: {
    lease: reads('lease'),
    asking: reads('quorum'),
    unasked: wrong('raft', 'stale-leader-read'),
  },
  answer: ({ main, broken }) =>
    main.word === 'ok' && broken.word === 'stale-read' ? 'wait' : 'elect',
  exercise: {
    yes: [survives(leased({ clocks: 'offset=1s' })), survives(leased({ clocks: 'offset=5ms' }))],
    no: [fails(leased({ clocks: 'offset=1s' }))],
  },
};
