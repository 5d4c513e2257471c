import { upper95 } from '@quorumlab/checker';
import { type Tagged, toHex } from '@quorumlab/core';
import {
  attackOf,
  boundOf,
  type Counterexample,
  completeScenario,
  engine,
  type Lie,
  nameRequests,
  type ProofRow,
  type ProtocolCost,
  prepare,
  type RunResult,
  requestsIn,
  type Scenario,
  type SearchResult,
  type ShrinkRecord,
  type Shrunk,
  type Statement,
  type Tally,
  type VerdictRow,
  wordOf,
} from '@quorumlab/harness';
import { encodeProof, proofToJson } from '@quorumlab/wire';
import { exitCodes } from './errors.ts';

/** The schema of everything that `--json` prints. */
export const resultSchema = 'quorumlab.result/1';

/** What a run cost, per operation that was answered. */
export interface CostRow {
  readonly protocol: string;
  readonly answered: number;
  readonly messages: number;
  readonly messagesPerCommit: number;
  readonly signaturesPerCommit: number;
  readonly syncsPerCommit: number;
  readonly virtualMilliseconds: number;
}

/** What one commit costs in the steady state, for comparisons. */
export interface SteadyCostRow extends ProtocolCost {
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
  readonly cost: readonly (CostRow | SteadyCostRow)[];
  /** Attacks that were asked for and cannot be run as asked; absent if there are none. */
  readonly leftOut?: readonly LeftOut[];
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

const statement = (message: Lie['first']): Statement => ({
  kind: message.kind,
  what: nameRequests(requestsIn(message)),
  signature: toHex(message.signature),
});

/** The proofs of a run as rows. */
const proofRows = (proofs: readonly Lie[]): readonly ProofRow[] =>
  proofs.map(({ signer, about, first, second }) => ({
    signer,
    about,
    first: statement(first),
    second: statement(second),
  }));

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
    digest: result.digest,
    ...counterexampleOf(result, trace),
  };
}

/** Many runs as a row; `shown` is the first hit, run again with proofs. */
export function searchRow(
  scenario: Scenario,
  found: SearchResult,
  shown?: RunResult,
  trace?: string,
  smaller?: Pick<Counterexample, 'first' | 'shrunk'>,
): VerdictRow {
  const { word, expected, runs, hits, fired, digest } = found;
  return {
    ...common(scenario),
    word,
    expected,
    runs,
    hits,
    fired,
    ...noteOf(scenario.attack, fired),
    upper95: found.upper95,
    digest,
    ...(shown ? counterexampleOf(shown, trace, smaller) : {}),
  };
}

/** One cell of a comparison as a row; `shown` is its counterexample, if it has one. */
export function cellRow(
  scenario: Scenario,
  tally: Tally,
  shown: { readonly counterexample?: Counterexample },
): VerdictRow {
  const { runs, hits, fired, words, unexpected } = tally;
  return {
    ...common(scenario),
    word: wordOf(tally),
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

const common = ({ protocol, n, f, attack, seed, options }: Scenario) => ({
  protocol,
  n,
  f,
  attack,
  seed,
  ...(options ? { options } : {}),
});

/** What a run violated; `smaller`: what it was made of. */
export function counterexampleOf(
  result: RunResult,
  trace?: string,
  smaller?: Pick<Counterexample, 'first' | 'shrunk'>,
): { readonly counterexample?: Counterexample } {
  const { violation, scenario, proofs, events } = result;
  if (violation === undefined) return {};
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
      replay: againLine(scenario, trace),
      culprits: [...new Set(proofs.map(({ signer }) => signer))].sort((one, two) => one - two),
      proofs: proofRows(proofs),
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

/** What a run cost. */
export function costOf({ scenario, answered, counters, now }: RunResult): CostRow {
  const per = (sum: number): number =>
    answered === 0 ? 0 : Math.round((1000 * sum) / answered) / 1000;
  return {
    protocol: scenario.protocol,
    answered,
    messages: counters.sent,
    messagesPerCommit: per(counters.sent),
    signaturesPerCommit: per(counters.signed),
    syncsPerCommit: per(counters.syncs),
    virtualMilliseconds: Math.round(now / 1000),
  };
}

/** How to run a scenario again that may be in a trace: no flag tells choices, so those need it. */
export const againLine = (scenario: Scenario, trace?: string): string =>
  scenario.script !== undefined && trace !== undefined
    ? `quorumlab replay ${trace}`
    : commandLine(scenario);

/** The command line that runs a scenario again: every flag that is not the default. */
export function commandLine(scenario: Scenario): string {
  const plain = completeScenario({
    protocol: scenario.protocol,
    n: scenario.n,
    f: scenario.f,
    attack: scenario.attack,
  });
  const flags: string[] = [`-n ${scenario.n}`, `-f ${scenario.f}`];
  const add = (flag: string, value: string | number, usual: string | number): void => {
    if (value !== usual) flags.push(`${flag} ${value}`);
  };
  if (scenario.attack !== 'none')
    flags.push(`--attack ${scenario.attack}`, `--by ${scenario.by.join(',')}`);
  add('--net', scenario.network, plain.network);
  add('--clock', scenario.clocks, plain.clocks);
  for (const fault of scenario.faults) {
    if (fault.type === 'crash') flags.push(`--crash ${fault.node}@${fault.at}us`);
    if (fault.type === 'split')
      flags.push(`--split ${fault.groups.map((group) => group.join(',')).join('-')}@${fault.at}us`);
  }
  if (scenario.workload !== 'file') add('--workload', scenario.workload, plain.workload);
  add('--count', scenario.count, plain.count);
  add('--clients', scenario.clients, plain.clients);
  add('--outstanding', scenario.outstanding, plain.outstanding);
  add('--until', `${scenario.until}us`, `${plain.until}us`);
  add('--crypto', scenario.crypto, plain.crypto);
  for (const [name, value] of Object.entries(scenario.options ?? {}))
    flags.push(`--option ${name}=${value}`);
  if (scenario.mutant !== undefined) flags.push(`--mutant ${scenario.mutant}`);
  if (scenario.unsafe) flags.push('--unsafe-n');
  flags.push(`--seed ${scenario.seed}`);
  return `quorumlab run ${scenario.protocol} ${flags.join(' ')}`;
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
