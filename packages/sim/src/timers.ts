/**
 * Timers that are armed, in the order of (time, sequence number): a heap that knows where each
 * timer stands, so that setting one again moves it and clearing one removes it. There is never
 * more than one entry per armed timer, however often it is set.
 */

/** One timer of one seat. */
export interface Timer {
  readonly seat: number;
  readonly name: string;
  /** Hash of the name, for the rolling digest. */
  readonly hash: number;
  time: number;
  order: number;
  /** Where it stands in the heap; -1 if it is not armed. */
  place: number;
  /** The event that set it, in the trace. */
  cause: number;
}

/** A timer that is not armed. */
export const makeTimer = (seat: number, name: string, hash: number): Timer => ({
  seat,
  name,
  hash,
  time: 0,
  order: 0,
  place: -1,
  cause: -1,
});

const before = (one: Timer, two: Timer): boolean =>
  one.time < two.time || (one.time === two.time && one.order < two.order);

function rise(heap: Timer[], timer: Timer, from: number): void {
  let at = from;
  while (at > 0) {
    const parent = heap[(at - 1) >> 1] as Timer;
    if (before(parent, timer)) break;
    heap[at] = parent;
    parent.place = at;
    at = (at - 1) >> 1;
  }
  heap[at] = timer;
  timer.place = at;
}

function sink(heap: Timer[], timer: Timer, from: number): void {
  const { length } = heap;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    const right = child + 1;
    if (right < length && before(heap[right] as Timer, heap[child] as Timer)) child = right;
    const smaller = heap[child] as Timer;
    if (before(timer, smaller)) break;
    heap[at] = smaller;
    smaller.place = at;
    at = child;
  }
  heap[at] = timer;
  timer.place = at;
}

/** Arms a timer, or moves it if it is armed. */
export function armTimer(heap: Timer[], timer: Timer, time: number, order: number): void {
  const place = timer.place;
  const later = time > timer.time || (time === timer.time && order > timer.order);
  timer.time = time;
  timer.order = order;
  if (place < 0) {
    heap.push(timer);
    rise(heap, timer, heap.length - 1);
  } else if (later) sink(heap, timer, place);
  else rise(heap, timer, place);
}

/** Disarms a timer; nothing happens if it is not armed. */
export function disarmTimer(heap: Timer[], timer: Timer): void {
  const { place } = timer;
  if (place < 0) return;
  timer.place = -1;
  const last = heap.pop() as Timer;
  if (last === timer) return;
  if (place > 0 && before(last, heap[(place - 1) >> 1] as Timer)) rise(heap, last, place);
  else sink(heap, last, place);
}
