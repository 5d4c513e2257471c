import { expect, test } from 'vitest';
import { Inbox } from './inbox.ts';
import { payerOf } from './payer.ts';

const limits = { waitingBytes: 1000 };
const each = { items: 100, bytes: 400 };
const self = 500;

/** Everything in the order of its turns, where each item of a sender costs as much as told. */
function served(inbox: Inbox<string>, costOf: (sender: number) => number, most = 1e6): string[] {
  const taken: string[] = [];
  for (let i = 0; i < most; i++) {
    const next = inbox.take();
    if (next === undefined) break;
    inbox.charge(next.sender, costOf(next.sender));
    taken.push(next.item);
  }
  return taken;
}

const count = (taken: readonly string[], name: string): number =>
  taken.filter((each) => each === name).length;

/** Puts in what there is room for; whether there was. */
function put(inbox: Inbox<string>, sender: number, item: string, bytes: number): boolean {
  const hasRoom = inbox.hasRoomFor(sender, each);
  if (hasRoom) inbox.push(sender, item, bytes);
  return hasRoom;
}

test('what waits of all senders together is bounded, and floods leave room for the others', () => {
  const inbox = new Inbox<string>(limits, self);
  const senders = 40;
  for (let round = 0; round < 100; round++)
    for (let sender = 0; sender < senders; sender++) put(inbox, sender, `${sender}`, 10);
  // Each has at least one frame, and all together hardly more than there is.
  expect(inbox.bytes).toBeLessThanOrEqual(limits.waitingBytes + senders * 10);
  const late = 99;
  expect(put(inbox, late, 'late', 10)).toBe(true);
  expect(new Set(served(inbox, () => 1)).size).toBe(senders + 1);
  expect(inbox.bytes).toBe(0);
  expect(put(inbox, 0, 'again', 300)).toBe(true);
});

test('one sender has its own bound, and a frame of full size always passes alone', () => {
  const inbox = new Inbox<string>(limits, self);
  expect(put(inbox, 1, 'large', 5000)).toBe(true);
  expect(put(inbox, 1, 'more', 10)).toBe(false);
  expect(put(inbox, 2, 'other', 300)).toBe(true);
  inbox.clear(1);
  expect(inbox.bytes).toBe(300);
  expect(put(inbox, 1, 'again', 400)).toBe(true);
  for (let i = 0; i < each.items; i++) expect(put(inbox, 3, 'small', 0)).toBe(true);
  expect(put(inbox, 3, 'small', 0)).toBe(false);
  inbox.take();
  expect(inbox.size).toBe(each.items + 1);
});

test('what has come although there was no room is kept all the same', () => {
  const inbox = new Inbox<string>(limits, self);
  for (let i = 0; i < 3; i++) inbox.push(1, `${i}`, 5000);
  expect(served(inbox, () => 1)).toEqual(['0', '1', '2']);
});

test('turns are shared out by what they cost and not by how many there are', () => {
  const inbox = new Inbox<string>(limits, self);
  for (let i = 0; i < 100; i++) for (const id of [0, 1]) inbox.push(id, `${id}`, 1);
  const taken = served(inbox, (sender) => (sender === 0 ? 900 : 100), 50);
  expect(count(taken, '0')).toBeLessThanOrEqual(6);
  expect(count(taken, '1')).toBeGreaterThanOrEqual(44);
});

test('no number of clients keeps members from their part, nor both the process itself', () => {
  const inbox = new Inbox<string>(limits, self);
  for (let i = 0; i < 20; i++) {
    for (let client = 65_536; client < 65_586; client++) inbox.push(client, 'client', 0);
    for (const member of [0, 1, 2]) inbox.push(member, `${member}`, 0);
    for (let k = 0; k < 10; k++) inbox.pushOwn('own');
  }
  const taken = served(inbox, () => 10, 70);
  expect(count(taken, 'own')).toBeGreaterThanOrEqual(38);
  expect(count(taken, 'client')).toBeLessThanOrEqual(11);
  for (const member of [0, 1, 2]) expect(count(taken, `${member}`)).toBeGreaterThanOrEqual(6);
});

test('what a member passes on has a client’s part, and its votes do not wait behind it', () => {
  const inbox = new Inbox<string>(limits, self);
  for (let i = 0; i < 30; i++) {
    inbox.push(payerOf(1, true), 'relay', 0);
    inbox.push(65_536, 'client', 0);
  }
  for (let i = 0; i < 10; i++) inbox.push(payerOf(1, false), 'vote', 0);
  const taken = served(inbox, (sender) => (sender === 1 ? 10 : 1_000), 20);
  expect(count(taken, 'vote')).toBe(10);
  expect(count(taken, 'relay')).toBe(5);
  expect(count(taken, 'client')).toBe(5);
});

test('who had nothing to do saves up no turns, and who was served loses none', () => {
  const inbox = new Inbox<string>(limits, self);
  for (let i = 0; i < 50; i++) inbox.push(0, '0', 0);
  served(inbox, () => 100, 40);
  for (let i = 0; i < 50; i++) inbox.push(1, '1', 0);
  const taken = served(inbox, () => 100, 10);
  expect(Math.abs(count(taken, '0') - count(taken, '1'))).toBeLessThanOrEqual(1);
});

test('an item that is put back comes first of its sender, and is counted once', () => {
  const inbox = new Inbox<string>(limits, self);
  for (const item of ['a', 'b']) inbox.push(1, item, 10);
  for (let left = 2; left > 0; left--) {
    const first = inbox.take()?.item ?? '';
    inbox.putBack(1, first);
    expect([inbox.size, inbox.bytes]).toEqual([left, 10 * left]);
    expect(inbox.take(() => false)).toBeUndefined();
    expect(inbox.take()?.item).toBe(first);
  }
  expect([inbox.size, inbox.bytes]).toEqual([0, 0]);
  inbox.push(1, 'c', 10);
  expect(inbox.take()?.item).toBe('c');
});
