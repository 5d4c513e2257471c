/** A random run: clients that append and read, ranges that move, and all that may go wrong. */
import { type Instant, ms } from '@quorumlab/core';
import type { Deed } from './deeds.ts';
import { anyFaults } from './faults.ts';
import type { World } from './world.ts';

const keys = ['a', 'b', 'x', 'y'];
/** When everything is healed. */
const end: Instant = ms(3000);

/** All that may happen in a world, in the order in which it is asked for. */
export function swarmPlan(made: World): readonly Deed[] {
  const { random } = made;
  const plan: Deed[] = anyFaults(made, 2, 3, end).map((fault) => ({ kind: 'fault', fault }));
  // One client goes and never comes back: others bring what it began to an end.
  if (random.below(2) === 0) {
    const fault = {
      type: 'crash',
      at: ms(700 + random.below(2000)),
      seat: made.client(2),
    } as const;
    plan.push({ kind: 'fault', fault });
  }
  const some = (): string[] => keys.filter(() => random.below(3) === 0);
  for (let at = ms(600); at < end; at += ms(20 + random.below(80))) {
    const client = random.below(3);
    const appends = some();
    if (random.below(3) > 0 && appends.length > 0)
      plan.push({ kind: 'append', at, client, appends, reads: some() });
    else {
      const read = some();
      const timestamp = random.below(2) === 0 ? undefined : at - ms(random.below(400));
      plan.push({ kind: 'read', at, client, keys: read, timestamp });
    }
  }
  plan.push({
    kind: 'move',
    at: ms(900 + random.below(900)),
    client: 0,
    first: 'n',
    from: 1,
    to: 0,
  });
  plan.push({
    kind: 'move',
    at: ms(2000 + random.below(500)),
    client: 1,
    first: '',
    from: 0,
    to: 1,
  });
  return plan;
}

/** Lets deeds happen, until all has ended, or long enough for that. */
export function swarm(made: World, deeds: readonly Deed[]): void {
  const { simulation } = made;
  for (const deed of deeds) made.do(deed);
  while (simulation.now < end || made.open() > 0 || made.openMoves() > 0)
    if (simulation.now > ms(20_000) || !simulation.runUntil(simulation.now + ms(50))) break;
}
