/**
 * Who proposes. In each turn every member gains as much priority as it weighs, whoever has most
 * proposes, and pays the weight of all: so in as many turns as all weigh each has as many as it
 * weighs, spread evenly. It follows from height and round alone, on every replica alike.
 */
import type { ReplicaId } from '@quorumlab/core';

/** The proposers of one cycle of turns; equal weights give 0, 1, 2, … */
export function rotationOf(weights: readonly number[]): readonly ReplicaId[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const priorities = weights.map(() => 0);
  const turns: ReplicaId[] = [];
  for (let turn = 0; turn < total; turn++) {
    for (const [i, weight] of weights.entries()) priorities[i] = (priorities[i] as number) + weight;
    // Of equal ones the first is next.
    const next = priorities.indexOf(Math.max(...priorities));
    priorities[next] = (priorities[next] as number) - total;
    turns.push(next);
  }
  return turns;
}

/** Lowest terms: what all weigh has no common divisor, so that a cycle is as short as it can be. */
export function lowest(weights: readonly number[]): readonly number[] {
  const divisor = weights.reduce(commonDivisor, 0);
  return weights.map((weight) => weight / divisor);
}

function commonDivisor(one: number, other: number): number {
  let [a, b] = [one, other];
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
