/** The arrays of a search, and the order of time in which it meets invocations and returns. */
import { range } from '@quorumlab/core';
import type { Call } from './history.ts';

/** Words of 32 bits for so many bits. */
export const wordsFor = (bits: number): number => (bits + 31) >>> 5;

/** Invocations and returns as lists: see `Search`. */
interface Events extends Links {
  readonly callAt: Int32Array;
  readonly invokeNode: Int32Array;
  readonly returnNode: Int32Array;
}

interface Links {
  readonly next: Int32Array;
  readonly previous: Int32Array;
}

/** The node behind those of all invocations and returns: the head of the calls that are open. */
export const openHeadOf = ({ length }: readonly unknown[], returned: number): number =>
  length + returned + 1;

/** The arrays of a search, `Search`, of at most so many calls. */
export interface Space extends Events {
  readonly most: number;
  readonly taken: Int32Array;
  readonly takenOpen: Int32Array;
  readonly stack: Int32Array;
  readonly states: Int32Array;
  readonly highest: Int32Array;
  readonly furthestStack: Int32Array;
}

/** Room for searches of up to so many calls is made at once, and used again: most are small. */
const smallCalls = 256;
/** Of a small search that has ended, for the next one: to ask for memory costs more than it. */
const spare: Space[] = [];

/** Room for a search of so many calls; what is in it is what the last search has left there. */
export function spaceFor(calls: number): Space {
  if (calls > smallCalls) return makeSpace(calls);
  return spare.pop() ?? makeSpace(smallCalls);
}

/** The search is over, and nobody looks at its arrays any more. */
export function giveSpaceBack(space: Space): void {
  if (space.most === smallCalls && spare.length === 0) spare.push(space);
}

/** They live equally long, so they share memory. */
function makeSpace(most: number): Space {
  const nodes = 2 * most + 2;
  const { buffer } = new Int32Array(3 * nodes + 6 * most + 2 + 2 * wordsFor(most));
  let used = 0;
  const array = (length: number): Int32Array => {
    used += length;
    return new Int32Array(buffer, 4 * (used - length), length);
  };
  return {
    most,
    next: array(nodes),
    previous: array(nodes),
    callAt: array(nodes),
    invokeNode: array(most),
    returnNode: array(most),
    taken: array(wordsFor(most)),
    takenOpen: array(wordsFor(most)),
    stack: array(most),
    states: array(most + 1),
    highest: array(most + 1),
    furthestStack: array(most),
  };
}

/**
 * Calls that returned, in the order in which they did. They come in the order of their invocations,
 * so each is put before those that it overlaps, which are few; where they are many, all are sorted.
 */
function byReturn(calls: readonly Call<unknown, unknown>[], returned: number): readonly number[] {
  const at = (call: number): number => (calls[call] as Call<unknown, unknown>).returnedAt as number;
  const order: number[] = [];
  let left = overlapsOfCall * returned;
  for (let call = 0; call < returned; call++) {
    const mine = at(call);
    let place = call;
    for (; place > 0 && at(order[place - 1] as number) > mine; place--, left--)
      order[place] = order[place - 1] as number;
    order[place] = call;
    if (left < 0) return range(returned).sort((one, two) => at(one) - at(two));
  }
  return order;
}

/** Above so many overlaps for each call, sorting takes less. */
const overlapsOfCall = 16;

/**
 * Both sorts of calls are in the order of their invocations. At one instant invocations come before
 * returns: calls that touch are concurrent.
 */
export function orderEvents(
  calls: readonly Call<unknown, unknown>[],
  returned: number,
  events: Events,
): void {
  const { next, previous, callAt, invokeNode, returnNode } = events;
  const { length } = calls;
  const openHead = openHeadOf(calls, returned);
  next[0] = previous[0] = 0;
  next[openHead] = previous[openHead] = openHead;
  callAt[0] = callAt[openHead] = -1;
  returnNode.fill(0, returned, length);
  const returns = byReturn(calls, returned);
  const invokedAt = (call: number, end: number): number =>
    call < end ? (calls[call] as Call<unknown, unknown>).invokedAt : Infinity;
  const returnedAt = (place: number): number =>
    place < returned
      ? ((calls[returns[place] as number] as Call<unknown, unknown>).returnedAt as number)
      : Infinity;
  let closing = 0;
  let opening = returned;
  for (let node = 1, gone = 0; node < openHead; node++) {
    const mine = invokedAt(closing, returned);
    const other = invokedAt(opening, length);
    const ended = returnedAt(gone);
    const isReturn = closing + opening === length + returned || (ended < mine && ended < other);
    const isMine = opening === length || (closing < returned && mine <= other);
    const call = isReturn ? (returns[gone++] as number) : isMine ? closing++ : opening++;
    (isReturn ? returnNode : invokeNode)[call] = node;
    callAt[node] = call;
    const head = call < returned ? 0 : openHead;
    previous[node] = previous[head] as number;
    next[node] = head;
    relink(events, node);
  }
}

/** Takes a node out of its list. */
export function unlink({ next, previous }: Links, node: number): void {
  next[previous[node] as number] = next[node] as number;
  previous[next[node] as number] = previous[node] as number;
}

/** Undoes {@link unlink}; nodes come back in the opposite order. */
export function relink({ next, previous }: Links, node: number): void {
  next[previous[node] as number] = node;
  previous[next[node] as number] = node;
}
