/** What the worker does. It is plain code, so it runs in Node as well: tests compare digests. */
import {
  addTallies,
  claimOf,
  type Scenario,
  scenarioIn,
  type Tally,
  tallyOf,
  wordOf,
} from '@quorumlab/harness';
import { compareTraces, parseTrace } from '@quorumlab/sim';
import type { Answer, Question } from './ask.ts';
import { answerRun, cannot } from './first.ts';
import { lectureOf, markedOf } from './lecture.ts';
import { ranOf } from './ran.ts';

/** Answers a question, in as many pieces as there is something new to say. */
export function* answer(question: Question): Generator<Answer> {
  try {
    switch (question.ask) {
      case 'run':
        return yield answerRun(question);
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
    yield cannot(error);
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
