/** Labs 2 and 3: a rule of Basic Paxos that is wrong, and one that is missing. */
import { basicPaxos } from '@quorumlab/basic-paxos';
import { exhibits, type Mutant } from '@quorumlab/basic-paxos/mutants';
import {
  completeScenario,
  type Exhibition,
  exhibit,
  type ProtocolEntry,
  protocolEntry,
} from '@quorumlab/harness';
import { foundIn, type Graded, hidden, type Lab, type Solution, unfit } from './lab.ts';

/** The rules that somebody else can write. */
type Rules = NonNullable<Parameters<typeof basicPaxos>[1]>;

/** What a rule of a solution has thrown, if anything. */
interface Caught {
  error?: unknown;
}

/** A rule that tells what it throws. */
const watched =
  <A extends readonly unknown[], R>(rule: (...args: A) => R, caught: Caught) =>
  (...args: A): R => {
    try {
      return rule(...args);
    } catch (error) {
      caught.error ??= error;
      throw error;
    }
  };

/** Basic Paxos with a rule of somebody's, to which the schedules of `mutants` can be played. */
const entryWith = (rules: Rules, mutants: readonly Mutant[]): ProtocolEntry =>
  protocolEntry({
    title: 'Basic Paxos with a rule of your own.',
    right: (options) => basicPaxos(options, rules),
    mutants: Object.fromEntries(
      mutants.map((name) => [
        name,
        (options: Parameters<typeof basicPaxos>[0]) => basicPaxos(options, rules),
      ]),
    ),
    exhibits,
  });

function graded(
  rules: Rules,
  mutants: readonly Mutant[],
  seeds: number,
  caught: Caught,
  lab: number,
) {
  const entry = entryWith(rules, mutants);
  for (const mutant of mutants) {
    const played = playedWith(entry, mutant);
    if (played === undefined || caught.error !== undefined) return threw(caught.error);
    const { story, wrong } = played;
    if (wrong.violation !== undefined)
      return {
        ...{ passed: false, runs: 0, events: wrong.steps },
        sentences: [
          `It comes to ${wrong.word} in a schedule of ${wrong.steps} steps: ` +
            `${wrong.violation.sentence}.`,
          `The schedule: ${story} Which of what a proposer or a learner hears may it count on?`,
        ],
      };
  }
  const scenario = completeScenario({
    ...{ protocol: 'basic-paxos', n: 3, f: 1, network: 'lossy', count: 4, clients: 4 },
    seed: hidden(lab),
    faults: [
      { type: 'crash', at: 2_000, node: 0 },
      { type: 'restart', at: 40_000, node: 0 },
    ],
  });
  const found = foundIn(scenario, seeds, entry);
  if (caught.error !== undefined) return threw(caught.error);
  return judged(found);
}

/** The schedule of a mutant; nothing if it ended in an error of the rule. */
function playedWith(entry: ProtocolEntry, mutant: Mutant): Exhibition | undefined {
  try {
    return exhibit(entry, mutant);
  } catch {
    return undefined;
  }
}

const threw = (error: unknown): Graded =>
  unfit(`Your rule threw ${String(error)}: it is asked in every run, and must answer.`);

function judged(found: ReturnType<typeof foundIn>): Graded {
  const { runs, hits, events, sentence } = found;
  const least = events === undefined ? '' : `, in ${events} events at least`;
  if (hits === 0)
    return {
      ...found,
      passed: true,
      sentences: [
        `No violation in its schedules, and none in ${runs} runs that you were not told of.`,
      ],
    };
  return {
    ...found,
    passed: false,
    sentences: [
      `${hits} of ${runs} runs go wrong${least}: ${sentence}.`,
      'If nothing is ever answered, the rule is too strict; if two values are decided, too kind.',
    ],
  };
}

const ruleIn = (solution: Solution, name: string): ((...args: never[]) => never) | undefined =>
  typeof solution[name] === 'function'
    ? (solution[name] as (...args: never[]) => never)
    : undefined;

/** Mend the rule of which value a proposer takes over. */
export const mendMutant: Lab = {
  number: 2,
  title: 'Mend the rule of values',
  task: [
    'A proposer has the promises of a majority, each with the proposal that its acceptor ' +
      'accepted last, or null. The rule below forks. Which value must be proposed, if any?',
    'It is marked by the schedules that break the usual mistakes, and by lossy runs with a crash ' +
      'under seeds that you are not told.',
  ],
  skeleton: `// Each report is null or { ballot, value }. Return a value, or null if it is free.
export function choose(reports) {
  const first = reports.find((report) => report !== null);
  return first === undefined ? null : first.value;
}
`,
  grade(solution, _text, seeds) {
    const rule = ruleIn(solution, 'choose');
    if (rule === undefined) return unfit('Export a function "choose", as the file to begin with.');
    const caught: Caught = {};
    const broken = ['wrong-value-rule', 'most-frequent-value', 'highest-value'] as const;
    return graded({ choose: watched(rule, caught) }, broken, seeds, caught, 2);
  },
};

/** Fill in the rule of which votes count together. */
export const missingRule: Lab = {
  number: 3,
  title: 'Fill in the rule of votes',
  task: [
    'A learner hears of accepted proposals, and counts those that are alike: a majority of them ' +
      'has chosen a value. The rule is missing. When are two of them alike?',
    'It is marked by the schedule that breaks the usual mistake, and by lossy runs with a crash ' +
      'under seeds that you are not told.',
  ],
  skeleton: `// Each vote is { ballot, value }; a value has from, life, sequence and operations.
export function alike(one, two) {
  throw new Error('to be written');
}
`,
  grade(solution, _text, seeds) {
    const rule = ruleIn(solution, 'alike');
    if (rule === undefined) return unfit('Export a function "alike", as the file to begin with.');
    const caught: Caught = {};
    return graded({ alike: watched(rule, caught) }, ['learner-mixes-ballots'], seeds, caught, 3);
  },
};
