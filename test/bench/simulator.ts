/** The simulator by itself: a leader that counts aloud, followers that save and acknowledge. */
import { lan, simulate, ssd } from '@quorumlab/sim';
import {
  believing,
  type Counting,
  countingMessages,
  countingSeats,
} from '../../packages/sim/fixtures/counting.ts';
import { heapLoop } from './limits.ts';
import { cpuSince, inTurns, type Part } from './measure.ts';

/** Events per second of CPU time of a protocol that does next to nothing. Disks take time. */
function eventRate(events: number): number {
  const simulation = simulate<Counting>({
    messages: countingMessages,
    keyring: believing,
    seats: countingSeats(3, { disk: ssd }),
    network: lan,
    seed: 42,
    limits: { events },
  });
  const began = process.cpuUsage();
  simulation.run();
  return simulation.events / cpuSince(began);
}

/** See {@link eventRate}. */
export const simulatorAlone: Part = async ({ quick }) => {
  const found = await inTurns(quick ? 3 : 7, {
    events: () => eventRate(quick ? 500_000 : 1_000_000),
    heap: () => heapLoop(2_000_000),
  });
  return [
    {
      part: 'simulator',
      name: 'n=3, a protocol that only counts, no checkers',
      value: found.events,
      unit: 'events/s',
      limit: { name: 'bare binary heap, 1,000 pending', value: found.heap },
      note: 'messages, timers, disks, digests; nothing is signed',
    },
  ];
};
