/**
 * EPaxos* with one rule wrong at a time, by the names of the bug gallery. They prove that the tests
 * test: each must be caught by schedules that the right one survives. Never use one in earnest.
 *
 * @packageDocumentation
 */
import type { Flaw, Protocol } from '@quorumlab/core';
import type { Options } from './group.ts';
import { epaxos } from './protocol.ts';
import type { Epaxos } from './state.ts';

export { exhibits } from './exhibits.ts';

/** Flawed variants by name; each takes the options of the right protocol. */
export const mutants = {
  'ballot-overwrite': (options) => epaxos(options, { reported: ({ ballot }) => ballot }),

  'execute-early': (options) => epaxos(options, { awaits: () => false }),

  'forked-commit': (options) => epaxos(options, { commits: (chosen, answer) => answer ?? chosen }),

  'early-ack': (options) => epaxos(options, { answersEarly: true }),

  'no-validation': (options) => epaxos(options, { validates: false }),

  'no-back-pressure': (options) => epaxos(options, { pipeline: () => 2 ** 16 }),
} satisfies Readonly<Record<string, (options: Options) => Protocol<Epaxos>>>;

/** The names of the mutants. */
export type Mutant = keyof typeof mutants;

/** What is wrong with each, by its name. */
export const flaws: Readonly<Record<Mutant, Flaw>> = {
  'ballot-overwrite': {
    rule:
      'There is one ballot for joining and for accepting: whoever joins a ballot reports what it ' +
      'accepted before as accepted in it.',
    paper: 'Sutra 2019, arXiv 1906.10917',
    gallery: 'A-35',
  },
  'execute-early': {
    rule: 'A command is executed although one that it depends on is not committed yet.',
    paper: 'OPODIS 2025, execution',
    gallery: 'A-37',
  },
  'forked-commit': {
    rule:
      'A command leader tells each replica, as what is committed, the dependencies that this one ' +
      'has named.',
    paper: 'OPODIS 2025, commit; the same command with other dependencies',
    gallery: 'A-36',
  },
  'early-ack': {
    rule:
      'A command leader answers a write when it is committed, before what it depends on is, and ' +
      'so before it can be executed where all execute it.',
    paper: 'OPODIS 2025, execution',
    gallery: 'A-39',
  },
  'no-validation': {
    rule:
      'A recovery commits what may have been committed on the fast path without asking whether ' +
      'an interfering command speaks against it.',
    paper: 'OPODIS 2025, recovery',
  },
  'no-back-pressure': {
    rule: 'A command leader opens instance after instance, whether or not any is executed.',
    paper: 'NSDI 2021; OPODIS 2025, liveness',
    gallery: 'A-38',
  },
};
