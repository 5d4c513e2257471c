/** What a lesson is made of. Its words are in a file of their own, for translators. */
import type { VerdictWord } from '@quorumlab/checker';
import type { TraceKind } from '@quorumlab/sim';
import type { Experiment, Outcome, RunExperiment, ShardExperiment } from './experiment.ts';

/**
 * The words of a lesson. In `explanation` and `breaking`, `{main.n}` stands for what a run has
 * shown: no number of a run is written by hand.
 */
export interface LessonText {
  readonly title: string;
  /** The one idea, as a sentence. */
  readonly idea: string;
  readonly text: readonly string[];
  readonly question: Question;
  readonly explanation: readonly string[];
  readonly breaking: readonly string[];
  readonly exercise: Question;
}

/** Something to ask, with the answers that can be given: what is typed, and what it means. */
export interface Question {
  readonly ask: string;
  readonly choices: Readonly<Record<string, string>>;
}

/** Where a run is paused: the first event of a kind, at one position of the log if that is told. */
export interface Decisive {
  readonly kind: TraceKind;
  readonly slot?: number;
  /** Which of them, if it is not the first: 2 for the second. */
  readonly nth?: number;
}

/** An experiment with the verdicts that it must come to. */
export interface Trial {
  readonly experiment: Experiment;
  readonly must: readonly VerdictWord[];
}

/** Everything that a lesson has run, by the names that its texts use. */
export interface Shown extends Readonly<Record<string, Outcome>> {
  /** The run that is paused. */
  readonly main: Outcome;
  /** What breaks the idea. */
  readonly broken: Outcome;
  /** The same without that. */
  readonly mended: Outcome;
}

/** A lesson. */
export interface Lesson {
  readonly number: number;
  readonly text: LessonText;
  readonly main: RunExperiment | ShardExperiment;
  /** The verdict that the run of the lesson comes to. */
  readonly shows: VerdictWord;
  /** The event before which the run is paused for the question. */
  readonly decisive: Decisive;
  /** A mutant or an attack. */
  readonly breaks: Experiment;
  /** What that comes to. */
  readonly into: VerdictWord;
  /** Further runs that the explanation speaks of. */
  readonly more?: Readonly<Record<string, Experiment>>;
  /** Which answer to the question the runs show to be right. */
  readonly answer: (shown: Shown) => string;
  /**
   * What to run for each answer to the exercise; an answer is right if all of it comes out as it
   * must. Which one that is, is not written down anywhere.
   */
  readonly exercise: Readonly<Record<string, readonly Trial[]>>;
}

/** A trial that must end well. */
export const survives = (experiment: Experiment): Trial => ({ experiment, must: ['ok'] });

/** A trial that must not end well. */
export const fails = (experiment: Experiment): Trial => ({
  experiment,
  must: ['forked', 'invalid', 'stale-read', 'stalled'],
});

/** The schedule of a mutant, with its wrong rule. */
export const wrong = (protocol: string, mutant: string): Experiment => ({
  ...{ protocol, mutant },
  rule: 'wrong',
});

/** The schedule of a mutant, with the right rule. */
export const right = (protocol: string, mutant: string): Experiment => ({
  ...{ protocol, mutant },
  rule: 'right',
});
