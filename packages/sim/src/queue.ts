/**
 * What is going to happen, in the order of (time, sequence number). A binary heap over typed
 * arrays; what belongs to an entry lies in a slot that is used again, so that pushing and popping
 * allocate nothing.
 */

/** What an entry is. */
export const entryKind = {
  message: 0,
  disk: 1,
  fault: 2,
  input: 3,
  start: 4,
  settled: 5,
  /** A sync that ended while its seat was paused. */
  acknowledged: 6,
} as const;

/** The queue. Read `top` fields only after {@link popEntry}. */
export interface EventQueue<P> {
  length: number;
  largest: number;
  time: Float64Array;
  order: Float64Array;
  slot: Int32Array;
  /** Per slot. */
  kind: Uint8Array;
  seat: Int32Array;
  cause: Int32Array;
  payload: (P | undefined)[];
  /** Free slots, a stack. */
  free: Int32Array;
  freeCount: number;
  topTime: number;
  topKind: number;
  topSeat: number;
  topCause: number;
  topPayload: P | undefined;
}

/** An empty queue. */
export function eventQueue<P>(capacity = 1024): EventQueue<P> {
  return {
    length: 0,
    largest: 0,
    time: new Float64Array(capacity),
    order: new Float64Array(capacity),
    slot: new Int32Array(capacity),
    kind: new Uint8Array(capacity),
    seat: new Int32Array(capacity),
    cause: new Int32Array(capacity),
    payload: [],
    free: new Int32Array(capacity).map((_, i) => capacity - 1 - i),
    freeCount: capacity,
    topTime: 0,
    topKind: 0,
    topSeat: 0,
    topCause: -1,
    topPayload: undefined,
  };
}

function grow<P>(queue: EventQueue<P>): void {
  const old = queue.time.length;
  const size = old * 2;
  const wider = <A extends { set(from: A): void }>(to: A, from: A): A => {
    to.set(from);
    return to;
  };
  queue.time = wider(new Float64Array(size), queue.time);
  queue.order = wider(new Float64Array(size), queue.order);
  queue.slot = wider(new Int32Array(size), queue.slot);
  queue.kind = wider(new Uint8Array(size), queue.kind);
  queue.seat = wider(new Int32Array(size), queue.seat);
  queue.cause = wider(new Int32Array(size), queue.cause);
  queue.free = new Int32Array(size);
  for (let i = size - 1; i >= old; i--) queue.free[queue.freeCount++] = i;
}

/** Adds an entry. `order` breaks ties of time; larger comes later. */
export function pushEntry<P>(
  queue: EventQueue<P>,
  time: number,
  order: number,
  kind: number,
  seat: number,
  payload: P,
  cause: number,
): void {
  if (queue.freeCount === 0) grow(queue);
  const slot = queue.free[--queue.freeCount] as number;
  queue.kind[slot] = kind;
  queue.seat[slot] = seat;
  queue.cause[slot] = cause;
  queue.payload[slot] = payload;
  const times = queue.time;
  const orders = queue.order;
  const slots = queue.slot;
  let at = queue.length++;
  if (queue.length > queue.largest) queue.largest = queue.length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const parentTime = times[parent] as number;
    if (parentTime < time || (parentTime === time && (orders[parent] as number) < order)) break;
    times[at] = parentTime;
    orders[at] = orders[parent] as number;
    slots[at] = slots[parent] as number;
    at = parent;
  }
  times[at] = time;
  orders[at] = order;
  slots[at] = slot;
}

/** Moves the first entry into the `top` fields. The queue must not be empty. */
export function popEntry<P>(queue: EventQueue<P>): void {
  const times = queue.time;
  const orders = queue.order;
  const slots = queue.slot;
  const slot = slots[0] as number;
  queue.topTime = times[0] as number;
  queue.topKind = queue.kind[slot] as number;
  queue.topSeat = queue.seat[slot] as number;
  queue.topCause = queue.cause[slot] as number;
  queue.topPayload = queue.payload[slot];
  queue.payload[slot] = undefined;
  queue.free[queue.freeCount++] = slot;
  const last = --queue.length;
  if (last === 0) return;
  const time = times[last] as number;
  const order = orders[last] as number;
  const half = last >> 1;
  let at = 0;
  while (at < half) {
    let child = 2 * at + 1;
    const right = child + 1;
    let childTime = times[child] as number;
    if (right < last) {
      const rightTime = times[right] as number;
      if (
        rightTime < childTime ||
        (rightTime === childTime && (orders[right] as number) < (orders[child] as number))
      ) {
        child = right;
        childTime = rightTime;
      }
    }
    if (time < childTime || (time === childTime && order < (orders[child] as number))) break;
    times[at] = childTime;
    orders[at] = orders[child] as number;
    slots[at] = slots[child] as number;
    at = child;
  }
  times[at] = time;
  orders[at] = order;
  slots[at] = slots[last] as number;
}
