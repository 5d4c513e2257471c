import { upper95 } from '@quorumlab/checker';
import { type Tagged, toHex } from '@quorumlab/core';
import {
  attackOf,
  boundOf,
  type Counterexample,
  claimOf,
  commitsOf,
  completeScenario,
  engine,
  eventsUnlessTold,
  type Lie,
  livingQuorum,
  narrate,
  noFaultNote,
  overlapOf,
  type ProofRow,
  type ProtocolCost,
  prepare,
  type RunCost,
  type RunResult,
  type Scenario,
  type ScenarioFault,
  type ShrinkRecord,
  type Shrunk,
  type Statement,
  type Tally,
  type Told,
  taleOf,
  unsafeMark,
  type VerdictRow,
  wordOf,
} from '@quorumlab/harness';
import { encodeProof, proofToJson } from '@quorumlab/wire';
import { exitCodes, type Failure } from './errors.ts';
import { quoted } from './invocation.ts';
import { grouped } from './io.ts';

/** The schema of everything that `--json` prints. */
export const resultSchema = 'quorumlab.result/1';

/** What one commit costs in the steady state, for comparisons. */
export interface SteadyCostRow extends ProtocolCost {
  /** Nothing but one commit: what lies between two answers of a group without faults. */
  readonly counts: 'one commit';
  readonly messagesPerCommit: number;
  readonly bytesPerCommit: number;
  /** Signatures made, and checked, by all nodes and the client. */
  readonly signaturesPerCommit: number;
  readonly verificationsPerCommit: number;
  readonly syncsPerCommit: number;
}

/** Everything that a command found out; the text says no more than this. */
export interface Result {
  readonly schema: typeof resultSchema;
  readonly engine: string;
  readonly command: string;
  readonly crypto: string;
  readonly scenario: Scenario | readonly Scenario[];
  readonly verdicts: readonly VerdictRow[];
  readonly cost: readonly (RunCost | SteadyCostRow)[];
  /** Attacks that were asked for and cannot be run as asked; absent if there are none. */
  readonly leftOut?: readonly LeftOut[];
  /** What could not be written; absent if all was. */
  readonly errors?: readonly Failure[];
  /** What is here is what was known when a signal ended the command; absent if none did. */
  readonly stopped?: string;
  readonly exit: number;
}

/** An attack of `--attack all` that was not run. */
export interface LeftOut {
  readonly attack: string;
  readonly why: string;
}

/** What to say of an attack that never acted, or nothing. */
const unfired = (attack: string, fired: number): string | undefined =>
  attackOf(attack).needs !== 'nothing' && fired === 0
    ? 'the attack did NOT fire: this says nothing about it'
    : undefined;

const noteOf = (attack: string, fired: number): { readonly note?: string } => {
  const note = unfired(attack, fired);
  return note === undefined ? {} : { note };
};

const statement = (message: Lie['first'], what: string): Statement => ({
  kind: message.kind,
  what,
  signature: toHex(message.signature),
});

/** The proofs of a run as rows. */
const proofRows = ({ proofs, proofValues }: RunResult): readonly ProofRow[] =>
  proofs.map(({ signer, about, first, second }, i) => ({
    signer,
    about,
    first: statement(first, proofValues[i]?.first ?? ''),
    second: statement(second, proofValues[i]?.second ?? ''),
  }));

/** Commits of a row at most: a long run repeats itself. */
const mostCommits = 500;

/** What a run tells, if it was run with its story. */
const storyOf = (result: RunResult): Pick<VerdictRow, 'story' | 'commits' | 'overlap'> =>
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

/** One run as a row. */
export function rowOf(result: RunResult, trace?: string): VerdictRow {
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
    ...(shown ? { ...counterexampleOf(shown, trace, smaller), ...storyOf(shown) } : {}),
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
  shown: { readonly counterexample?: Counterexample },
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
  const { protocol, mutant, n, f, attack, seed, options } = scenario;
  const { claimed, why } = claimOf(scenario);
  const hint = noFaultNote(scenario);
  const unsafe = unsafeMark(scenario);
  return {
    ...{ protocol, n, f, attack, seed, claimed },
    ...(mutant === undefined ? {} : { mutant }),
    ...(options ? { options } : {}),
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

/** The first proof of a run with real signatures, as JSON that anyone can check; or nothing. */
export function proofJsonOf({ scenario, proofs }: RunResult): string | undefined {
  const proof = proofs[0];
  const { publicKeys, domain, protocol } = prepare(scenario);
  const publicKey = proof === undefined ? undefined : publicKeys?.get(proof.signer);
  if (proof === undefined || publicKey === undefined) return undefined;
  return proofToJson(encodeProof<Tagged>(proof, protocol, { domain, publicKey }));
}

/**
 * How to run a scenario again that may be in a trace. No flag tells the choices of a shrunk run,
 * lines that are in no file, nor what only random worlds have: those need the trace, and without
 * one there is no such line.
 */
export function againLine(scenario: Scenario, trace?: string): string | undefined {
  const { script, commands, commandsFrom } = scenario;
  const { principals, changes, sessionCaps, stepBytes } = scenario;
  const untold = [script, principals, changes, sessionCaps, stepBytes];
  const isInFile = commands === undefined || commandsFrom !== undefined;
  if (isInFile && untold.every((each) => each === undefined)) return commandLine(scenario);
  return trace === undefined ? undefined : `quorumlab replay ${quoted(trace)}`;
}

/** The command line that runs a scenario again. */
export const commandLine = (scenario: Scenario): string =>
  `quorumlab run ${scenario.protocol} ${flagsOf(scenario).join(' ')}`;

/**
 * The flags of a scenario, as a shell takes them: what is not the default, and always n, f and the
 * seed. Read by our own parser they give an equal scenario, if it has no {@link Scenario.script}.
 */
export function flagsOf(scenario: Scenario): readonly string[] {
  const { protocol, n, f, attack, by, commands, commandsFrom } = scenario;
  const plain = completeScenario({ protocol, n, f, attack });
  const flags: string[] = [`-n ${n}`, `-f ${f}`];
  const tell = (flag: string, value: string | number): void => {
    const text = quoted(`${value}`);
    flags.push(text.startsWith('-') ? `${flag}=${text}` : `${flag} ${text}`);
  };
  const add = (flag: string, value: string | number, usual: string | number): void => {
    if (value !== usual) tell(flag, value);
  };
  if (attack !== 'none') tell('--attack', attack);
  const liars = (ids: readonly number[]): string => (ids.length === 0 ? 'none' : ids.join(','));
  // Who lies is part of the story, so it is always said.
  add('--by', liars(by), attackOf(attack).needs === 'byzantine' ? '' : liars(plain.by));
  add('--net', scenario.network, plain.network);
  add('--clock', scenario.clocks, plain.clocks);
  for (const [flag, value] of faultFlags(scenario.faults)) tell(flag, value);
  if (commandsFrom !== undefined) tell('--workload', commandsFrom);
  else add('--workload', scenario.workload, plain.workload);
  add('--count', scenario.count, commands?.length ?? plain.count);
  add('--clients', scenario.clients, plain.clients);
  add('--outstanding', scenario.outstanding, plain.outstanding);
  add('--until', timeText(scenario.until), timeText(plain.until));
  if (scenario.events !== undefined) tell('--events', scenario.events);
  add('--crypto', scenario.crypto, plain.crypto);
  for (const [name, value] of Object.entries(scenario.options ?? {}))
    tell('--option', `${name}=${value}`);
  if (scenario.mutant !== undefined) tell('--mutant', scenario.mutant);
  if (scenario.unsafe) flags.push('--unsafe-n');
  if (scenario.quorum !== undefined) tell('--quorum', scenario.quorum);
  // Otherwise the flag before would set one.
  else if (scenario.unsafe && livingQuorum(scenario) !== undefined) tell('--quorum', 'usual');
  tell('--seed', scenario.seed);
  return flags;
}

/**
 * Faults as flags that give the same list again. `--crash` and `--split` are for people; they stand
 * before each other fault, so what has another order is told as it stands in traces.
 */
function faultFlags(
  faults: readonly ScenarioFault[],
): readonly (readonly [flag: string, value: string])[] {
  const flags: (readonly [string, string])[] = [];
  let i = 0;
  for (
    let each = faults[i];
    each?.type === 'crash' && each.boundary === undefined;
    each = faults[i]
  ) {
    const back = faults[i + 1];
    const isBack =
      back?.type === 'restart' && back.node === each.node && Object.keys(back).length === 3;
    flags.push([
      '--crash',
      `${each.node}@${timeText(each.at)}${isBack ? `..${timeText(back.at)}` : ''}`,
    ]);
    i += isBack ? 2 : 1;
  }
  for (let each = faults[i]; each?.type === 'split' && isTellable(each.groups); each = faults[i]) {
    const end = faults[i + 1];
    const until = end?.type === 'heal' ? `..${timeText(end.at)}` : '';
    const groups = each.groups.map(groupText);
    flags.push(['--split', `${groups.join('-')}@${timeText(each.at)}${until}`]);
    i += until === '' ? 1 : 2;
  }
  for (const each of faults.slice(i)) flags.push(['--fault', JSON.stringify(each)]);
  return flags;
}

/** `12` for nodes of one digit, `1,12` for others, and a comma behind one alone. */
const groupText = (group: readonly number[]): string =>
  group.every((id) => id < 10)
    ? group.join('')
    : `${group.join(',')}${group.length === 1 ? ',' : ''}`;

/** Whether `--split` has words for these groups. */
const isTellable = (groups: readonly (readonly number[])[]): boolean =>
  groups.length > 1 && groups.every(({ length }) => length > 0);

/** A time as `--until` takes it. */
function timeText(microseconds: number): string {
  if (microseconds % 1000 !== 0) return `${microseconds}us`;
  const milliseconds = microseconds / 1000;
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
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
