/**
 * A record that was once durable cannot be read, or a segment is missing, repeated or out of
 * order. Nothing was written. The node must not vote with this folder: repair it from the other
 * members, or restore it, or rejoin under a new identity.
 */
export class DamagedLogError extends Error {
  override readonly name = 'DamagedLogError';
  /** The file that holds the damage. */
  readonly file: string;
  /** Byte offset of the first thing in `file` that could not be trusted. */
  readonly offset: number;
  /** Number of the first record that could not be trusted; 0 if none could be told. */
  readonly record: number;

  constructor(file: string, offset: number, record: number, why: string) {
    super(
      `The log is damaged at byte ${offset} of ${file} (record ${record}): ${why}; ` +
        'nothing was changed: repair this node from other members before it votes again.',
    );
    this.file = file;
    this.offset = offset;
    this.record = record;
  }
}

/** A write or a flush failed. The log takes nothing more: what the disk holds is unknown. */
export class DiskFailedError extends Error {
  override readonly name: string = 'DiskFailedError';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

/** The disk (or the quota) is full. Like every failed write this is final until a restart. */
export class DiskFullError extends DiskFailedError {
  override readonly name: string = 'DiskFullError';
}

/**
 * There was no room for the new state of a rewrite. Nothing of it is left, the old batches stand,
 * and the log goes on: a rewrite later may find room.
 */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';

  constructor(folder: string, cause: unknown) {
    super(
      `The disk has no room to compact the log in ${folder}: the old one stands and goes on; ` +
        'free some space before the log fills the disk.',
      { cause },
    );
  }
}

/** Somebody else has this folder open. */
export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError';
  readonly folder: string;
  /** Process id of the holder; undefined if the holder has not written it down (yet). */
  readonly pid: number | undefined;

  constructor(folder: string, pid: number | undefined) {
    const holder = pid === undefined ? 'another process' : `process ${pid}`;
    super(`The folder ${folder} is in use by ${holder}: stop that first, or use another folder.`);
    this.folder = folder;
    this.pid = pid;
  }
}

/** A path is a symbolic link, not of the expected kind, or open to other users. */
export class UnsafePathError extends Error {
  override readonly name = 'UnsafePathError';
  readonly path: string;

  constructor(path: string, why: string) {
    super(`The path ${path} is refused: ${why}.`);
    this.path = path;
  }
}

/** The folder belongs to another cluster, node or program. */
export class WrongOwnerError extends Error {
  override readonly name = 'WrongOwnerError';
  readonly file: string;

  constructor(file: string, owner: string) {
    super(`The log ${file} was not written for '${owner}': give this node its own folder.`);
    this.file = file;
  }
}

/** The log has a format this version cannot read. */
export class UnknownFormatError extends Error {
  override readonly name = 'UnknownFormatError';
  readonly file: string;
  readonly version: number;

  constructor(file: string, version: number) {
    super(`The log ${file} has format ${version}, unknown here: use the version that wrote it.`);
    this.file = file;
    this.version = version;
  }
}

/** The caller said that a log must be there, and there is none. */
export class MissingLogError extends Error {
  override readonly name = 'MissingLogError';
  readonly folder: string;

  constructor(folder: string) {
    super(
      `There is no log in ${folder}: a member that lost its log must not start as if it had ` +
        'never run; restore the folder, or let the member rejoin.',
    );
    this.folder = folder;
  }
}

/** A group is open in the log of this process already: two would write over each other. */
export class GroupOpenError extends Error {
  override readonly name = 'GroupOpenError';

  constructor(group: string) {
    super(`The group ${group} is open in this process already; give each group its own name.`);
  }
}

/** The batch is larger than the log accepts, or too much already waits for the disk. */
export class LogLimitError extends Error {
  override readonly name = 'LogLimitError';
  readonly limitBytes: number;

  constructor(what: string, limitBytes: number) {
    super(`${what} (limit ${limitBytes} bytes): split the batch, or wait for earlier ones.`);
    this.limitBytes = limitBytes;
  }
}

/** The limits that a log was to be opened with contradict each other. */
export class LogLimitsError extends RangeError {
  override readonly name = 'LogLimitsError';
}

/** The log was closed. */
export class LogClosedError extends Error {
  override readonly name = 'LogClosedError';

  constructor() {
    super('The log is closed: open it again.');
  }
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** Whether a file operation failed because the disk, or the quota, is full. */
export const isFull = (error: unknown): boolean =>
  codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT';

/** The named error for what a failed file operation threw. */
export function diskError(what: string, thrown: unknown): DiskFailedError {
  if (thrown instanceof DiskFailedError) return thrown;
  const cause = thrown instanceof NoRoomError ? thrown.cause : thrown;
  if (isFull(cause)) {
    return new DiskFullError(
      `The disk is full (${codeOf(cause)} at ${what}): free some space and restart the node.`,
      cause,
    );
  }
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new DiskFailedError(
    `The disk failed at ${what} (${detail}): this node stops, since a failed flush cannot be ` +
      'retried; restart it to read what the disk really holds.',
    cause,
  );
}

/** Gives a failed system call its named error; leaves every other error as it is. */
export function namedError(what: string, error: unknown): unknown {
  const ofDisk = error instanceof NoRoomError || (error instanceof Error && 'syscall' in error);
  return ofDisk ? diskError(what, error) : error;
}
