import { type Scenario, subjectsOf, swarmWorld } from '@quorumlab/harness';

/** The random world of `seed` for `protocol`, with its first rule set if it has several. */
export function swarm(protocol: string, seed: number): Scenario {
  const [first] = subjectsOf(protocol);
  if (first === undefined) throw new Error(`${protocol} has no rule set`);
  return swarmWorld(first, seed).scenario;
}
