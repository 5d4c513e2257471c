/** Why a quorum has the size it has: what becomes of a group if it is set to any other. */
import type { VerdictWord } from '@quorumlab/checker';
import { ms, type OptionValues, range } from '@quorumlab/core';
import { otherHalf } from './attacks.ts';
import { completeScenario, variantsOf } from './defaults.ts';
import { protocolOf } from './protocols.ts';
import type { Scenario } from './scenario.ts';
import { search, summarise } from './search.ts';

/** What is to be tried. */
export interface QuorumTrial {
  readonly protocol: string;
  readonly n: number;
  readonly f: number;
  /** Runs of each of the two experiments, per size. */
  readonly seeds: number;
  /** What else all scenarios share: options, network, first seed. */
  readonly shared?: Partial<Pick<Scenario, 'options' | 'network' | 'seed' | 'until'>>;
}

/** One experiment under some seeds. */
export interface TrialOutcome {
  readonly word: VerdictWord;
  readonly hits: number;
  readonly runs: number;
  /** The first run that violated something, or the first of all; to be run again. */
  readonly scenario: Scenario;
  /** What was violated there. */
  readonly sentence?: string;
}

/** What became of quorums of one size. */
export interface QuorumRow {
  readonly quorum: number;
  /** The rule set, if the protocol has several. */
  readonly options?: OptionValues;
  /** How many replicas two quorums share at least. */
  readonly shared: number;
  /** How many of these are honest at least: f of them may lie, if the protocol expects lies. */
  readonly honest: number;
  /** Whether there is a quorum without any f. */
  readonly lives: boolean;
  /** Two halves that hear nothing of each other, with f liars in both if there may be any. */
  readonly parted: TrialOutcome;
  /** f replicas that say nothing. */
  readonly silent: TrialOutcome;
  readonly outcome: 'forks' | 'stalls' | 'forks and stalls' | 'ok';
  /** Whether arithmetic allows it: what must not fork did not, and what must not stall did not. */
  readonly expected: boolean;
}

/** The two experiments for quorums of size `quorum`. Lies need liars, and crashes need crashes. */
function experiments({ protocol, n, f, shared }: QuorumTrial, quorum: number) {
  const base = { ...shared, protocol, n, f, quorum, unsafe: true } as const;
  const few = range(f);
  const { until } = completeScenario(base);
  if (protocolOf(protocol).claims.faults === 'byzantine')
    return {
      parted: completeScenario({ ...base, attack: 'double-voter', by: few }),
      silent: completeScenario({ ...base, attack: 'silent-follower', by: few }),
    };
  const second = otherHalf(n, []);
  const first = range(n).filter((id) => !second.includes(id));
  const apart = { type: 'split', at: ms(1), groups: [first, second] } as const;
  const again = { type: 'heal', at: Math.floor(until / 2) } as const;
  const crashes = few.map((node) => ({ type: 'crash', at: ms(1), node }) as const);
  return {
    parted: completeScenario({ ...base, faults: [apart, again] }),
    silent: completeScenario({ ...base, faults: crashes }),
  };
}

function outcomeOf(scenario: Scenario, seeds: number): TrialOutcome {
  const { word, hits, runs, first } = summarise(search(scenario, seeds), seeds);
  const sentence = first?.violation?.sentence;
  return {
    ...{ word, hits, runs },
    scenario: first?.scenario ?? scenario,
    ...(sentence === undefined ? {} : { sentence }),
  };
}

/**
 * Runs the protocol with every size of a quorum from 1 to n, and every rule set that it has: once
 * with two halves parted, to see two quorums decide two things, and once with f replicas silent, to
 * see none be found. Throws a ScenarioError for a protocol whose quorums cannot be set by hand.
 */
export function* quorumRows(trial: QuorumTrial): Generator<QuorumRow> {
  const { protocol, n, f, seeds } = trial;
  const liars = protocolOf(protocol).claims.faults === 'byzantine' ? f : 0;
  for (const quorum of range(n + 1).slice(1)) {
    const { parted, silent } = experiments(trial, quorum);
    for (const variant of variantsOf(parted)) {
      const { options } = variant;
      const told = options ? { options } : {};
      const apart = outcomeOf(variant, seeds);
      const quiet = outcomeOf({ ...silent, ...told }, seeds);
      const shared = Math.max(0, 2 * quorum - n);
      const honest = Math.max(0, shared - liars);
      const lives = quorum <= n - f;
      const words = [apart.word, quiet.word];
      const forks = words.includes('forked') || words.includes('invalid');
      const stalls = words.includes('stalled');
      yield {
        ...{ quorum, shared, honest, lives, parted: apart, silent: quiet },
        ...told,
        outcome: forks ? (stalls ? 'forks and stalls' : 'forks') : stalls ? 'stalls' : 'ok',
        expected: !(forks && honest > 0) && !(stalls && lives),
      };
    }
  }
}
