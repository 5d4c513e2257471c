/** The labs, in their order. */
import { ScenarioError } from '@quorumlab/harness';
import type { Lab } from './lab.ts';
import { lyingAcceptor } from './lying-acceptor.ts';
import { mendMutant, missingRule } from './rules-of-paxos.ts';

/** All of them. */
export const labs: readonly Lab[] = [lyingAcceptor, mendMutant, missingRule];

/** The lab of a number. Throws a ScenarioError (QL101) if there is none. */
export function labOf(which: string): Lab {
  const found = labs.find(({ number }) => String(number) === which);
  if (found !== undefined) return found;
  throw new ScenarioError('QL101', `There is no lab "${which}"; there are 1 to ${labs.length}.`);
}
