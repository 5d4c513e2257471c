/** What may befall shards, and is over in the end. */
import { ms, range } from '@quorumlab/core';
import type { Fault } from '@quorumlab/sim';
import type { World } from './world.ts';

/** Faults of two groups of three that a correct system survives, and that are over at `end`. */
export function anyFaults(
  { random, member, keeper: keeperSeat }: World,
  start: number,
  end: number,
): readonly Fault[] {
  const faults: Fault[] = [];
  const [groups, n] = [2, 3];
  const between = (low: number, high: number): number => low + random.below(high - low);
  for (const group of range(groups)) {
    for (let i = random.below(3); i > 0; i--) {
      const seat = member(group, random.below(n));
      const at = between(start, end - ms(100));
      faults.push({ type: 'crash', at, seat });
      faults.push({ type: 'restart', at: Math.min(end, at + between(ms(30), ms(500))), seat });
    }
    if (random.below(2) === 0) {
      const at = between(start, end - ms(100));
      const seat = keeperSeat(group, random.below(2));
      faults.push({ type: 'pause', at, seat });
      faults.push({ type: 'resume', at: Math.min(end, at + between(ms(20), ms(500))), seat });
    }
    if (random.below(2) === 0) {
      const cut = range(n).map((each) => member(group, each));
      const alone = cut.splice(random.below(n), 1);
      const from = random.below(2) === 0 ? alone : cut;
      const to = from === alone ? cut : alone;
      faults.push({ type: 'cut', at: between(start, end - ms(100)), from, to });
    }
  }
  faults.push({ type: 'heal', at: end });
  return faults.sort((one, other) => one.at - other.at);
}
