/** What a lesson runs: a scenario in the simulator, of shards too, or the schedule of a mutant. */
import type { VerdictWord } from '@quorumlab/checker';
import {
  attackOf,
  commandLine,
  completeScenario,
  costOfRun,
  type ExhibitedRun,
  type Exhibition,
  exhibit,
  headline,
  narrate,
  overlapOf,
  protocolOf,
  runScenario,
  type Scenario,
  type StoryLine,
  type Told,
  taleOf,
  taleOfExhibit,
} from '@quorumlab/harness';
import {
  completeShardScenario,
  intervalText,
  runShards,
  type ShardCommit,
  type ShardRun,
  type ShardScenario,
  shardCommand,
  shardHeadline,
  shardSize,
} from '@quorumlab/harness/shards';
import { traceBuffer } from '@quorumlab/sim';

/** A scenario; what it leaves out is filled in as everywhere else. */
export interface RunExperiment {
  readonly scenario: Partial<Scenario> & Pick<Scenario, 'protocol'>;
}

/** The schedule that exposes a mutant, played with the mutant or with the right protocol. */
export interface ScheduleExperiment {
  readonly protocol: string;
  readonly mutant: string;
  readonly rule: 'right' | 'wrong';
}

/** Transactions over two groups, by clocks that may be wrong; what it leaves out is as usual. */
export interface ShardExperiment {
  readonly shards: Partial<ShardScenario>;
}

/** Something that can be run, and comes out the same wherever it is. */
export type Experiment = RunExperiment | ScheduleExperiment | ShardExperiment;

/** What a run has shown, by names that texts use: `{broken.sentence}`. */
export type Facts = Readonly<Record<string, string | number>>;

/** What came of an experiment: plain data. */
export interface Outcome {
  /** What ran, in one line. */
  readonly headline: string;
  readonly protocol: string;
  readonly mutant?: string;
  readonly n: number;
  readonly f: number;
  readonly word: VerdictWord;
  /** What was violated, or that nothing was. */
  readonly sentence: string;
  /** Who lied. */
  readonly liars: readonly number[];
  /** What happened, in sentences. */
  readonly story: readonly string[];
  /** What every node did; times of a schedule are thousands of steps. */
  readonly lines: readonly StoryLine[];
  /** What seats are called; n and their number unless told. */
  readonly seats?: readonly string[];
  /** Of a run of shards: its transactions, with the clocks that stamped them. */
  readonly commits?: readonly ShardCommit[];
  readonly facts: Facts;
  readonly digest: string;
  /** How to see the same on the command line. */
  readonly command: string;
  /** Of a run in the simulator: its trace. */
  readonly trace?: string;
}

/** The experiment without what was done to it: the right rule, no attack, no faults. */
export const mended = (experiment: Experiment): Experiment => {
  if ('shards' in experiment) {
    const { mutant: _, beyond: __, ...rest } = experiment.shards;
    return { shards: rest };
  }
  if (!('scenario' in experiment)) return { ...experiment, rule: 'right' };
  const { mutant: _, attack: __, by: ___, faults: ____, ...rest } = experiment.scenario;
  return { scenario: rest };
};

/** Schedules are played with both rules at once, so what one lesson asks for twice is kept. */
export type Played = Map<string, Exhibition>;

/**
 * Runs an experiment. `traced` keeps its trace. Throws a ScenarioError if there is no such
 * protocol, mutant or option.
 */
export function outcomeOf(
  experiment: Experiment,
  {
    traced = false,
    played = new Map(),
  }: { readonly traced?: boolean; readonly played?: Played } = {},
): Outcome {
  if ('scenario' in experiment) return ran(completeScenario(experiment.scenario), traced);
  if ('shards' in experiment) return sharded(completeShardScenario(experiment.shards), traced);
  const { protocol, mutant, rule } = experiment;
  const key = `${protocol} ${mutant}`;
  const exhibition = played.get(key) ?? exhibit(protocolOf(protocol), mutant);
  played.set(key, exhibition);
  return shown(exhibition, exhibition[rule], rule);
}

function ran(scenario: Scenario, traced: boolean): Outcome {
  const trace = traced ? traceBuffer() : undefined;
  const result = runScenario(scenario, { proofs: true, story: true, ...(trace && { trace }) });
  const { protocol, mutant, n, f, attack, by } = scenario;
  const { word, violation, answered, story, digest, proofs } = result;
  const liars = attackOf(attack).needs === 'byzantine' ? by : [];
  const culprits = [...new Set(proofs.map(({ signer }) => signer))].sort((one, two) => one - two);
  const sentence = violation?.sentence ?? `${answered} operations answered, and all agree`;
  const cost = costOfRun(result);
  return {
    headline: headline(scenario),
    ...{ protocol, n, f, word, sentence, liars, digest },
    ...(mutant === undefined ? {} : { mutant }),
    story: narrate(taleOf(result)),
    lines: story,
    facts: {
      ...{ protocol, n, f, word, sentence, answered, asked: scenario.count, digest },
      ...{ messages: cost.messages, syncs: cost.syncs, perCommit: cost.messagesPerCommit },
      ...{ proofs: proofs.length, culprits: names(culprits), convicted: culprits.length },
      fired: result.fired,
      ...factsOf(taleOf(result)),
    },
    command: commandLine(scenario),
    ...(trace && { trace: trace.text() }),
  };
}

function sharded(scenario: ShardScenario, traced: boolean): Outcome {
  const trace = traced ? traceBuffer() : undefined;
  const run = runShards(scenario, trace && { trace });
  const { word, sentence, digest, story, seats, commits } = run;
  const { protocol, mutant } = scenario;
  return {
    headline: shardHeadline(scenario),
    ...{ protocol, word, sentence, digest, seats, commits },
    ...{ n: shardSize.n, f: shardSize.f, liars: [] },
    ...(mutant === undefined ? {} : { mutant }),
    story: run.brokenBound === undefined ? [] : [`${run.brokenBound}.`],
    lines: story,
    facts: { ...factsOfShards(run), ...(mutant === undefined ? {} : { mutant }) },
    command: shardCommand(scenario),
    ...(trace && { trace: trace.text() }),
  };
}

/** What a run of shards tells that lessons speak of: its first two transactions, and counts. */
function factsOfShards(run: ShardRun): Facts {
  const { scenario, word, sentence, transactions, outOfOrder, stale, commits, digest } = run;
  const milliseconds = (time: number): string => `${Math.round(time / 100) / 10} ms`;
  return {
    ...{ protocol: scenario.protocol, word, sentence, transactions, stale, digest },
    late: outOfOrder,
    ...{ bound: milliseconds(scenario.bound), latency: milliseconds(run.latency) },
    ...factsOfCommit('first', commits[0]),
    ...factsOfCommit('second', commits[1]),
  };
}

function factsOfCommit(name: string, commit: ShardCommit | undefined): Facts {
  if (commit?.at === undefined) return {};
  const { at, begun, told, stamped, over } = commit;
  return {
    [name]: commit.name,
    ...{ [`${name}At`]: at, [`${name}Begun`]: begun, [`${name}Told`]: told },
    ...(stamped === undefined ? {} : { [`${name}Clock`]: intervalText(stamped.clock) }),
    ...(over === undefined ? {} : { [`${name}Over`]: intervalText(over.clock) }),
  };
}

function shown(exhibition: Exhibition, run: ExhibitedRun, rule: 'right' | 'wrong'): Outcome {
  const { protocol, mutant, n, f, story: schedule } = exhibition;
  const { word, violation, liars, steps, digest } = run;
  const told = taleOfExhibit(exhibition, run);
  const sentence = violation?.sentence ?? 'nothing goes wrong under this schedule';
  return {
    headline:
      rule === 'wrong'
        ? `${protocol} with the mutant ${mutant}`
        : `the right ${protocol} under the schedule of ${mutant}`,
    ...{ protocol, n, f, word, sentence, liars, digest },
    ...(rule === 'right' ? {} : { mutant }),
    story: narrate(told),
    lines: run.story,
    facts: {
      ...{ protocol, mutant, n, f, word, sentence, schedule, steps, digest },
      ...factsOf(told),
    },
    command: `quorumlab attack ${protocol} --mutant ${mutant}`,
  };
}

/** What a story tells that lessons speak of. */
function factsOf(told: Told): Facts {
  const { story, liars } = told;
  const overlap = overlapOf(told);
  const leaders = new Set(story.filter(({ kind }) => kind === 'leads').map(({ seat }) => seat));
  const slots = new Set(story.flatMap(({ kind, slot }) => (kind === 'commits' ? [slot] : [])));
  const [one, two] = overlap?.quorums ?? [];
  return {
    liars: names(liars),
    leaders: names([...leaders]),
    changes: story.filter(({ kind }) => kind === 'leads').length,
    positions: slots.size,
    ...(one === undefined ? {} : { value: one.value, behind: names(one.members) }),
    ...(two === undefined ? {} : { other: two.value, behindOther: names(two.members) }),
    ...(overlap?.both === undefined ? {} : { both: names(overlap.both) }),
    ...(overlap?.size === undefined ? {} : { quorum: overlap.size }),
    ...(overlap?.shared === undefined ? {} : { shared: overlap.shared }),
  };
}

/** `n1`, `n1 and n2`, `n1, n2 and n3`; `nobody`. */
function names(seats: readonly number[]): string {
  const all = seats.map((id) => `n${id}`);
  return all.length < 2 ? (all[0] ?? 'nobody') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}
