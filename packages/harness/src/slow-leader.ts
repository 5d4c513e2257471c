/** The attack on leases: a leader whose clock is slow, cut off from all but its clients. */
import { ms } from '@quorumlab/core';
import { driftIn } from './network-and-clock.ts';
import type { Scenario, ScenarioFault } from './scenario.ts';

/** As far from the true rate as a simulated clock goes: a tenth, in parts per billion. */
const wrongMost = 100_000_000;

/**
 * n0 leads, then its clock is slow and those of the others are fast: by as much as the scenario's
 * clocks drift, or by a tenth where they are perfect. It is cut off from them, and n1 runs for
 * leader as soon as the others believe that n0's lease is over.
 */
export function slowLeader({ n, options, clocks: told }: Scenario): readonly ScenarioFault[] {
  const wrongBy = told === 'perfect' ? wrongMost : driftIn(told);
  const fast = 1 + wrongBy / 1e9;
  const slow = 1 - wrongBy / 1e9;
  const timeout = options?.electionTimeout;
  const patience = typeof timeout === 'number' ? timeout : ms(300);
  // Who has just started waits for an election timeout, and n0 is the first for whom it is over.
  const elected = Math.ceil(patience / slow) + ms(1);
  // Soon after a heartbeat, so that the lease has just begun; usually there are ten in a timeout.
  const cut = elected + Math.ceil((8 * patience) / 10 / slow) + Math.ceil(patience / 50);
  // Nobody has heard n0 later than a little after the cut.
  const over = cut + Math.ceil(patience / fast) + Math.ceil(patience / 50);
  const clocks = (at: number, of0: number): readonly ScenarioFault[] =>
    Array.from({ length: n }, (_, node) => {
      const driftPerBillion = node === 0 ? of0 : -of0;
      return { type: 'skew', at, node, driftPerBillion } as const;
    });
  const others = Array.from({ length: n - 1 }, (_, i) => i + 1);
  return [
    ...clocks(0, wrongBy),
    { type: 'timeout', at: elected, node: 0 },
    ...clocks(elected + ms(1), -wrongBy),
    { type: 'split', at: cut, groups: [[0], others] },
    { type: 'timeout', at: over, node: 1 },
    { type: 'heal', at: cut + Math.ceil((5 * patience) / 4) },
  ];
}
