/** What the worker does. It is plain code, so it runs in Node as well: tests compare digests. */
import {
  addTallies,
  claimOf,
  commandLine,
  expectation,
  headline,
  narrate,
  type ProofRow,
  proofRows,
  type RunResult,
  runScenario,
  type Scenario,
  ScenarioError,
  scenarioIn,
  type Tally,
  taleOf,
  tallyOf,
  wordOf,
} from '@quorumlab/harness';
import { compareTraces, parseTrace, TraceError, traceBuffer } from '@quorumlab/sim';

/** What a page asks of its worker; one worker answers one question. */
export type Question =
  | { readonly ask: 'run'; readonly scenario: Scenario }
  | { readonly ask: 'again'; readonly trace: string }
  | { readonly ask: 'cell'; readonly scenario: Scenario; readonly seeds: number };

/** A run as the page shows it: plain data. */
export interface Ran {
  readonly scenario: Scenario;
  readonly word: RunResult['word'];
  /** What was violated, or that nothing was. */
  readonly sentence: string;
  /** Whether that was to be expected, and why. */
  readonly expectation: string;
  readonly headline: string;
  /** What happened at the contested position. */
  readonly story: readonly string[];
  readonly proofs: readonly ProofRow[];
  readonly fired: number;
  readonly digest: string;
  /** The trace, as `quorumlab replay` reads it. */
  readonly trace: string;
  /** The command line that gives the same digest; nothing if no flags tell this scenario. */
  readonly command: string;
}

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
    }
  } catch (error) {
    // Anything else is a bug of ours, and is told as one.
    const isWrong = error instanceof ScenarioError || error instanceof TraceError;
    const why = error instanceof Error ? error.message : String(error);
    // The lines behind the first are about flags of the command line.
    yield { says: 'cannot', why: isWrong ? (why.split('\n')[0] ?? '') : `internal error: ${why}` };
  }
}

/** Runs a scenario with everything that the page shows of it. */
export function ranOf(scenario: Scenario): Ran {
  const trace = traceBuffer();
  const result = runScenario(scenario, { trace, proofs: true, story: true });
  const { word, expected, violation, fired, digest, answered, claim } = result;
  return {
    ...{ scenario, word, fired, digest },
    sentence:
      violation?.sentence ??
      (word === 'ok'
        ? `${answered} operations answered, all honest logs and states agree`
        : `${answered} operations answered before a budget ended it`),
    expectation: expectation({ ...scenario, word, expected, ...claim }),
    headline: headline(scenario),
    story: narrate(taleOf(result)),
    proofs: proofRows(result),
    trace: trace.text(),
    command: commandLine(scenario),
  };
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
