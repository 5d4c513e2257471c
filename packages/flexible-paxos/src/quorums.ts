/**
 * Quorum systems as people write them, as the log carries them, and as the protocol asks them.
 * A text is part of every configuration in the log, so all replicas read the same.
 */
import {
  grid,
  type Phases,
  QuorumError,
  type ReplicaId,
  requireOverlap,
  threshold,
  weighted,
} from '@quorumlab/core';
import { encodeChange } from '@quorumlab/multi-paxos';

/** Any `q1` members promise, any `q2` accept; every two meet if q1 + q2 is above the members. */
export interface Simple {
  readonly kind: 'simple';
  readonly q1: number;
  readonly q2: number;
}

/**
 * The members, ascending, fill `rows` rows of `columns` each from left to right. A whole row
 * promises; one member of every row accepts, for example a column.
 */
export interface Grid {
  readonly kind: 'grid';
  readonly rows: number;
  readonly columns: number;
}

/** Replica i weighs `weights[i]`; members that weigh `q1` together promise, `q2` accept. */
export interface Weights {
  readonly kind: 'weights';
  readonly weights: readonly number[];
  readonly q1: number;
  readonly q2: number;
}

/** Who has to promise and who has to accept. */
export type Quorums = Simple | Grid | Weights;

/** `quorums` as the log carries it: `simple 4 2`, `grid 2x3`, `weights 3,1,1 4 2`. */
export function quorumText(quorums: Quorums): string {
  switch (quorums.kind) {
    case 'simple':
      return `simple ${quorums.q1} ${quorums.q2}`;
    case 'grid':
      return `grid ${quorums.rows}x${quorums.columns}`;
    case 'weights':
      return `weights ${quorums.weights.join(',')} ${quorums.q1} ${quorums.q2}`;
  }
}

const simpleForm = /^simple (\d{1,9}) (\d{1,9})$/;
const gridForm = /^grid (\d{1,4})x(\d{1,4})$/;
const weightsForm = /^weights (\d{1,9}(?:,\d{1,9})*) (\d{1,9}) (\d{1,9})$/;

/** What stands for more than half of the members in both phases, however many they are. */
export const majorityText = 'majority';

/**
 * The opposite of {@link quorumText}; {@link majorityText} is of `members`. Throws core's
 * QuorumError for any other text.
 */
export function parseQuorums(text: string, { length }: readonly ReplicaId[] = []): Quorums {
  if (text === majorityText && length > 0) {
    const majority = Math.floor(length / 2) + 1;
    return { kind: 'simple', q1: majority, q2: majority };
  }
  const simple = simpleForm.exec(text);
  if (simple !== null) return { kind: 'simple', q1: Number(simple[1]), q2: Number(simple[2]) };
  const cells = gridForm.exec(text);
  if (cells !== null) return { kind: 'grid', rows: Number(cells[1]), columns: Number(cells[2]) };
  const heavy = weightsForm.exec(text);
  if (heavy !== null)
    return {
      kind: 'weights',
      weights: (heavy[1] as string).split(',').map(Number),
      q1: Number(heavy[2]),
      q2: Number(heavy[3]),
    };
  throw new QuorumError(
    `"${text}" names no quorums; write e.g. simple 4 2, grid 2x3 or weights 3,1,1 4 2`,
  );
}

/**
 * The two quorum systems of a group with these members, ascending. Throws core's QuorumError if
 * they cannot be formed. Whether they meet is another question: see core's `requireOverlap`.
 */
export function phasesOf(members: readonly ReplicaId[], quorums: Quorums): Phases {
  switch (quorums.kind) {
    case 'simple':
      return {
        phase1: threshold(members, quorums.q1),
        phase2: threshold(members, quorums.q2),
      };
    case 'grid':
      return grid(rowsOf(members, quorums));
    case 'weights': {
      const weights = new Map(members.map((each) => [each, weightOf(quorums, each)]));
      return { phase1: weighted(weights, quorums.q1), phase2: weighted(weights, quorums.q2) };
    }
  }
}

function rowsOf(members: readonly ReplicaId[], { rows, columns }: Grid): ReplicaId[][] {
  if (rows * columns !== members.length || rows === 0)
    throw new QuorumError(
      `a grid of ${rows}x${columns} has ${rows * columns} places for ${members.length} members; ` +
        'give each member one',
    );
  return Array.from({ length: rows }, (_, row) =>
    members.slice(row * columns, (row + 1) * columns),
  );
}

function weightOf({ weights }: Weights, member: ReplicaId): number {
  const weight = weights[member];
  if (weight === undefined)
    throw new QuorumError(
      `replica ${member} has no weight: there are ${weights.length}, for replica 0 and up`,
    );
  return weight;
}

/** What a group survives, whoever it is that crashes. */
export interface Tolerance {
  /** So many may be down, and a leader that has been elected goes on deciding. */
  readonly maxCrashSteady: number;
  /** So many may be down, and a new leader can be elected. */
  readonly maxCrashElection: number;
}

/** What quorums survive: see {@link Tolerance}. The smaller number is what a group survives. */
export const toleranceOf = ({ phase1, phase2 }: Phases): Tolerance => ({
  maxCrashSteady: phase2.tolerates,
  maxCrashElection: phase1.tolerates,
});

/**
 * What a client submits to change who is in the group and what its quorums are. It is ordered like
 * any request and governs the slots from alpha after its own on. Throws core's QuorumError, which
 * names two quorums that share nobody, before anything is sent; replicas refuse the same.
 */
export function encodeQuorumChange(members: readonly ReplicaId[], quorums: Quorums): Uint8Array {
  const ascending = [...members].sort((one, two) => one - two);
  requireOverlap(phasesOf(ascending, quorums));
  return encodeChange(ascending, quorumText(quorums));
}
