/** What waits to be stepped, by sender, in a bounded queue each. */

interface Queue<T> {
  items: { readonly item: T; readonly bytes: number }[];
  /** How many of `items` have been taken: shifting a long array again and again is slow. */
  taken: number;
  bytes: number;
}

/** What senders may have waiting, each and together. */
export interface InboxLimits {
  /** Items. */
  readonly waitingPerPeer: number;
  /** Bytes of frames. */
  readonly waitingBytesPerPeer: number;
  /** Bytes of frames of all senders together. */
  readonly waitingBytes: number;
}

/** What one sender has waiting. */
export interface InboxLoad {
  readonly items: number;
  /** Bytes of frames. */
  readonly bytes: number;
}

/**
 * One queue per sender, emptied in turns: a sender that floods fills its own queue and delays
 * nobody else's items by more than one item a turn. The order of one sender's items is kept.
 */
export class Inbox<T> {
  readonly #limits: InboxLimits;
  readonly #queues = new Map<number, Queue<T>>();
  /** Queues that hold something, in the order of their turns. */
  #turns: Queue<T>[] = [];
  #turn = 0;
  #size = 0;
  #bytes = 0;

  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  /** Bytes of the frames that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many items wait. */
  get size(): number {
    return this.#size;
  }

  /** What waits of `sender`. */
  loadOf(sender: number): InboxLoad {
    const queue = this.#queues.get(sender);
    if (queue === undefined) return { items: 0, bytes: 0 };
    return { items: queue.items.length - queue.taken, bytes: queue.bytes };
  }

  /** Queues `item` of `bytes` for `sender`; false means dropped, because its queue is full. */
  push(sender: number, item: T, bytes: number): boolean {
    const queue = this.#queueOf(sender);
    const { waitingPerPeer, waitingBytesPerPeer, waitingBytes } = this.#limits;
    const waiting = queue.items.length - queue.taken;
    if (waiting >= waitingPerPeer) return false;
    // A frame larger than the bound must pass when nothing else waits.
    if (waiting > 0 && queue.bytes + bytes > waitingBytesPerPeer) return false;
    // Where all together have too much, who has less than an equal share may still add to it.
    const share = waitingBytes / Math.max(1, this.#turns.length);
    if (waiting > 0 && this.#bytes + bytes > waitingBytes && queue.bytes + bytes > share)
      return false;
    this.#add(queue, item, bytes);
    return true;
  }

  /** Queues what this process itself has to do: never dropped, its makers are bounded. */
  pushOwn(self: number, item: T): void {
    this.#add(this.#queueOf(self), item, 0);
  }

  /** The next item, or nothing. */
  take(): T | undefined {
    if (this.#size === 0) return undefined;
    if (this.#turn >= this.#turns.length) this.#turn = 0;
    const queue = this.#turns[this.#turn] as Queue<T>;
    const { item, bytes } = queue.items[queue.taken++] as Queue<T>['items'][number];
    queue.bytes -= bytes;
    this.#bytes -= bytes;
    this.#size--;
    if (queue.taken === queue.items.length) {
      queue.items = [];
      queue.taken = 0;
      this.#turns.splice(this.#turn, 1);
    } else this.#turn++;
    return item;
  }

  /** Forgets what waits of `sender`, which was cut off, and says how much that was. */
  clear(sender: number): number {
    const queue = this.#queues.get(sender);
    if (queue === undefined) return 0;
    const cleared = queue.items.length - queue.taken;
    this.#size -= cleared;
    this.#bytes -= queue.bytes;
    this.#queues.delete(sender);
    this.#turns = this.#turns.filter((each) => each !== queue);
    return cleared;
  }

  #queueOf(sender: number): Queue<T> {
    let queue = this.#queues.get(sender);
    if (queue === undefined) {
      queue = { items: [], taken: 0, bytes: 0 };
      this.#queues.set(sender, queue);
    }
    return queue;
  }

  #add(queue: Queue<T>, item: T, bytes: number): void {
    if (queue.items.length === 0) this.#turns.push(queue);
    queue.items.push({ item, bytes });
    queue.bytes += bytes;
    this.#bytes += bytes;
    this.#size++;
    if (queue.taken >= 4096 && queue.taken * 2 >= queue.items.length) {
      queue.items = queue.items.slice(queue.taken);
      queue.taken = 0;
    }
  }
}
