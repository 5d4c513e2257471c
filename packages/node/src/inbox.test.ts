import { expect, test } from 'vitest';
import { Inbox } from './inbox.ts';

const limits = { waitingPerPeer: 1000, waitingBytesPerPeer: 400, waitingBytes: 1000 };

test('what waits of all senders together is bounded, and floods leave room for the others', () => {
  const inbox = new Inbox<string>(limits);
  const senders = 40;
  for (let round = 0; round < 100; round++)
    for (let sender = 0; sender < senders; sender++) inbox.push(sender, `${sender}`, 10);
  // Each has at least one frame, and all together hardly more than there is.
  expect(inbox.bytes).toBeLessThanOrEqual(limits.waitingBytes + senders * 10);
  const late = 99;
  expect(inbox.push(late, 'late', 10)).toBe(true);
  const taken: string[] = [];
  for (let next = inbox.take(); next !== undefined; next = inbox.take()) taken.push(next);
  expect(new Set(taken).size).toBe(senders + 1);
  expect(inbox.bytes).toBe(0);
  expect(inbox.push(0, 'again', 300)).toBe(true);
});

test('one sender has its own bound, and a frame of full size always passes alone', () => {
  const inbox = new Inbox<string>(limits);
  expect(inbox.push(1, 'large', 5000)).toBe(true);
  expect(inbox.push(1, 'more', 10)).toBe(false);
  expect(inbox.push(2, 'other', 300)).toBe(true);
  inbox.clear(1);
  expect(inbox.bytes).toBe(300);
  expect(inbox.push(1, 'again', 400)).toBe(true);
});
