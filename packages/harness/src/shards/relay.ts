/**
 * One after the other: a client commits in one group and tells the next, which then commits in the
 * other group. Whoever hears of a commit also has somebody read it, by a clock of its own.
 */
import { type Instant, ms } from '@quorumlab/core';
import type { World } from './world.ts';

/** A key of each group. */
const keyOf = (group: number): string => (group === 0 ? 'a' : 'x');

/** When the first begins: leaders and keepers are there. */
const start: Instant = ms(800);

/** How long it takes to tell somebody, in microseconds. */
const telling = 100;

/**
 * Runs `count` transactions, one after the other, and a read after each of them; `isAsked` may
 * leave out what has a number: twice that of the transaction, and one more for its read.
 */
export function relay(made: World, count: number, isAsked: (deed: number) => boolean): void {
  const { simulation, history } = made;
  simulation.runUntil(start);
  for (let i = 0; i < count; i++) {
    if (isAsked(2 * i)) {
      const before = countTransactions(made);
      made.append(simulation.now + telling, i % 2, [keyOf(i % 2)]);
      while (countTransactions(made) === before)
        if (simulation.now > ms(20_000) || !simulation.step()) return;
      if (history.at(-1)?.at === undefined) continue;
    }
    if (isAsked(2 * i + 1)) made.read(simulation.now + telling, 2, [keyOf(i % 2)]);
  }
  // The last reader has not been told yet.
  simulation.runUntil(simulation.now + 2 * telling);
  while (made.open() > 0)
    if (simulation.now > ms(20_000) || !simulation.runUntil(simulation.now + ms(20))) break;
}

const countTransactions = ({ history }: World): number =>
  history.filter(({ isRead }) => !isRead).length;
