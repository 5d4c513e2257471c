/** What waits to be stepped, by sender, in a queue each; served by what it costs. */
import { type InboxLimits, type InboxLoad, Loads } from './loads.ts';
import { isPassedOn } from './payer.ts';
import { isClient } from './principal.ts';

/** Where an item waits. It is gone once it is taken: nothing here may hold it any longer. */
interface Slot<T> {
  item: T | undefined;
  readonly bytes: number;
}

interface Queue<T> {
  readonly sender: number;
  readonly rank: Rank;
  items: Slot<T>[];
  /** How many of `items` have been taken: shifting a long array again and again is slow. */
  taken: number;
  bytes: number;
  /** Work done for it, on the scale of its rank. */
  served: number;
}

/** Those among whom work is shared out in equal parts. */
interface Rank {
  /** Its part of the work, beside those of the other ranks that have something to do. */
  readonly weight: number;
  /** Work done for all of it, by its weight. */
  served: number;
  /** Where queues that had nothing to do begin again. */
  now: number;
  /** Queues that hold something. */
  active: Set<unknown>;
}

/** The next item and whose it is. */
export interface Taken<T> {
  readonly sender: number;
  readonly item: T;
}

const newRank = (weight: number): Rank => ({ weight, served: 0, now: 0, active: new Set() });

/**
 * One queue per sender. Whoever has had the least work done for it is served next: this process
 * itself, the members and the clients take their turns as three (with 8, 4 and 2 parts of the
 * work), and within each of them all have equal parts. What members pass on of clients is served as
 * clients are. So no number of clients delays what members say, and a sender that floods fills its
 * own queue, waits until there is room in it, and spends its own part. Who had nothing to do saves
 * nothing up for later. The order of one sender's items is kept.
 */
export class Inbox<T> {
  readonly #loads: Loads;
  readonly #self: number;
  readonly #queues = new Map<number, Queue<T>>();
  readonly #own = newRank(8);
  readonly #members = newRank(4);
  readonly #clients = newRank(2);
  readonly #ranks = [this.#own, this.#members, this.#clients];
  #size = 0;
  #bytes = 0;
  /** Work at the last turn, on the scale of the ranks. */
  #now = 0;

  /** Its bounds are those of `loads`, which other inboxes of the process may share. */
  constructor(limits: InboxLimits, self: number, loads: Loads = new Loads(limits)) {
    this.#loads = loads;
    this.#self = self;
  }

  /** Bytes of the frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many items wait. */
  get size(): number {
    return this.#size;
  }

  /** Whether more is to be read of `sender`; see {@link Loads.hasRoomFor}. */
  hasRoomFor(sender: number, most: InboxLoad): boolean {
    return this.#loads.hasRoomFor(sender, most);
  }

  /** Queues `item` of `bytes` for `sender`: nothing is dropped, {@link Inbox.hasRoomFor} bounds. */
  push(sender: number, item: T, bytes: number): void {
    this.#add(this.#queueOf(sender), item, bytes);
  }

  /** Queues what this process itself has to do: its makers are bounded. */
  pushOwn(item: T): void {
    this.#add(this.#queueOf(this.#self), item, 0);
  }

  /**
   * The next item, or nothing: then nothing waits but of senders that are not `ready` for their
   * turn. Call {@link Inbox.charge} with what it cost.
   */
  take(ready: (sender: number) => boolean = () => true): Taken<T> | undefined {
    const queue = this.#next(ready);
    if (queue === undefined) return undefined;
    const slot = queue.items[queue.taken++] as Slot<T>;
    const { bytes } = slot;
    // Only what waits is in a queue, and was put there.
    const item = slot.item as T;
    slot.item = undefined;
    queue.bytes -= bytes;
    this.#count(queue.sender, -1, -bytes);
    if (queue.taken === queue.items.length) {
      // The last slot stays in case its item is put back.
      queue.items = [slot];
      queue.taken = 1;
      queue.rank.active.delete(queue);
    } else if (queue.taken >= 4096 && queue.taken * 2 >= queue.items.length) {
      queue.items = queue.items.slice(queue.taken - 1);
      queue.taken = 1;
    }
    return { sender: queue.sender, item };
  }

  /** `item`, which was taken last of `sender`, is not done yet: it comes first again. */
  putBack(sender: number, item: T): void {
    const queue = this.#queues.get(sender);
    if (queue === undefined || queue.taken === 0) return;
    const slot = queue.items[--queue.taken] as Slot<T>;
    slot.item = item;
    const { bytes } = slot;
    queue.bytes += bytes;
    this.#count(sender, 1, bytes);
    queue.rank.active.add(queue);
  }

  /** Work of `cost` was done for `sender`. */
  charge(sender: number, cost: number): void {
    const queue = this.#queueOf(sender);
    queue.served += cost;
    queue.rank.served += cost / queue.rank.weight;
  }

  /** Forgets what waits of `sender`, which was cut off, and says how much that was. */
  clear(sender: number): number {
    const queue = this.#queues.get(sender);
    if (queue === undefined) return 0;
    const cleared = queue.items.length - queue.taken;
    this.#count(sender, -cleared, -queue.bytes);
    queue.items = [];
    queue.taken = 0;
    queue.bytes = 0;
    queue.rank.active.delete(queue);
    return cleared;
  }

  /** Forgets everything. */
  clearAll(): void {
    for (const sender of this.#queues.keys()) this.clear(sender);
  }

  #count(sender: number, items: number, bytes: number): void {
    this.#size += items;
    this.#bytes += bytes;
    this.#loads.add(sender, items, bytes);
  }

  /** Of the rank with the least work the queue with the least. */
  #next(ready: (sender: number) => boolean): Queue<T> | undefined {
    let found: Queue<T> | undefined;
    for (const rank of this.#ranks) {
      if (rank.active.size === 0) continue;
      if (found !== undefined && found.rank.served <= rank.served) continue;
      const queue = leastOf(rank.active as Set<Queue<T>>, ready);
      if (queue !== undefined) found = queue;
    }
    if (found === undefined) return undefined;
    this.#now = Math.max(this.#now, found.rank.served);
    found.rank.now = Math.max(found.rank.now, found.served);
    return found;
  }

  #queueOf(sender: number): Queue<T> {
    let queue = this.#queues.get(sender);
    if (queue === undefined) {
      const asClient = isClient(sender) || isPassedOn(sender);
      const others = asClient ? this.#clients : this.#members;
      const rank = sender === this.#self ? this.#own : others;
      queue = { sender, rank, items: [], taken: 0, bytes: 0, served: 0 };
      this.#queues.set(sender, queue);
    }
    return queue;
  }

  #add(queue: Queue<T>, item: T, bytes: number): void {
    const { rank } = queue;
    if (!rank.active.has(queue)) {
      if (rank.active.size === 0) rank.served = Math.max(rank.served, this.#now);
      queue.served = Math.max(queue.served, rank.now);
      rank.active.add(queue);
      queue.items = [];
      queue.taken = 0;
    }
    queue.items.push({ item, bytes });
    queue.bytes += bytes;
    this.#count(queue.sender, 1, bytes);
  }
}

function leastOf<T>(
  queues: ReadonlySet<Queue<T>>,
  ready: (sender: number) => boolean,
): Queue<T> | undefined {
  let least: Queue<T> | undefined;
  for (const queue of queues)
    if ((least === undefined || queue.served < least.served) && ready(queue.sender)) least = queue;
  return least;
}
