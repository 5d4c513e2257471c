import { upper95 } from '@quorumlab/checker';
import {
  againLine,
  attackOf,
  boundOf,
  type Counterexample,
  claimOf,
  commandLine,
  commitsOf,
  engine,
  eventsUnlessTold,
  narrate,
  noFaultNote,
  overlapOf,
  type ProtocolCost,
  proofRows,
  type RunResult,
  readsJudged,
  type Scenario,
  type ShrinkRecord,
  type Shrunk,
  type Tally,
  type Told,
  taleOf,
  timeText,
  unsafeMark,
  type VerdictRow,
  wordOf,
} from '@quorumlab/harness';
import { type Result, resultSchema, type SteadyCostRow } from '@quorumlab/report/result';
import { exitCodes } from './errors.ts';
import { guiltRow } from './guilt.ts';
import { grouped } from './io.ts';

/** What to say of an attack that never acted, or nothing. */
const unfired = (attack: string, fired: number): string | undefined =>
  attackOf(attack).needs !== 'nothing' && fired === 0
    ? 'the attack did NOT fire: this says nothing about it'
    : undefined;

const noteOf = (attack: string, fired: number): { readonly note?: string } => {
  const note = unfired(attack, fired);
  return note === undefined ? {} : { note };
};

/** Commits of a row at most: a long run repeats itself. */
const mostCommits = 500;

/** What a run tells, if it was run with its story. */
export const storyOf = (result: RunResult): Pick<VerdictRow, 'story' | 'commits' | 'overlap'> =>
  result.story.length === 0 ? {} : toldOf(taleOf(result));

/** What there is to tell, for a row. */
export function toldOf(told: Told): Pick<VerdictRow, 'story' | 'commits' | 'overlap'> {
  const overlap = overlapOf(told);
  return {
    story: narrate(told),
    ...(overlap === undefined ? {} : { overlap }),
    commits: commitsOf(told.story).slice(0, mostCommits),
  };
}

/** One run as a row; `proof`: the file that convicts its liars. */
export function rowOf(result: RunResult, trace?: string, proof?: string): VerdictRow {
  return {
    ...common(result.scenario),
    word: result.word,
    expected: result.expected,
    runs: 1,
    hits: result.word === 'ok' ? 0 : 1,
    fired: result.fired > 0 ? 1 : 0,
    ...noteOf(result.scenario.attack, result.fired),
    upper95: upper95(result.word === 'ok' ? 0 : 1, 1),
    ...budgetOf(result),
    digest: result.digest,
    ...counterexampleOf(result, trace),
    ...guiltRow(result, proof),
    ...storyOf(result),
  };
}

/** Many runs as a row; `shown` is the first hit, run again with proofs, or one without an end. */
export function searchRow(
  scenario: Scenario,
  found: Tally,
  shown?: RunResult,
  trace?: string,
  smaller?: Pick<Counterexample, 'first' | 'shrunk'>,
  proof?: string,
): VerdictRow {
  const { runs, hits, fired, unexpected, first, digest } = found;
  const word = wordOf(found);
  return {
    ...common(scenario),
    word,
    expected: unexpected === 0,
    runs,
    hits,
    fired,
    ...noteOf(scenario.attack, fired),
    upper95: boundOf(found),
    ...(word === 'inconclusive' && shown !== undefined ? budgetOf(shown) : {}),
    digest: first?.digest ?? digest,
    ...(shown
      ? {
          ...counterexampleOf(shown, trace, smaller),
          ...guiltRow(shown, proof),
          ...storyOf(shown),
        }
      : {}),
  };
}

/** In how many runs of a cell a budget ended before an answer, and how to see which. */
function unfinished(
  scenario: Scenario,
  { words, runs, shown }: Tally,
): { readonly budget: string } {
  const one = { ...scenario, seed: shown?.seed ?? scenario.seed };
  const often = `in ${words.inconclusive} of ${runs} runs`;
  const more = `--until ${timeText(4 * scenario.until)} or --events`;
  return {
    budget:
      `a budget ended ${often}; give more with ${more}, or ask for less with --count; ` +
      `to see which it was: ${commandLine(one)}`,
  };
}

/** One cell of a comparison as a row; `shown` is its counterexample, if it has one. */
export function cellRow(
  scenario: Scenario,
  tally: Tally,
  shown: { readonly counterexample?: Counterexample } & ReturnType<typeof storyOf>,
): VerdictRow {
  const { runs, hits, fired, words, unexpected } = tally;
  const word = wordOf(tally);
  return {
    ...common(scenario),
    word,
    ...(word === 'inconclusive' ? unfinished(scenario, tally) : {}),
    words,
    expected: unexpected === 0,
    runs,
    hits,
    fired,
    ...noteOf(scenario.attack, fired),
    upper95: boundOf(tally),
    digest: tally.shown?.digest ?? tally.digest,
    ...shown,
  };
}

/** The cost of a protocol as a row. */
export const steadyCostRow = (cost: ProtocolCost): SteadyCostRow => ({
  ...cost,
  counts: 'one commit',
  messagesPerCommit: cost.total.messages,
  bytesPerCommit: cost.total.bytes,
  signaturesPerCommit: cost.total.signed,
  verificationsPerCommit: cost.total.verified,
  syncsPerCommit: cost.total.syncs,
});

/** What shrinking did, for a result. */
export const shrinkRecord = (small: Omit<Shrunk, 'result'>): ShrinkRecord => {
  const { before, after, tries, steps } = small;
  return { before, after, tries, steps };
};

function common(scenario: Scenario) {
  const { protocol, mutant, n, f, attack, seed, options, reads } = scenario;
  const { claimed, why } = claimOf(scenario);
  const hint = noFaultNote(scenario);
  const unsafe = unsafeMark(scenario);
  return {
    ...{ protocol, n, f, attack, seed, claimed },
    ...(mutant === undefined ? {} : { mutant }),
    ...(options ? { options } : {}),
    ...(reads === undefined ? {} : { reads, judged: readsJudged[reads] }),
    ...(unsafe === undefined ? {} : { unsafe }),
    ...(why === undefined ? {} : { why }),
    ...(hint === undefined ? {} : { hint }),
  };
}

const milliseconds = (microseconds: number): string =>
  `${grouped(Math.round(microseconds / 1000))} ms`;

/** Which budget of a run ended before an answer, and how to raise it; nothing if none did. */
function budgetOf(result: RunResult): { readonly budget?: string } {
  if (result.spent === undefined) return {};
  const { scenario, spent, answered, violation } = result;
  const { count, until, events = eventsUnlessTold } = scenario;
  const so = `with ${answered} of ${count} operations answered`;
  switch (spent) {
    case 'time':
      return {
        budget:
          `the virtual time of ${timeText(until)} was over ${so}; ` +
          `give more with --until ${timeText(4 * until)}`,
      };
    case 'events':
      return {
        budget:
          `the ${grouped(events)} events were used up ${so}; give more with ` +
          `--events ${4 * events}, or ask for less with --count`,
      };
    case 'patience':
      return {
        budget: `the run was stopped after ${milliseconds(result.now)} of virtual time ${so}`,
      };
    case 'judging':
      return { budget: `${violation?.sentence}; ask for less with --count or --clients` };
  }
}

/** What a run violated; `smaller`: what it was made of. */
export function counterexampleOf(
  result: RunResult,
  trace?: string,
  smaller?: Pick<Counterexample, 'first' | 'shrunk'>,
): { readonly counterexample?: Counterexample } {
  const { violation, scenario, proofs, events, word } = result;
  if (violation === undefined || word === 'inconclusive') return {};
  const { rule, sentence, slot, seats } = violation;
  return {
    counterexample: {
      rule,
      sentence,
      ...(slot === undefined ? {} : { slot }),
      seats,
      events,
      seed: scenario.seed,
      ...(trace === undefined ? {} : { trace }),
      replay: againLine(scenario, trace) ?? commandLine(scenario),
      culprits: [...new Set(proofs.map(({ signer }) => signer))].sort((one, two) => one - two),
      proofs: proofRows(result),
      ...smaller,
    },
  };
}

/** The exit code for verdicts, given what was expected of them on the command line, if anything. */
export function exitOf(rows: readonly VerdictRow[], expect?: string): number {
  if (expect !== undefined)
    return rows.every(({ word }) => word === expect) ? exitCodes.expected : exitCodes.unexpected;
  if (rows.some(({ expected, word }) => !expected && word !== 'inconclusive'))
    return exitCodes.unexpected;
  const silent = rows.some(({ attack, fired }) => unfired(attack, fired) !== undefined);
  if (silent || rows.some(({ word }) => word === 'inconclusive')) return exitCodes.inconclusive;
  return exitCodes.expected;
}

/** A whole result. */
export const resultOf = (
  command: string,
  scenario: Scenario | readonly Scenario[],
  verdicts: readonly VerdictRow[],
  cost: Result['cost'],
  exit: number,
): Result => ({
  schema: resultSchema,
  engine,
  command,
  crypto:
    (Array.isArray(scenario) ? scenario[0]?.crypto : (scenario as Scenario).crypto) ?? 'ideal',
  scenario,
  verdicts,
  cost,
  exit,
});
