/** A quiz: statements that are true or false by what runs come to. */
import { nthSeed, ScenarioError } from '@quorumlab/harness';
import type { RunExperiment } from './experiment.ts';
import { fails, survives, type Trial, wrong } from './lesson.ts';
import { type TrialRun, trialsOf } from './play.ts';
import { statements } from './quiz-text.ts';
import { fill, words } from './words.ts';

/** A statement, and what must come out for it to be true. */
export interface QuizItem {
  readonly number: number;
  readonly name: string;
  readonly statement: string;
  readonly trials: readonly Trial[];
}

/** What runs say to a statement. */
export interface Settled {
  readonly item: QuizItem;
  readonly holds: boolean;
  readonly trials: readonly TrialRun[];
}

/** Runs of a statement that says that nothing goes wrong. */
const few = 5;

/** A scenario under a few seeds, none of which may show anything. */
const always = ({ scenario }: RunExperiment): readonly Trial[] =>
  Array.from({ length: few }, (_, i) =>
    survives({ scenario: { ...scenario, seed: nthSeed('42', i) } }),
  );

const lies: RunExperiment = {
  scenario: { protocol: 'raft', n: 7, attack: 'equivocating-leader', count: 2 },
};

const pbft = (attack: string): RunExperiment => ({
  scenario: { protocol: 'pbft', n: 4, attack, count: 4 },
});

const crashed = [1, 2].map((node) => ({ type: 'crash', at: 1000, node }) as const);

const trials: Readonly<Record<keyof typeof statements, readonly Trial[]>> = {
  'more-servers': [survives(lies)],
  signed: [survives({ scenario: { ...lies.scenario, n: 3, crypto: 'ed25519' } })],
  silent: [...always(pbft('silent-follower')), ...always(pbft('silent-leader'))],
  'two-of-five': [
    survives({
      scenario: {
        ...{ protocol: 'pbft', n: 5, f: 2, quorum: 3, unsafe: true },
        ...{ attack: 'double-voter', by: [0, 1], count: 4 },
      },
    }),
  ],
  'quorum-of-four': always(pbft('double-voter')),
  'small-quorum': always({
    scenario: { protocol: 'flexible-paxos', n: 5, f: 1, options: { q1: 4, q2: 2 }, count: 4 },
  }),
  'old-term': [survives(wrong('raft', 'figure-8'))],
  'first-read': [survives(wrong('raft', 'readindex-without-noop'))],
  'wall-clocks': [
    fails({
      scenario: {
        ...{ protocol: 'raft', options: { reads: 'lease' }, workload: 'a', count: 40 },
        clocks: 'offset=1s',
      },
    }),
  ],
  restart: [survives(wrong('tendermint', 'lock-amnesia'))],
  beyond: [fails({ scenario: { protocol: 'hotstuff', attack: 'f+1-traitors', count: 2 } })],
  'too-many-crashes': [
    {
      experiment: { scenario: { protocol: 'raft', count: 2, faults: crashed } },
      must: ['forked', 'invalid'],
    },
  ],
};

/** All statements, in their order. */
export const quiz: readonly QuizItem[] = Object.entries(statements).map(
  ([name, statement], i): QuizItem => ({
    number: i + 1,
    ...{ name, statement },
    trials: trials[name as keyof typeof statements],
  }),
);

/** The statement of a number or name. Throws a ScenarioError (QL101). */
export function quizItemOf(which: string): QuizItem {
  const found = quiz.find(({ number, name }) => which === `${number}` || which === name);
  if (found !== undefined) return found;
  throw new ScenarioError('QL101', fill(words.noStatement, { which, last: quiz.length }));
}

/** Runs what settles a statement. */
export function settle(item: QuizItem): Settled {
  const ran = trialsOf(item.trials);
  return { item, holds: ran.every(({ passed }) => passed), trials: ran };
}
