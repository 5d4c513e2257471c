import { OptionsError, type Phases, type ReplicaId, range } from '@quorumlab/core';
import type { MultiPaxosOptions } from '@quorumlab/multi-paxos';
import { parseQuorums, phasesOf, type Quorums, toleranceOf } from './quorums.ts';
import type { Rules } from './rules.ts';

/** How a group runs Flexible Paxos: as Multi-Paxos, and with which quorums it begins. */
export interface Options extends Omit<MultiPaxosOptions, 'quorums'> {
  /** How many members, or how much weight, promise. Unless told: what meets `q2`, or a majority. */
  readonly q1?: number;
  /** How many members, or how much weight, accept. Unless told: just enough to meet `q1`. */
  readonly q2?: number;
  /** A grid in place of numbers: '2x3' has two rows of three. */
  readonly grid?: string;
  /** What each replica weighs, in place of 1: '3,1,1,1'. */
  readonly weights?: string;
}

/** A configured group: what Multi-Paxos is told, and the quorums with which the log begins. */
export interface Group {
  readonly quorums: Quorums;
  readonly multi: MultiPaxosOptions;
}

/** Checks `options` and fills in what they leave out. Throws {@link OptionsError}. */
export function groupOf(options: Options, rules: Rules): Group {
  const { q1: _, q2: __, grid: ___, weights: ____, ...rest } = options;
  const first = quorumsOf(options);
  const multi: MultiPaxosOptions = {
    ...rest,
    f: faultsOf(options, first),
    // The text comes from the log; there is none before the first change.
    quorums: (members, told) =>
      rules.phases(members, told === '' ? first : parseQuorums(told, members)),
  };
  return { quorums: first, multi };
}

/** The quorums with which a group of these options begins. */
function quorumsOf(options: Options): Quorums {
  const { grid, weights } = options;
  if (grid !== undefined) {
    if (options.q1 !== undefined || options.q2 !== undefined || weights !== undefined)
      throw new OptionsError(
        `a grid of ${grid} is told together with q1, q2 or weights; tell one or the other`,
      );
    return parseQuorums(`grid ${grid}`);
  }
  const total = weights === undefined ? membersOf(options).length : sumOf(weights);
  const q1 =
    options.q1 ?? (options.q2 === undefined ? Math.floor(total / 2) + 1 : total + 1 - options.q2);
  const q2 = options.q2 ?? total + 1 - q1;
  return parseQuorums(
    weights === undefined ? `simple ${q1} ${q2}` : `weights ${weights} ${q1} ${q2}`,
  );
}

const sumOf = (weights: string): number =>
  weights.split(',').reduce((sum, each) => sum + Number(each), 0);

const membersOf = ({ n, initialMembers }: Options): readonly ReplicaId[] =>
  [...new Set(initialMembers ?? range(n))].sort((one, two) => one - two);

/** How many crashes of any members the group survives, in both of its phases. */
function faultsOf(options: Options, quorums: Quorums): number {
  const phases: Phases = phasesOf(membersOf(options), quorums);
  const { maxCrashSteady, maxCrashElection } = toleranceOf(phases);
  const most = Math.min(maxCrashSteady, maxCrashElection);
  const { f = most, unsafe = false } = options;
  if (f > most && !unsafe)
    throw new OptionsError(
      `these quorums go on deciding after ${maxCrashSteady} crashes and elect a leader after ` +
        `${maxCrashElection}, so they survive ${most} and not ${f}; use f = ${most} or others`,
    );
  return f;
}
