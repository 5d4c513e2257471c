import { upper95, type VerdictWord, worst } from '@quorumlab/checker';
import { attackOf, attacks } from './attacks.ts';
import { completeScenario, variantsOf } from './defaults.ts';
import { protocolOf, requireSize } from './protocols.ts';
import { requireReads } from './reads.ts';
import { type RunResult, runScenario } from './run.ts';
import { type Scenario, ScenarioError } from './scenario.ts';
import { nthSeed } from './search.ts';

/** The attacks of a comparison unless others are named: one of each sort that there is. */
export const comparedAttacks: readonly string[] = [
  'none',
  'crash-leader',
  'split',
  'silent-leader',
  'equivocating-leader',
  'double-voter',
  'lying-acceptor',
  'wrong-reply-to-client',
  'f+1-traitors',
];

/** What is to be compared. */
export interface Comparison {
  readonly protocols: readonly string[];
  /** {@link comparedAttacks} unless told; `all` alone means all that there are. */
  readonly attacks?: readonly string[];
  /** The same for all protocols. */
  readonly f: number;
  /** As many replicas as each protocol takes for f, unless told. */
  readonly n?: number;
  /** What else all scenarios share: network, workload, first seed. */
  readonly shared?: Partial<Omit<Scenario, 'protocol' | 'attack' | 'by' | 'n' | 'f'>>;
}

/**
 * The cells of a comparison, as scenarios with their first seed: one for each protocol, variant and
 * attack, in that order. Throws a ScenarioError for names that do not exist or stand twice, and for
 * groups that are too small.
 */
export function cellsOf(comparison: Comparison): readonly Scenario[] {
  const { protocols, f, n, shared } = comparison;
  const names = attackNames(comparison.attacks);
  if (protocols.length === 0)
    throw new ScenarioError('QL101', 'name the protocols to compare, e.g. raft pbft.');
  requireOnce('protocol', protocols);
  requireOnce('attack', names);
  for (const name of names) attackOf(name);
  return protocols.flatMap((protocol) => {
    const entry = protocolOf(protocol);
    const size = n === undefined ? { f } : { f, n };
    const plain = completeScenario({ ...shared, protocol, ...size });
    requireSize(entry, plain.n, f);
    if (plain.reads !== undefined) requireReads(entry, plain.reads);
    return variantsOf(plain).flatMap(({ options }) =>
      names.map((attack) =>
        completeScenario({ ...shared, protocol, attack, ...size, ...(options ? { options } : {}) }),
      ),
    );
  });
}

function attackNames(chosen: readonly string[] | undefined): readonly string[] {
  const all = attacks.map(({ name }) => name);
  if (chosen?.length === 1 && chosen[0] === 'all') return all;
  return chosen ?? comparedAttacks.filter((name) => all.includes(name));
}

function requireOnce(what: string, names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new ScenarioError('QL117', `the ${what} ${twice} stands twice; name each once.`);
}

/** A run that violated something, in a few plain words. */
export interface Hit {
  readonly seed: string;
  readonly word: VerdictWord;
  readonly expected: boolean;
  readonly events: number;
  readonly digest: string;
}

/** What some runs of one cell showed: plain data, so that it can come from another thread. */
export interface Tally {
  readonly runs: number;
  /** Runs with any word but `ok`. */
  readonly hits: number;
  /** Runs in which the attack really acted. */
  readonly fired: number;
  readonly unexpected: number;
  readonly events: number;
  /** Runs by word. */
  readonly words: Readonly<Partial<Record<VerdictWord, number>>>;
  /** The first run that violated something: that a budget ended violates nothing. */
  readonly first: Hit | undefined;
  /** The first hit with the worst word that is not expected, or else the worst. */
  readonly shown: Hit | undefined;
  /** Digest of the last run. */
  readonly digest: string;
}

const hitOf = ({ scenario, word, expected, events, digest }: RunResult): Hit => ({
  seed: scenario.seed,
  word,
  expected,
  events,
  digest,
});

/** Runs a cell under `seeds` seeds, from the `from`-th on. */
export function tallyOf(scenario: Scenario, from: number, seeds: number): Tally {
  let tally: Tally | undefined;
  for (let i = from; i < from + seeds; i++) {
    const result = runScenario({ ...scenario, seed: nthSeed(scenario.seed, i) }, { lines: false });
    const { word, expected, events, digest } = result;
    const hit = word === 'ok' ? undefined : hitOf(result);
    const one: Tally = {
      runs: 1,
      hits: hit ? 1 : 0,
      fired: result.fired > 0 ? 1 : 0,
      unexpected: expected ? 0 : 1,
      events,
      words: { [word]: 1 },
      first: word === 'inconclusive' ? undefined : hit,
      shown: hit,
      digest,
    };
    tally = tally === undefined ? one : addTallies(tally, one);
  }
  if (tally === undefined) throw new ScenarioError('QL102', 'a tally takes at least one seed.');
  return tally;
}

/** Both together; `two` are the later seeds. What comes out is what one long tally gives. */
export function addTallies(one: Tally, two: Tally): Tally {
  const words: Partial<Record<VerdictWord, number>> = { ...one.words };
  for (const [word, count] of Object.entries(two.words) as [VerdictWord, number][])
    words[word] = (words[word] ?? 0) + count;
  return {
    runs: one.runs + two.runs,
    hits: one.hits + two.hits,
    fired: one.fired + two.fired,
    unexpected: one.unexpected + two.unexpected,
    events: one.events + two.events,
    words,
    first: one.first ?? two.first,
    shown: moreTelling(one.shown, two.shown),
    digest: two.digest,
  };
}

/** What was not to be expected says more, then what is worse, then what came first. */
function moreTelling(one: Hit | undefined, two: Hit | undefined): Hit | undefined {
  if (one === undefined || two === undefined) return one ?? two;
  if (one.expected !== two.expected) return one.expected ? two : one;
  return worst([one.word, two.word]) === one.word ? one : two;
}

/** The word of a tally: the worst that was seen. */
export const wordOf = ({ words }: Tally): VerdictWord => worst(Object.keys(words) as VerdictWord[]);

/** The 95 % upper bound on the rate of hits, in percent. */
export const boundOf = ({ hits, runs }: Tally): number => upper95(hits, runs);
