/** A random run: clients that append and read, ranges that move, and all that may go wrong. */
import { type Instant, ms } from '@quorumlab/core';
import { anyFaults } from './faults.ts';
import type { World } from './world.ts';

const keys = ['a', 'b', 'x', 'y'];
/** When everything is healed. */
const end: Instant = ms(3000);

/** Lets everything that may happen happen, until all has ended, or long enough for that. */
export function swarm(made: World): void {
  const { random, simulation } = made;
  for (const fault of anyFaults(made, 2, 3, end)) simulation.inject(fault);
  // One client goes and never comes back: others bring what it began to an end.
  if (random.below(2) === 0)
    simulation.inject({ type: 'crash', at: ms(700 + random.below(2000)), seat: made.client(2) });
  const some = (): string[] => keys.filter(() => random.below(3) === 0);
  for (let at = ms(600); at < end; at += ms(20 + random.below(80))) {
    const client = random.below(3);
    const appends = some();
    if (random.below(3) > 0 && appends.length > 0) made.append(at, client, appends, some());
    else
      made.read(at, client, some(), random.below(2) === 0 ? undefined : at - ms(random.below(400)));
  }
  made.move(ms(900 + random.below(900)), 0, 'n', 1, 0);
  made.move(ms(2000 + random.below(500)), 1, '', 0, 1);
  while (simulation.now < end || made.open() > 0 || made.moves.length < 2)
    if (simulation.now > ms(20_000) || !simulation.runUntil(simulation.now + ms(50))) break;
}
