/** Turns of the groups of one process. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Commons } from './commons.ts';
import { hostLimits } from './host-limits.ts';
import { Inbox } from './inbox.ts';
import { Loop } from './loop.ts';
import { now } from './time.ts';

const busyUntil = (end: number): void => {
  while (now() < end);
};

test('a group that always has more to do leaves the others their turns', async () => {
  const loop = new Loop(2);
  const turns = [0, 0, 0];
  const flooded = (until: number): void => {
    turns[0]!++;
    busyUntil(until);
    loop.schedule(flooded);
  };
  const others = [1, 2].map((i) => {
    const other = (): void => {
      turns[i]!++;
      loop.schedule(other);
    };
    return other;
  });
  for (const each of [flooded, ...others]) loop.schedule(each);
  for (let i = 0; i < 30; i++) await turn();
  for (const each of [flooded, ...others]) loop.leave(each);
  const [first, ...rest] = turns as [number, number, number];
  // In equal numbers, whatever each of them takes.
  for (const each of rest) expect(Math.abs(each - first)).toBeLessThanOrEqual(1);
  expect(first).toBeGreaterThan(5);
});

test('what one peer has waiting in all groups together is what it may have', () => {
  const limits = hostLimits({ waitingPerPeer: 10 });
  const commons = new Commons(limits);
  const inboxes = [0, 1, 2, 3, 4].map(() => new Inbox<string>(limits, 9, commons.loads));
  for (const inbox of inboxes) for (let i = 0; i < 2; i++) inbox.push(1, 'frame', 100);
  expect(commons.waitingOf(1)).toEqual({ items: 10, bytes: 1000 });
  expect(commons.busyMs(1)).toBeGreaterThan(0);
  expect(commons.busyMs(2)).toBe(0);
  inboxes[3]?.take();
  expect(commons.busyMs(1)).toBe(0);
  // One that ends gives back what it held.
  for (const inbox of inboxes) inbox.clearAll();
  expect(commons.waitingOf(1)).toEqual({ items: 0, bytes: 0 });
});

test('what one peer causes in any group is paid from one budget', () => {
  const commons = new Commons(hostLimits({ memberWorkPerSecond: 1_000, savedWorkSeconds: 1 }));
  commons.paid(1, 10_000_000);
  expect(commons.busyMs(1)).toBe(250);
  expect(commons.busyMs(2)).toBe(0);
});

test('where all groups together have too much waiting for the disk, they wait for it', async () => {
  const commons = new Commons(hostLimits({ waitingOutputBytes: 100 }));
  const ran: string[] = [];
  commons.outputs(60);
  expect(commons.isFull).toBe(false);
  commons.outputs(60);
  expect(commons.isFull).toBe(true);
  commons.whenRoom(() => void ran.push('after'));
  await turn();
  expect(ran).toEqual([]);
  commons.outputs(-60);
  await turn();
  await turn();
  expect(ran).toEqual(['after']);
});
