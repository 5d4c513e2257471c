/** The matrix of claims: what must hold, and what must break because nobody claims it. */
import type { VerdictWord } from '@quorumlab/checker';
import { ms, range } from '@quorumlab/core';
import {
  attacks,
  completeScenario,
  protocols,
  runScenario,
  type Scenario,
  type ScenarioFault,
} from '@quorumlab/harness';

/** A claim: no seed may give anything but `ok`. */
export interface Held {
  readonly name: string;
  readonly scenario: Scenario;
}

/** An over-claim: this seed must give this word. */
export interface Broken extends Held {
  readonly word: VerdictWord;
}

const until = ms(30_000);
const named = (scenario: Scenario, what?: string): string =>
  `${scenario.protocol} n=${scenario.n} f=${scenario.f}, ${what ?? scenario.attack}` +
  (scenario.by.length > 0 ? ` by ${scenario.by.join()}` : '');

/** All faults within the claims, at the smallest and a larger group for f = 1 and f = 2. */
export const held: readonly Held[] = protocols.flatMap(({ name: protocol, claims }) =>
  [1, 2].flatMap((f) =>
    [claims.replicas(f), claims.replicas(f) + 1].flatMap((n) =>
      attacks
        .filter(({ needs }) => needs !== 'byzantine' || claims.faults === 'byzantine')
        .map(({ name: attack }) => {
          const by = attack === 'none' ? [] : range(f);
          const scenario = completeScenario({ protocol, n, f, attack, by, until });
          return { name: named(scenario), scenario };
        }),
    ),
  ),
);

const crashFor = (node: number): ScenarioFault => ({ type: 'crash', at: ms(1), node });
const amnesia: readonly ScenarioFault[] = range(6).flatMap((i): ScenarioFault[] => [
  { type: 'crash', at: ms(400 * (i + 1)), node: i % 3 },
  { type: 'restart', at: ms(400 * (i + 1) + 50), node: i % 3, disk: 'nothing' },
]);

function broken(
  word: VerdictWord,
  given: Parameters<typeof completeScenario>[0],
  what?: string,
): Broken {
  const scenario = completeScenario({ until, ...given });
  return { name: named(scenario, what), scenario, word };
}

const split = { n: 2, f: 1, unsafe: true } as const;
const small = { n: 3, f: 1, unsafe: true } as const;

/** One fault too many, or of a kind that is not claimed; each with a seed that shows it. */
export const broke: readonly Broken[] = [
  broken('forked', { protocol: 'raft', n: 3, attack: 'equivocating-leader', seed: '1' }),
  broken('forked', { protocol: 'raft', n: 5, attack: 'equivocating-leader', seed: '1' }),
  broken('forked', { protocol: 'raft', n: 3, attack: 'double-voter', seed: '1' }),
  broken('forked', { protocol: 'raft', n: 5, attack: 'double-voter', seed: '1' }),
  broken('stalled', { protocol: 'raft', ...split, faults: [crashFor(1)], seed: '1' }, 'a crash'),
  broken(
    'stalled',
    { protocol: 'raft', n: 3, faults: [crashFor(1), crashFor(2)], seed: '1' },
    'two crashes',
  ),
  broken(
    'forked',
    { protocol: 'raft', n: 3, network: 'lossy', faults: amnesia, seed: '5' },
    'restarts with lost disks',
  ),
  broken('forked', { protocol: 'pbft', n: 4, attack: 'double-voter', by: [0, 1], seed: '1' }),
  broken('forked', { protocol: 'pbft', n: 7, attack: 'double-voter', by: [0, 1, 2], seed: '1' }),
  broken('stalled', { protocol: 'pbft', n: 4, attack: 'silent-leader', by: [0, 1], seed: '1' }),
  broken('stalled', { protocol: 'pbft', ...small, attack: 'equivocating-leader', seed: '1' }),
  broken('stalled', { protocol: 'pbft', ...small, attack: 'silent-follower', seed: '1' }),
];

/** What to do about a cell whose seed no longer shows what it should, for its failure. */
export function advice({ scenario, word }: Broken, seeds: number): string {
  const words = range(seeds).map((i) => runScenario({ ...scenario, seed: `${i + 1}` }).word);
  const first = words.indexOf(word) + 1;
  return first === 0
    ? `no seed of ${seeds} gives ${word}: what is not claimed holds, or the attack is too weak`
    : `seed ${first} of ${seeds} still gives ${word}: store that one`;
}
