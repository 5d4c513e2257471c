/** A random run: clients that append and read, ranges that change, and all that may go wrong. */
import { type Instant, ms } from '@quorumlab/core';
import type { Deed } from './deeds.ts';
import { anyFaults } from './faults.ts';
import type { World } from './world.ts';
import type { ShardPace } from './world-options.ts';

const keys = ['a', 'b', 'x', 'y'];
/** When clients begin: some groups have leaders by then. */
const start: Instant = ms(350);
/** When everything is healed. */
const end: Instant = ms(1200);

/** Leases and patience so short that a second has several of them; who has nothing to do rests. */
export const swarmPace: ShardPace = {
  ...{ lease: ms(150), patience: ms(250) },
  ...{ every: ms(10), rest: ms(30) },
};

/** All that may happen in a world, in the order in which it is asked for. */
export function swarmPlan(made: World): readonly Deed[] {
  const { random } = made;
  const plan: Deed[] = anyFaults(made, start, end).map((fault) => ({ kind: 'fault', fault }));
  const between = (low: number, high: number): number => ms(low + random.below(high - low));
  // One client goes and never comes back: others bring what it began to an end.
  if (random.below(2) === 0) {
    const fault = { type: 'crash', at: between(380, 1100), seat: made.client(2) } as const;
    plan.push({ kind: 'fault', fault });
  }
  const some = (): string[] => keys.filter(() => random.below(3) === 0);
  for (let at = start; at < end; at += between(5, 95)) {
    const client = random.below(3);
    const appends = some();
    if (random.below(3) > 0 && appends.length > 0)
      plan.push({ kind: 'append', at, client, appends, reads: some() });
    else {
      const read = some();
      const timestamp = random.below(2) === 0 ? undefined : at - ms(random.below(200));
      plan.push({ kind: 'read', at, client, keys: read, timestamp });
    }
  }
  const border = random.below(2) === 0 ? 'b' : 'y';
  return [
    ...plan,
    { kind: 'split', at: between(400, 800), client: random.below(2), border },
    { kind: 'merge', at: between(700, 1150), client: random.below(2), border },
    { kind: 'move', at: between(400, 750), client: 0, first: 'n', from: 1, to: 0 },
    { kind: 'move', at: between(700, 1100), client: 1, first: '', from: 0, to: 1 },
  ];
}

/** Lets deeds happen, until all has ended, or long enough for that. */
export function swarm(made: World, deeds: readonly Deed[]): void {
  const { simulation } = made;
  for (const deed of deeds) made.do(deed);
  while (simulation.now < end || made.open() > 0 || made.openMoves() > 0)
    if (simulation.now > ms(20_000) || !simulation.runUntil(simulation.now + ms(20))) break;
}
