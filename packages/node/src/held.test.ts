/**
 * Queues whose entries are taken one by one keep their places, and must not keep what was in them:
 * under load a queue is never empty, and each frame may be a megabyte.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Backlog } from './backlog.ts';
import { Inbox } from './inbox.ts';
import { Unread } from './turns.ts';

setFlagsFromString('--expose-gc');
// What that flag adds to contexts which are made after it.
const collect = runInNewContext('gc') as () => void;

const limits = { waitingBytes: 1e6 };

/** How many are still held by something; a turn of the loop lets go of what a test looked at. */
async function held(all: readonly WeakRef<object>[]): Promise<number> {
  await turn();
  collect();
  return all.filter((each) => each.deref() !== undefined).length;
}

/** Fills and half empties a queue, of which `waiting` things are left to be taken. */
function halfTaken(add: (item: { readonly bytes: Uint8Array }) => void, take: () => void) {
  const all: WeakRef<object>[] = [];
  for (let i = 0; i < 10; i++) {
    const item = { bytes: new Uint8Array(100_000) };
    all.push(new WeakRef(item.bytes.buffer));
    add(item);
  }
  for (let i = 0; i < 6; i++) take();
  return all;
}

test('an inbox holds nothing that was taken from it', async () => {
  const inbox = new Inbox<object>(limits, 0);
  const all = halfTaken(
    (item) => void inbox.push(1, item, 10),
    () => void inbox.take(),
  );
  expect(await held(all)).toBe(4);
  for (let i = 0; i < 4; i++) inbox.take();
  expect(await held(all)).toBe(0);
  expect(inbox.size).toBe(0);
});

test('what has come of a peer and was read is not held', async () => {
  const unread = new Unread();
  const all = halfTaken(
    ({ bytes }) => unread.push(bytes),
    () => void unread.take(100_000),
  );
  expect(await held(all)).toBe(4);
  expect(unread.bytes).toBe(400_000);
});

test('pieces of work that are done hold nothing', async () => {
  const backlog = new Backlog();
  const all = halfTaken(
    ({ bytes }) => backlog.add(() => void bytes.length),
    () => backlog.run(0),
  );
  expect(await held(all)).toBe(4);
  expect(backlog.waits).toBe(true);
});
