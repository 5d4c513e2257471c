/** What the worker does. It is plain code, so it runs in Node as well: tests compare digests. */
import {
  addTallies,
  claimOf,
  type RunResult,
  type Scenario,
  ScenarioError,
  scenarioIn,
  type Tally,
  tallyOf,
  wordOf,
} from '@quorumlab/harness';
import type { Marked } from '@quorumlab/lessons';
import { compareTraces, parseTrace, TraceError } from '@quorumlab/sim';
import { type Lecture, lectureOf, markedOf } from './lecture.ts';
import { type Ran, ranOf } from './ran.ts';

/** What a page asks of its worker; one worker answers one question. */
export type Question =
  | { readonly ask: 'run'; readonly scenario: Scenario }
  | { readonly ask: 'again'; readonly trace: string }
  | { readonly ask: 'cell'; readonly scenario: Scenario; readonly seeds: number }
  | { readonly ask: 'lesson'; readonly number: number }
  | { readonly ask: 'mark'; readonly number: number; readonly answer: string };

/** Runs of one attack against one protocol. */
export interface Cell {
  readonly tally: Tally;
  readonly word: RunResult['word'];
  /** Whether the protocol claims to survive it. */
  readonly claimed: boolean;
}

/** What the worker says. */
export type Answer =
  | { readonly says: 'ran'; readonly ran: Ran }
  /** `differs`: where a trace is not that of its scenario; nothing if every line is the same. */
  | { readonly says: 'again'; readonly ran: Ran; readonly differs: string | undefined }
  | { readonly says: 'cell'; readonly cell: Cell; readonly isWhole: boolean }
  | { readonly says: 'lesson'; readonly lecture: Lecture }
  | { readonly says: 'marked'; readonly marked: Marked }
  /** Sentences for people: what was asked cannot be. */
  | { readonly says: 'cannot'; readonly why: string };

/** Answers a question, in as many pieces as there is something new to say. */
export function* answer(question: Question): Generator<Answer> {
  try {
    switch (question.ask) {
      case 'run':
        return yield { says: 'ran', ran: ranOf(question.scenario) };
      case 'again':
        return yield againOf(question.trace);
      case 'cell':
        return yield* cellsOf(question.scenario, question.seeds);
      case 'lesson':
        return yield { says: 'lesson', lecture: lectureOf(question.number) };
      case 'mark':
        return yield { says: 'marked', marked: markedOf(question.number, question.answer) };
    }
  } catch (error) {
    // Anything else is a bug of ours, and is told as one.
    const isWrong = error instanceof ScenarioError || error instanceof TraceError;
    const why = error instanceof Error ? error.message : String(error);
    // The lines behind the first are about flags of the command line.
    yield { says: 'cannot', why: isWrong ? (why.split('\n')[0] ?? '') : `internal error: ${why}` };
  }
}

/** Runs what a trace says that it is of, and compares every line. */
function againOf(text: string): Answer {
  const ran = ranOf(scenarioIn(parseTrace(text)));
  const difference = compareTraces(text, ran.trace);
  const at = difference?.event === undefined ? '' : ` (event ${difference.event})`;
  return {
    says: 'again',
    ran,
    differs: difference === undefined ? undefined : `line ${difference.line}${at}`,
  };
}

/** Runs one after the other, and says after each few what is known. */
function* cellsOf(scenario: Scenario, seeds: number): Generator<Answer> {
  const { claimed } = claimOf(scenario);
  const few = 5;
  let tally: Tally | undefined;
  for (let from = 0; from < seeds; from += few) {
    const some = tallyOf(scenario, from, Math.min(few, seeds - from));
    tally = tally === undefined ? some : addTallies(tally, some);
    const cell = { tally, word: wordOf(tally), claimed };
    yield { says: 'cell', cell, isWhole: from + few >= seeds };
  }
}
