/**
 * One log for all groups of a process: one flush makes durable what any of them has waiting. Each
 * record names its group by a number, which a record before gives to a name. The log is rewritten
 * as a whole, with what is live of every group, so none that says little keeps the rest from being
 * forgotten.
 */
import {
  type Reader,
  readByte,
  reader,
  readInteger,
  record,
  SchemaError,
  text,
  type Writer,
  writeByte,
  writeBytes,
  writeInteger,
  writer,
  written,
} from '@quorumlab/core';
import type { DiskLog, Live } from './disk-options.ts';
import {
  GroupOpenError,
  LogClosedError,
  LogLimitError,
  MissingLogError,
  namedError,
  WrongOwnerError,
} from './errors.ts';
import { DiskRecordError } from './stored.ts';
import { defaultLimits, type LogOptions, type RecordLog } from './types.ts';

/** First byte of a record. */
const code = { name: 0, batch: 1 } as const;
/** Bytes before a batch: the code, and a number of at most seven. */
const headBytes = 8;

/** What the log holds of a group's name: whose it is must stay the same. */
const named = record({ group: text(255), owner: text(1024) });

/** Opens one group in a {@link SharedLog}. */
export interface GroupLogOptions {
  /** Who may use what this group has in the log; another one is refused by `WrongOwnerError`. */
  readonly owner: string;
  readonly replay: LogOptions['replay'];
  /** See {@link Live}; given by `openDisk`. */
  readonly live: Live;
  /** Throw `MissingLogError` where the log holds nothing of this group. Default false. */
  readonly mustExist?: boolean;
}

/** The log of a process. */
export interface SharedLog {
  /**
   * The part of a group, after what it holds has gone to `replay`: the `open` of a disk. Throws
   * `GroupOpenError`, `WrongOwnerError` and `MissingLogError`, which concern this group alone.
   */
  open(group: string, options: GroupLogOptions): Promise<DiskLog>;
  /** Why the log takes nothing more of any group; nothing while it is well. */
  readonly failure: Error | undefined;
  /** Bytes that the next opening has to read. */
  readonly bytes: number;
  /** Closes it. The groups are closed before. Idempotent. */
  close(): Promise<void>;
}

/** What {@link openSharedLog} needs. */
export interface SharedLogOptions {
  /** Where the log lies, for errors. */
  readonly folder: string;
  /** Opens the byte log: `(replay) => openLog(folder, { owner, replay })`. */
  readonly open: (replay: LogOptions['replay']) => Promise<RecordLog>;
  /** The log is rewritten when it exceeds this, in bytes; 16 MiB unless told... */
  readonly compactAboveBytes?: number;
  /** ...and this many times its size after the last time; 4 unless told. */
  readonly compactAboveFactor?: number;
  /** Bytes that may wait for the disk; what exceeds them waits before. 256 MiB unless told. */
  readonly maxPendingBytes?: number;
  /** Told when the log could not be rewritten, for lack of room above all; it goes on as it is. */
  readonly onNotRewritten?: (error: unknown) => void;
}

/** A rewrite that failed is tried again when the log has grown by this factor. */
const retryFactor = 1.25;

interface Group {
  readonly number: number;
  readonly name: string;
  readonly owner: string;
  /** Its batches, as long as nobody has opened it and written more. */
  found: readonly Uint8Array[] | undefined;
  live: Live;
  isOpen: boolean;
  /** Whether the log says whose number this is. */
  isNamed: boolean;
}

/** A batch that has to wait until others are on the disk. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly resolve: (appended: Promise<void>) => void;
}

function headed(number: number, body: Uint8Array): Uint8Array {
  const to = writer(headBytes + body.length);
  writeByte(to, code.batch);
  writeInteger(to, number);
  writeBytes(to, body);
  return written(to);
}

function nameRecord({ number, name, owner }: Group): Uint8Array {
  const to: Writer = writer(64);
  writeByte(to, code.name);
  writeInteger(to, number);
  named.write(to, { group: name, owner });
  return written(to);
}

/** What the records of a log say, group by group. */
class Groups {
  readonly byName = new Map<string, Group>();
  readonly #batches = new Map<number, Uint8Array[]>();
  #records = 0;
  #last = 0;

  readonly read = (bytes: Uint8Array): void => {
    this.#records++;
    const from = reader(bytes);
    try {
      this.#readOne(from);
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      throw new DiskRecordError(this.#records, error.message, error);
    }
  };

  #readOne(from: Reader): void {
    const which = readByte(from);
    const number = readInteger(from);
    const batches = this.#batches.get(number);
    if (which === code.batch) {
      if (batches === undefined) throw new SchemaError(`nothing says which group ${number} is`);
      batches.push(from.bytes.subarray(from.at));
      return;
    }
    if (which !== code.name) throw new SchemaError(`${which} is no kind of record`);
    const { group: name, owner } = named.read(from);
    if (batches !== undefined || this.byName.has(name))
      throw new SchemaError(`the group ${name} is named twice`);
    const found: Uint8Array[] = [];
    this.#batches.set(number, found);
    this.#last = Math.max(this.#last, number);
    this.byName.set(name, {
      number,
      name,
      owner,
      found,
      live: () => undefined,
      isOpen: false,
      isNamed: true,
    });
  }

  /** A group that the log does not know yet. */
  add(name: string, owner: string): Group {
    const group: Group = {
      number: ++this.#last,
      name,
      owner,
      found: [],
      live: () => undefined,
      isOpen: false,
      isNamed: false,
    };
    this.byName.set(name, group);
    return group;
  }
}

/**
 * Opens the log of a process. Throws `DiskRecordError` if a record cannot be read, and what `open`
 * throws. What it holds of a group is kept in memory until that group is opened.
 */
export async function openSharedLog(options: SharedLogOptions): Promise<SharedLog> {
  const groups = new Groups();
  const log = await options.open(groups.read);
  return sharedOver(log, groups, options);
}

function sharedOver(log: RecordLog, groups: Groups, options: SharedLogOptions): SharedLog {
  const least = options.compactAboveBytes ?? 16 * 1024 * 1024;
  const factor = options.compactAboveFactor ?? 4;
  const most = options.maxPendingBytes ?? defaultLimits.maxPendingBytes;
  const { byName } = groups;
  const maxBatchBytes = log.maxBatchBytes - headBytes;
  let failure: Error | undefined;
  let pending = 0;
  const waiting: Waiting[] = [];
  /** Bytes after the last rewrite. */
  let rewritten = 0;
  /** Bytes when a rewrite failed; 0: the last one did not. */
  let refusedAt = 0;
  let rewriting: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  /** Gives bytes to the log, and looks at what waits when they are durable. */
  function give(bytes: Uint8Array): Promise<void> {
    pending += bytes.length;
    return log
      .append(bytes)
      .catch((error: unknown) => {
        if (!(error instanceof LogLimitError || error instanceof LogClosedError))
          failure ??= error as Error;
        throw error;
      })
      .finally(() => {
        pending -= bytes.length;
        goOn();
      });
  }

  function goOn(): void {
    while (waiting.length > 0 && hasRoom(waiting[0]!.bytes)) {
      const [{ bytes, resolve }] = waiting.splice(0, 1) as [Waiting];
      resolve(give(bytes));
    }
    // What was appended is in the states of the disks by now: this is no part of an append.
    maybeRewrite();
  }

  const hasRoom = ({ length }: Uint8Array): boolean => pending === 0 || pending + length <= most;

  function append(group: Group, batch: Uint8Array): Promise<void> {
    if (closing !== undefined || !group.isOpen) return Promise.reject(new LogClosedError());
    if (batch.length > maxBatchBytes) {
      const what = `A batch of ${batch.length} bytes is too large for the log`;
      return Promise.reject(new LogLimitError(what, maxBatchBytes));
    }
    if (!group.isNamed) {
      group.isNamed = true;
      // If it fails, so does what follows.
      put(nameRecord(group)).catch(() => undefined);
    }
    // From now on its disk knows more.
    group.found = undefined;
    return put(headed(group.number, batch));
  }

  function put(bytes: Uint8Array): Promise<void> {
    if (waiting.length === 0 && hasRoom(bytes)) return give(bytes);
    return new Promise((resolve) => waiting.push({ bytes, resolve }));
  }

  /** What is live of every group now; nothing while a disk has half of a commit in the log. */
  function state(): Iterable<Uint8Array> | undefined {
    // What waits here is in the states of the disks, and must not be durable before its turn.
    if (waiting.length > 0) return undefined;
    const all: (readonly [Group, Iterable<Uint8Array>])[] = [];
    for (const group of byName.values()) {
      if (!group.isNamed) continue;
      const live = group.found ?? group.live();
      if (live === undefined) return undefined;
      all.push([group, live]);
    }
    return encoded(all);
  }

  function* encoded(
    all: readonly (readonly [Group, Iterable<Uint8Array>])[],
  ): Generator<Uint8Array> {
    for (const [group, batches] of all) {
      yield nameRecord(group);
      for (const batch of batches) yield headed(group.number, batch);
    }
  }

  function maybeRewrite(): void {
    if (rewriting !== undefined || failure !== undefined || closing !== undefined) return;
    if (log.bytes <= Math.max(least, factor * rewritten, retryFactor * refusedAt)) return;
    const live = state();
    if (live === undefined) return;
    rewriting = log
      .rewrite(live)
      .then(
        () => {
          rewritten = log.bytes;
          refusedAt = 0;
        },
        (error: unknown) => {
          refusedAt = log.bytes;
          options.onNotRewritten?.(error);
        },
      )
      .finally(() => {
        rewriting = undefined;
      });
  }

  async function open(
    name: string,
    { owner, replay, live, mustExist = false }: GroupLogOptions,
  ): Promise<DiskLog> {
    if (closing !== undefined) throw new LogClosedError();
    const known = byName.get(name);
    if (known?.isOpen === true) throw new GroupOpenError(name);
    if (known !== undefined && known.owner !== owner)
      throw new WrongOwnerError(`${options.folder}, group ${name},`, owner);
    const batches = [...(known?.found ?? known?.live() ?? [])];
    if (mustExist && batches.length === 0) throw new MissingLogError(options.folder);
    const group = known ?? groups.add(name, owner);
    for (const batch of batches) replay(batch);
    // Until it appends, what it has is what it had.
    group.found = batches;
    group.live = live;
    group.isOpen = true;
    let last: Promise<unknown> = Promise.resolve();
    return {
      append(batch) {
        const appended = append(group, batch);
        last = appended.catch(() => undefined);
        return appended;
      },
      maxBatchBytes,
      async close() {
        await last;
        group.isOpen = false;
      },
    };
  }

  async function close(): Promise<void> {
    await rewriting;
    await log.close();
  }

  return {
    open: (name, given) =>
      open(name, given).catch((error: unknown) => {
        throw namedError(`opening the group ${name}`, error);
      }),
    get failure() {
      return failure;
    },
    get bytes() {
      return log.bytes;
    },
    close: () => (closing ??= close()),
  };
}
