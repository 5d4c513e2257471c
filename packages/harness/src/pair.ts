/** What two runs side by side are made of: plain data, the same in the controls and in a link. */
import { attackOf } from './attacks.ts';
import { completeScenario } from './defaults.ts';
import { type Edit, edited } from './edits.ts';
import { readOption } from './options.ts';
import { protocolOf, toleratedBy } from './protocols.ts';
import type { Reads } from './read-words.ts';
import { type Scenario, ScenarioError } from './scenario.ts';

/** Nodes by their indices; nothing: whom the attack takes. */
export type Traitors = readonly number[] | undefined;

/** Everything that can be chosen. */
export interface Settings {
  readonly protocols: readonly [left: string, right: string];
  /** A wrong variant of each, or an empty text. */
  readonly mutants: readonly [left: string, right: string];
  /** Whether both survive as many faults, or have as many replicas. */
  readonly same: 'f' | 'n';
  readonly f: number;
  readonly n: number;
  readonly attack: string;
  /** Who is faulty on each side, if that is not left to the attack. */
  readonly by: readonly [left: Traitors, right: Traitors];
  /** What was changed by hand on each side. */
  readonly edits: readonly [left: readonly Edit[], right: readonly Edit[]];
  readonly network: string;
  readonly clocks: string;
  /** What reads promise. */
  readonly reads: Reads;
  readonly workload: string;
  readonly count: number;
  readonly clients: number;
  /** Operations that one client has under way at once. */
  readonly outstanding: number;
  /** What each protocol is told besides, as `--option` takes it: `electionTimeout=1s`. */
  readonly options: readonly [left: readonly string[], right: readonly string[]];
  readonly crypto: Scenario['crypto'];
  readonly seed: string;
}

/** The experiment of the first page: the same runs as `quorumlab demo` on the command line. */
export const demo: Settings = {
  protocols: ['raft', 'pbft'],
  mutants: ['', ''],
  same: 'f',
  f: 1,
  n: 4,
  attack: 'equivocating-leader',
  by: [undefined, undefined],
  edits: [[], []],
  network: 'lan',
  clocks: 'perfect',
  reads: 'quorum',
  workload: 'contest',
  count: 2,
  clients: 2,
  outstanding: 1,
  options: [[], []],
  crypto: 'ed25519',
  seed: '42',
};

/**
 * Sizes at most: what a page can run while somebody waits. Operations are drawn from a workload by
 * the seed, so a link of many is as short as one of few.
 */
export const most = { n: 31, f: 10, count: 2000, clients: 64, outstanding: 64, options: 16 };

/** Networks by what they are named for people. */
export const networks: readonly string[] = [
  'lan',
  'wan',
  'lossy',
  'async',
  'psync:gst=1s,delta=20ms',
];

/** Errors of clocks that can be chosen. */
export const clocks: readonly string[] = [
  'perfect',
  'offset=5ms',
  'offset=5ms,drift=100ppm,epsilon=7ms',
  'truetime',
];

/** The scenario of one side. Throws a ScenarioError that says what cannot be. */
export function scenarioOf(settings: Settings, side: 0 | 1): Scenario {
  const { attack, network, workload, count, clients, outstanding, crypto, seed, reads } = settings;
  const protocol = settings.protocols[side];
  const mutant = settings.mutants[side];
  const entry = protocolOf(protocol);
  const { claims } = entry;
  const size =
    settings.same === 'f'
      ? { n: claims.replicas(settings.f), f: settings.f }
      : { n: settings.n, f: toleratedBy(claims, settings.n) };
  attackOf(attack);
  if (workload === 'file')
    throw new ScenarioError(
      'QL107',
      'A link holds no file of operations; choose another workload, or run the file at a ' +
        'terminal and open its trace.',
    );
  const by = settings.by[side];
  const told = settings.options[side].map((each) => readOption(entry, each));
  const scenario = completeScenario({
    ...{ protocol, ...size, attack, network, clocks: settings.clocks },
    ...{ workload, count, clients, outstanding, crypto, seed },
    ...(mutant === '' ? {} : { mutant }),
    // As protocols read unless told, so that nothing else is in older links.
    ...(reads === 'quorum' ? {} : { reads }),
    ...(by === undefined ? {} : { by }),
    ...(told.length === 0 ? {} : { options: Object.assign({}, ...told) }),
  });
  return edited(scenario, settings.edits[side]);
}

/** What makes two sides comparable, in words: nobody should have to guess. */
export const comparedAt = ({ same, f, n }: Settings): string =>
  same === 'f'
    ? `at the same f = ${f}, so with as many replicas as each needs for it`
    : `at the same n = ${n}, so each built for as many faults as that allows`;
