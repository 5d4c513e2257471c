/** A lesson as the page shows it: what its worker found out. */
import { completeScenario, verdictSigns } from '@quorumlab/harness';
import {
  lessonOf,
  type Marked,
  mark,
  type Outcome,
  playLesson,
  type TrialRun,
} from '@quorumlab/lessons';
import { fileOf, type Ran, ranOf } from './ran.ts';
import { momentsOf } from './shard-ran.ts';

/** What came of one run of a lesson, without its trace. */
export interface Came {
  /** `✗ forked` */
  readonly verdict: string;
  readonly word: Outcome['word'];
  readonly sentence: string;
  readonly story: readonly string[];
  readonly command: string;
}

/** A lesson that was run: plain data. */
export interface Lecture {
  readonly ran: Ran;
  /** The index of the event before which it is paused. */
  readonly decisive: number;
  readonly answer: string;
  readonly explanation: readonly string[];
  readonly breaking: readonly string[];
  readonly broken: Came;
  readonly mended: Came;
  readonly asExpected: boolean;
}

/** Plays the lesson of a number. Throws a ScenarioError if there is none. */
export function lectureOf(number: number): Lecture {
  const lesson = lessonOf(number);
  const { decisive, answer, explanation, breaking, asExpected, shown } = playLesson(lesson);
  return {
    ran:
      'scenario' in lesson.main ? ranOf(completeScenario(lesson.main.scenario)) : ranBy(shown.main),
    ...{ decisive, answer, explanation, breaking, asExpected },
    broken: cameOf(shown.broken),
    mended: cameOf(shown.mended),
  };
}

/** A run of shards as the page shows it. */
const ranBy = (outcome: Outcome): Ran => ({
  ...{ word: outcome.word, sentence: outcome.sentence, digest: outcome.digest },
  ...{ story: outcome.story, command: outcome.command, headline: outcome.headline },
  title: outcome.headline,
  file: fileOf('shards', outcome.digest),
  expectation: 'expected: yes. As long as clocks are within their bound, nothing may break.',
  clocks: momentsOf(outcome),
  proofs: [],
  fired: 0,
  trace: outcome.trace ?? '',
});

const cameOf = ({ word, sentence, story, command }: Outcome): Came => ({
  verdict: `${verdictSigns[word]} ${word}`,
  ...{ word, sentence, story, command },
});

/** Marks an answer. Throws a ScenarioError if there is no such lesson or answer. */
export function markedOf(number: number, answer: string): Marked {
  const marked = mark(lessonOf(number), answer);
  const small = (trial: TrialRun): TrialRun => ({
    ...trial,
    outcome: { ...trial.outcome, lines: [] },
  });
  return { ...marked, trials: marked.trials.map(small) };
}
