/** Runs a lesson, fills in what its runs have shown, and marks answers by running them. */
import type { VerdictWord } from '@quorumlab/checker';
import { ScenarioError } from '@quorumlab/harness';
import { parseTrace, type Trace } from '@quorumlab/sim';
import { type Experiment, mended, type Outcome, outcomeOf, type Played } from './experiment.ts';
import type { Decisive, Lesson, Question, Shown, Trial } from './lesson.ts';
import { fill, words } from './words.ts';

/** A lesson that was run: plain data. */
export interface LessonRun {
  readonly number: number;
  readonly shown: Shown;
  /** The index of the decisive event in the trace of the main run. */
  readonly decisive: number;
  /** When that was, in virtual microseconds. */
  readonly decisiveAt: number;
  /** The answer to the question that the runs show to be right. */
  readonly answer: string;
  readonly explanation: readonly string[];
  readonly breaking: readonly string[];
  /** Whether every run came out as the lesson says, and would not have without what it is about. */
  readonly asExpected: boolean;
}

/** One trial of an answer, and whether it came out as it must. */
export interface TrialRun {
  readonly outcome: Outcome;
  readonly must: readonly VerdictWord[];
  readonly passed: boolean;
  /** What came of it, as a sentence. */
  readonly reason: string;
}

/** An answer to an exercise, marked by its runs. */
export interface Marked {
  readonly answer: string;
  readonly right: boolean;
  readonly trials: readonly TrialRun[];
}

/** Runs all that a lesson shows. Throws an Error for a text about what no run has shown. */
export function playLesson(lesson: Lesson): LessonRun {
  const { number, text, main, decisive, breaks, more = {} } = lesson;
  const played: Played = new Map();
  const play = (experiment: Experiment): Outcome => outcomeOf(experiment, { played });
  const shown: Shown = {
    main: outcomeOf(main, { traced: true }),
    broken: play(breaks),
    mended: play(mended(breaks)),
    ...Object.fromEntries(Object.entries(more).map(([name, each]) => [name, play(each)])),
  };
  const trace = parseTrace(shown.main.trace ?? '');
  const at = indexOf(trace, decisive);
  const known = factsIn(shown);
  return {
    ...{ number, shown, answer: lesson.answer(shown) },
    decisive: at,
    decisiveAt: trace.events[at]?.t ?? 0,
    explanation: text.explanation.map((each) => fill(each, known)),
    breaking: text.breaking.map((each) => fill(each, known)),
    asExpected: comesOut(lesson, shown) && at >= 0,
  };
}

/** Whether runs came out as a lesson says: without what breaks it, it must not break. */
export const comesOut = (
  { shows, into }: Pick<Lesson, 'shows' | 'into'>,
  { main, broken, mended: without }: Pick<Shown, 'main' | 'broken' | 'mended'>,
): boolean => main.word === shows && broken.word === into && without.word !== into;

/** All facts of all outcomes, as texts name them. */
const factsIn = (shown: Shown): Readonly<Record<string, string | number>> =>
  Object.fromEntries(
    Object.entries(shown).flatMap(([name, { facts }]) =>
      Object.entries(facts).map(([fact, value]) => [`${name}.${fact}`, value]),
    ),
  );

/** The index of the event that a lesson is about; -1 if this run has none. */
export function indexOf(
  { events }: Pick<Trace, 'events'>,
  { kind, slot, nth = 1 }: Decisive,
): number {
  const all = events.filter(({ k, d }) => k === kind && (slot === undefined || isAt(d, slot)));
  return all[nth - 1]?.i ?? -1;
}

const isAt = (details: unknown, slot: number): boolean =>
  typeof details === 'object' && details !== null && 'slot' in details && details.slot === slot;

/**
 * The answer that somebody typed: the choice itself, whatever its case, or its letter. Throws a
 * ScenarioError (QL101) that names them if it is none.
 */
export function choiceOf({ choices }: Question, typed: string): string {
  const all = Object.keys(choices);
  const word = typed.trim().toLowerCase();
  const letter = /^[a-z]$/.test(word) ? all[word.charCodeAt(0) - 'a'.charCodeAt(0)] : undefined;
  const found = all.find((each) => each === word) ?? letter;
  if (found === undefined)
    throw new ScenarioError('QL101', fill(words.noAnswer, { typed, all: all.join(', ') }));
  return found;
}

/** The letter in front of the nth choice. */
export const letterOf = (nth: number): string => String.fromCharCode('a'.charCodeAt(0) + nth);

/** Marks an answer by running it. Throws a ScenarioError if it is none of the choices. */
export function mark({ text, exercise }: Lesson, typed: string): Marked {
  const answer = choiceOf(text.exercise, typed);
  const trials = trialsOf(exercise[answer] ?? []);
  return { answer, right: trials.every(({ passed }) => passed), trials };
}

/** Runs trials, one after the other. */
export function trialsOf(trials: readonly Trial[]): readonly TrialRun[] {
  const played: Played = new Map();
  return trials.map((trial) => tried(trial, played));
}

function tried({ experiment, must }: Trial, played: Played): TrialRun {
  const outcome = outcomeOf(experiment, { played });
  const { word, sentence, headline: name } = outcome;
  const passed = must.includes(word);
  const wanted = must.join(words.or);
  const reason = fill(passed ? words.asWanted : words.notAsWanted, {
    ...{ name, word, sentence },
    must: wanted,
  });
  return { outcome, must, passed, reason };
}

/** Every answer to an exercise, each marked by its runs. */
export const answerKey = (lesson: Lesson): readonly Marked[] =>
  Object.keys(lesson.text.exercise.choices).map((answer) => mark(lesson, answer));
