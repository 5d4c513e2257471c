/** What the worker does. It is plain code, so it runs in Node as well: tests compare digests. */
import {
  addTallies,
  attackOfLie,
  claimOf,
  nthSeed,
  type OwnLie,
  registerAttack,
  runScenario,
  type Scenario,
  ScenarioError,
  shrink,
  type Tally,
  tallyOf,
  wordOf,
} from '@quorumlab/harness';
import { quizItemOf, settle } from '@quorumlab/lessons';
import { againOf } from './again.ts';
import type { Answer, Question, Tell } from './ask.ts';
import { answerRun, cannot } from './first.ts';
import { lectureOf, markedOf } from './lecture.ts';
import { ranOf } from './ran.ts';
import { ranOfLink } from './shard-ran.ts';

/**
 * Answers a question, in as many pieces as there is something new to say; `tell` hears in between
 * that something is under way, and how far.
 */
export function* answer(question: Question, tell: Tell = () => undefined): Generator<Answer> {
  const beat = (): void => tell({ says: 'alive', isWhole: false });
  try {
    switch (question.ask) {
      case 'run':
        return yield answerRun(question, beat);
      case 'again':
        return yield againOf(question.trace, beat);
      case 'shards':
        return yield { says: 'ran', ran: ranOfLink(question.hash) };
      case 'cell':
        return yield* cellsOf(question.scenario, question.seeds);
      case 'search':
        return yield* searched(question, beat);
      case 'shrink':
        return yield* shrunk(question.scenario, tell);
      case 'own':
        return yield ownOf(question.scenario, beat);
      case 'settle':
        return yield settledOf(question.number);
      case 'lesson':
        return yield { says: 'lesson', lecture: lectureOf(question.number) };
      case 'mark':
        return yield { says: 'marked', marked: markedOf(question.number, question.answer) };
    }
  } catch (error) {
    yield cannot(error);
  }
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

/** Runs one seed after the other until something is violated. */
function* searched(
  { scenario, seeds, from: begun = 0 }: Question & { readonly ask: 'search' },
  beat: () => void,
): Generator<Answer> {
  const few = 20;
  for (let from = begun; from < seeds; from += few) {
    const runs = Math.min(few, seeds - from);
    for (let i = from; i < from + runs; i++) {
      const seed = nthSeed(scenario.seed, i);
      const { violation } = runScenario({ ...scenario, seed }, { lines: false });
      beat();
      if (violation !== undefined)
        return yield { says: 'searched', runs: i + 1, seed, isWhole: true };
    }
    const isWhole = from + runs >= seeds;
    yield { says: 'searched', runs: from + runs, seed: undefined, isWhole };
  }
}

function* shrunk(scenario: Scenario, tell: Tell): Generator<Answer> {
  const small = shrink(scenario, {
    tried: (spent) => tell({ says: 'tried', ...spent, isWhole: false }),
  });
  if (small === undefined)
    return yield {
      says: 'cannot',
      why: 'Nothing goes wrong in this run; search for a seed first.',
    };
  const { before, after, tries } = small;
  yield { says: 'shrunk', ran: ranOf(small.scenario), before, after, tries, isWhole: true };
}

/** Runs a scenario with the lie that somebody has written, or says what was wrong with it. */
function ownOf(scenario: Scenario, beat: () => void): Answer {
  const { quorumlabLie: lie } = globalThis as { readonly quorumlabLie?: unknown };
  if (typeof lie !== 'function')
    throw new ScenarioError('QL130', 'Your script is no function of (to, message).');
  let wrong: unknown;
  const forget = registerAttack(
    attackOfLie('own', { lie: lie as OwnLie }, (error) => {
      wrong ??= error ?? 'nothing';
    }),
  );
  try {
    const by = scenario.by.length === 0 ? [0] : scenario.by;
    const ran = ranOf({ ...scenario, attack: 'own', by }, beat);
    if (wrong === undefined) return { says: 'ran', ran };
    const what = wrong instanceof Error ? `${wrong.name}: ${wrong.message}` : String(wrong);
    throw new ScenarioError('QL130', `Your script threw ${what}. Mend it, and run it again.`);
  } finally {
    forget();
  }
}

/** Runs what settles a statement of the quiz. */
function settledOf(number: number): Answer {
  const { holds, trials } = settle(quizItemOf(String(number)));
  const reasons = trials.map(({ reason, outcome: { command } }) => ({ reason, command }));
  return { says: 'settled', holds, reasons };
}
