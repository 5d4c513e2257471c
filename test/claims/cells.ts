/** The matrix of claims: what must hold, and what must break because nobody claims it. */
import type { VerdictWord } from '@quorumlab/checker';
import { ms, range } from '@quorumlab/core';
import {
  type Attack,
  attackOf,
  attacks,
  completeScenario,
  optionText,
  type ProtocolEntry,
  protocols,
  type RunResult,
  runScenario,
  type Scenario,
  type ScenarioFault,
  variantsOf,
} from '@quorumlab/harness';

/** A protocol in one situation, and the word that some seed must give, or all if it is `ok`. */
export interface Cell {
  readonly name: string;
  readonly scenario: Scenario;
  readonly word: VerdictWord;
}

/** Three times the patience of a group in one place: by then it is known whether it stalls. */
const until = ms(10_000);

function cellsOf(
  word: VerdictWord,
  given: Parameters<typeof completeScenario>[0],
  what?: string,
): readonly Cell[] {
  return variantsOf(completeScenario({ until, ...given })).map((scenario) => {
    const { protocol, n, f, attack, by } = scenario;
    const who = [protocol, optionText(scenario)].filter(Boolean).join(' ');
    const whom = by.length > 0 ? ` by ${by.join()}` : '';
    return { name: `${who} n=${n} f=${f}, ${what ?? attack}${whom}`, scenario, word };
  });
}

/** What lies do to protocols that trust every word of their members; others do nothing to them. */
const damage: Readonly<Record<string, VerdictWord>> = {
  'equivocating-leader': 'forked',
  'double-voter': 'forked',
  'lying-acceptor': 'forked',
  'f+1-traitors': 'forked',
  'wrong-reply-to-client': 'invalid',
};

/** The word that an attack with its usual number of traitors must give. */
function expectedWord(
  entry: ProtocolEntry,
  { name, needs, beyond, setsBack }: Attack,
): VerdictWord {
  const { claims, isCounted } = entry;
  if (needs !== 'byzantine') return 'ok';
  // While their counters work, liars cannot say two things; together they can lie to clients.
  if (isCounted && beyond) return setsBack ? 'forked' : 'invalid';
  if (claims.faults === 'byzantine') return beyond ? 'forked' : 'ok';
  return damage[name] ?? 'ok';
}

/** Not those that set back what a protocol does not have. */
const attacksOn = ({ isCounted }: ProtocolEntry): readonly Attack[] =>
  attacks.filter(({ setsBack }) => isCounted || setsBack !== true);

/** Every protocol, in every variant, under every attack, as small as it can be for f = 1. */
export const matrix: readonly Cell[] = protocols.flatMap((entry) =>
  attacksOn(entry).flatMap((attack) =>
    cellsOf(expectedWord(entry, attack), { protocol: entry.name, attack: attack.name }),
  ),
);

const isByzantine = ({ claims }: ProtocolEntry): boolean => claims.faults === 'byzantine';

/** All faults within the claims in larger groups: one replica to spare, two faults. */
export const larger: readonly Cell[] = protocols.flatMap((entry) => {
  const { name: protocol, claims } = entry;
  const sizes = [
    { n: claims.replicas(1) + 1, f: 1 },
    { n: claims.replicas(2), f: 2 },
    { n: claims.replicas(2) + 1, f: 2 },
  ];
  return attacks
    .filter(({ needs, beyond }) => needs !== 'byzantine' || (isByzantine(entry) && !beyond))
    .flatMap(({ name: attack }) =>
      sizes.flatMap((size) => {
        const by = attack === 'none' ? [] : range(size.f);
        return cellsOf('ok', { protocol, ...size, attack, by });
      }),
    );
});

const crashFor = (node: number): ScenarioFault => ({ type: 'crash', at: ms(1), node });
const amnesia: readonly ScenarioFault[] = range(6).flatMap((i): ScenarioFault[] => [
  { type: 'crash', at: ms(400 * (i + 1)), node: i % 3 },
  { type: 'restart', at: ms(400 * (i + 1) + 50), node: i % 3, disk: 'nothing' },
]);

const tooManyCrashes = ({ name: protocol, claims }: ProtocolEntry): readonly Cell[] => {
  const n = claims.replicas(1);
  return [
    ...cellsOf('stalled', { protocol, n: 2, f: 1, unsafe: true, faults: [crashFor(1)] }, 'a crash'),
    ...cellsOf('stalled', { protocol, n, faults: [crashFor(1), crashFor(2)] }, 'two crashes'),
    ...cellsOf('forked', { protocol, n, network: 'lossy', faults: amnesia }, 'forgetful restarts'),
  ];
};

const tooManyLies = ({ name: protocol, claims, isCounted }: ProtocolEntry): readonly Cell[] => {
  const n = claims.replicas(1);
  const small = { protocol, n: n - 1, f: 1, unsafe: true };
  return [
    ...(isCounted
      ? cellsOf('forked', { protocol, n: claims.replicas(2), attack: 'rollback-counter' })
      : [
          ...cellsOf('forked', { protocol, n, attack: 'double-voter', by: [0, 1] }),
          ...cellsOf('forked', { protocol, n: claims.replicas(2), attack: 'f+1-traitors' }),
        ]),
    ...cellsOf('stalled', { protocol, n, attack: 'silent-leader', by: [0, 1] }),
    ...cellsOf('stalled', { ...small, attack: 'silent-follower' }),
  ];
};

/** One fault too many for any protocol, or of a kind that nobody claims to survive. */
export const broke: readonly Cell[] = protocols.flatMap((entry) =>
  isByzantine(entry) ? tooManyLies(entry) : tooManyCrashes(entry),
);

/** What came of a cell. */
export interface Found {
  /** Its own word if it came up, else the first word that is not `ok`. */
  readonly word: VerdictWord;
  /** The scenario that gave it, for `runScenario`. */
  readonly scenario: Scenario;
  readonly sentence: string | undefined;
}

const isLying = ({ scenario }: Cell): boolean => attackOf(scenario.attack).needs === 'byzantine';

const firstRuns = new Map<Cell, RunResult>();

/** The run of seed 1, which is run once, whoever asks: where somebody lies, with its proofs. */
export function firstRun(cell: Cell): RunResult {
  const known = firstRuns.get(cell);
  if (known !== undefined) return known;
  const options = { lines: false, proofs: isLying(cell) };
  const result = runScenario({ ...cell.scenario, seed: '1' }, options);
  firstRuns.set(cell, result);
  return result;
}

/** All cells in which somebody lies. */
export const lying: readonly Cell[] = [...matrix, ...broke].filter(isLying);

/**
 * Runs a cell under seeds from 1 on, until one gives its word or, where it must hold, any other.
 * Throws if the attack never acted or a word was not to be expected by the claims: where it must
 * hold, that a budget has ended is none either.
 */
export function find(cell: Cell, seeds: number): Found {
  const { name, scenario, word } = cell;
  const needs = attacks.find((each) => each.name === scenario.attack)?.needs;
  let acted = needs === 'nothing';
  let other: Found | undefined;
  for (const i of range(seeds)) {
    const seed = `${i + 1}`;
    const result = i === 0 ? firstRun(cell) : runScenario({ ...scenario, seed }, { lines: false });
    acted ||= result.fired > 0;
    const sentence = result.violation?.sentence;
    const found = { word: result.word, scenario: result.scenario, sentence };
    if (!result.expected || (result.word === 'inconclusive' && result.claim.claimed))
      throw new Error(`${name}: ${result.word}, against the claims: ${sentence}; ${replay(found)}`);
    if (result.word !== 'ok') other ??= found;
    if (result.word !== 'ok' && (result.word === word || word === 'ok')) return found;
  }
  if (!acted) throw new Error(`${name}: the attack never acted in ${seeds} seeds`);
  return other ?? { word: 'ok', scenario, sentence: undefined };
}

/** The line that runs it again. */
export const replay = ({ scenario }: Found): string =>
  `replay: runScenario(${JSON.stringify(scenario)})`;
