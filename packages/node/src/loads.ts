/** What waits of each sender in all inboxes of a process, and how much there may be. */

/** What all senders together may have waiting. */
export interface InboxLimits {
  /** Bytes of frames. */
  readonly waitingBytes: number;
}

/** What one sender has waiting. */
export interface InboxLoad {
  readonly items: number;
  /** Bytes of frames. */
  readonly bytes: number;
}

const nothing: InboxLoad = { items: 0, bytes: 0 };

/** See the module's comment. */
export class Loads {
  readonly #limits: InboxLimits;
  /** Only those of which something waits. */
  readonly #loads = new Map<number, InboxLoad>();
  #bytes = 0;

  constructor(limits: InboxLimits) {
    this.#limits = limits;
  }

  /** What waits of `sender`, in whatever group. */
  of(sender: number): InboxLoad {
    return this.#loads.get(sender) ?? nothing;
  }

  /** So much more waits of `sender`, or less. */
  add(sender: number, items: number, bytes: number): void {
    const load = this.of(sender);
    this.#bytes += bytes;
    if (load.items + items === 0) this.#loads.delete(sender);
    else this.#loads.set(sender, { items: load.items + items, bytes: load.bytes + bytes });
  }

  /**
   * Whether more is to be read of `sender`: so what it has waiting exceeds its bounds by no more
   * than what is read between two questions. Where all together have too much, whoever has less
   * than an equal share may still add to it; and a frame of any size passes when nothing waits.
   */
  hasRoomFor(sender: number, { items, bytes }: InboxLoad): boolean {
    const load = this.of(sender);
    if (load.items === 0) return true;
    if (load.items >= items || load.bytes >= bytes) return false;
    const { waitingBytes } = this.#limits;
    return this.#bytes < waitingBytes || load.bytes * this.#loads.size < waitingBytes;
  }
}
