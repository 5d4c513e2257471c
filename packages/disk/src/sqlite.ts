import { dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { buffers } from '@quorumlab/core';
import { crc32c } from './crc32c.ts';
import {
  DamagedLogError,
  DiskFailedError,
  DiskFullError,
  MissingLogError,
  NoRoomError,
  UnknownFormatError,
  UnsafePathError,
  WrongOwnerError,
} from './errors.ts';
import { type Files, nodeFiles } from './files.ts';
import {
  type FlushedFile,
  flushedName,
  flushedTemporaryName,
  type Mark,
  openFlushed,
  readFlushed,
  unproven,
} from './flushed.ts';
import { hashOwner } from './log.ts';
import { type Backend, commitQueue, spareBytes } from './queue.ts';
import { guardState } from './segment.ts';
import { type LogOptions, limitsOf, type RecordLog } from './types.ts';

const databaseName = 'log.sqlite';
const formatVersion = 2;
const sqliteCodes = { corrupt: 11, full: 13, notADatabase: 26 } as const;

const schema = `
  CREATE TABLE about (version INTEGER NOT NULL, owner BLOB NOT NULL, first INTEGER NOT NULL) STRICT;
  CREATE TABLE batches (
    number INTEGER PRIMARY KEY, link INTEGER NOT NULL, bytes BLOB NOT NULL
  ) STRICT;
`;

interface SqliteLog {
  readonly database: DatabaseSync;
  readonly insert: StatementSync;
  readonly flushed: FlushedFile;
  readonly proveEach: boolean;
  bytes: number;
  nextNumber: number;
  link: number;
}

/** There is one database, from the moment at which it is there. */
const sequence = 1;

const markOf = (log: SqliteLog): Mark => ({
  sequence,
  record: log.nextNumber - 1,
  link: log.link,
});

/** Maps what SQLite throws; everything else stays as it is. */
function sqliteError(error: unknown, path: string, record: number): unknown {
  if (!(error instanceof Error) || !('errcode' in error)) return error;
  const code = Number(error.errcode) & 0xff;
  if (code === sqliteCodes.corrupt || code === sqliteCodes.notADatabase) {
    return new DamagedLogError(path, 0, record, `SQLite says: ${error.message}`);
  }
  if (code === sqliteCodes.full) {
    return new DiskFullError('The disk is full: free some space and restart the node.', error);
  }
  return new DiskFailedError(
    `SQLite failed (${error.message}): this node stops; restart it to read what the disk holds.`,
    error,
  );
}

function nextLink(link: number, batch: Uint8Array): number {
  return crc32c(batch, link);
}

function prepare(
  database: DatabaseSync,
  folder: string,
  options: LogOptions,
  isStarted: boolean,
): void {
  const path = join(folder, databaseName);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  const hash = hashOwner(options.owner);
  // A process that was killed while it started the log leaves a database without tables.
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get();
  if (tables?.count === 0) {
    if (isStarted) throw lost(path);
    if (options.mustExist === true) throw new MissingLogError(folder);
    database.exec(`BEGIN IMMEDIATE; ${schema}`);
    database.prepare('INSERT INTO about VALUES (?, ?, 1)').run(formatVersion, hash);
    database.exec('COMMIT');
    return;
  }
  const about = database.prepare('SELECT version, owner FROM about').get();
  const owner = about?.owner;
  if (about === undefined || !(owner instanceof Uint8Array)) {
    throw new DamagedLogError(path, 0, 0, 'it does not say whose it is');
  }
  if (about.version !== formatVersion) {
    throw new UnknownFormatError(path, Number(about.version));
  }
  if (owner.length !== hash.length || owner.some((byte, i) => byte !== hash[i])) {
    throw new WrongOwnerError(path, options.owner);
  }
}

/** The second place proves that there was a log. */
const lost = (path: string): DamagedLogError =>
  new DamagedLogError(path, 0, 0, `it is missing or empty, and ${flushedName} proves it`);

/** Gives every batch to `replay`. Throws if one is missing that `flushed` proves. */
function readAll(
  log: SqliteLog,
  path: string,
  flushed: Mark,
  replay: (batch: Uint8Array) => void,
): void {
  const rows = log.database.prepare('SELECT number, link, bytes FROM batches ORDER BY number');
  let expected = Number(log.database.prepare('SELECT first FROM about').get()?.first);
  for (const row of rows.iterate()) {
    const { number, link, bytes } = row;
    if (!(bytes instanceof Uint8Array) || number !== expected) {
      throw new DamagedLogError(path, 0, expected, 'a row is missing');
    }
    // The first row after a rewrite starts a new chain.
    const want = nextLink(log.link, bytes);
    if (link !== want) throw new DamagedLogError(path, 0, expected, 'a row was changed');
    if (number === flushed.record && want !== flushed.link) {
      const why = `${flushedName} was written beside another copy of the log`;
      throw new DamagedLogError(path, 0, expected, why);
    }
    replay(bytes);
    log.link = want;
    log.bytes += bytes.length;
    expected += 1;
  }
  if (expected <= flushed.record) {
    const why = `the log ends here, and ${flushedName} proves records up to ${flushed.record}`;
    throw new DamagedLogError(path, 0, expected, why);
  }
  log.nextNumber = expected;
}

function addRow(log: SqliteLog, batch: Uint8Array): void {
  log.link = nextLink(log.link, batch);
  log.insert.run(log.nextNumber, log.link, batch);
  log.nextNumber += 1;
  log.bytes += batch.length;
}

/** Runs `work` as one transaction; on a throw nothing of it remains. */
function transact(log: SqliteLog, path: string, work: () => void): void {
  const { bytes, nextNumber, link } = log;
  try {
    log.database.exec('BEGIN IMMEDIATE');
    work();
    log.database.exec('COMMIT');
  } catch (error) {
    Object.assign(log, { bytes, nextNumber, link });
    if (log.database.isTransaction) log.database.exec('ROLLBACK');
    throw sqliteError(error, path, nextNumber);
  }
}

/**
 * Cuts SQLite's own log, in which a transaction that failed or was interrupted may have left as
 * much as the disk had room for. If there is no room for what it holds beside that, it stays.
 */
function giveBack(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (!(sqliteError(error, '', 0) instanceof DiskFullError)) throw error;
  }
}

function backendOf(
  log: SqliteLog,
  path: string,
  maxBatchBytes: number,
  unlock: () => void,
): Backend {
  return {
    writeGroup: async (batches) => {
      transact(log, path, () => {
        for (const batch of batches) addRow(log, batch);
      });
      if (log.proveEach) await log.flushed.prove(markOf(log));
      else await log.flushed.say(markOf(log));
    },
    writeState: async (state) => {
      try {
        transact(log, path, () => {
          log.database.exec('DELETE FROM batches');
          log.database.prepare('UPDATE about SET first = ?').run(log.nextNumber);
          log.bytes = 0;
          log.link = 0;
          for (const batch of guardState(state, maxBatchBytes)) addRow(log, batch);
        });
      } catch (error) {
        if (!(error instanceof DiskFullError)) throw error;
        giveBack(log.database);
        throw new NoRoomError(dirname(path), error);
      }
      await log.flushed.prove(markOf(log));
    },
    bytes: () => log.bytes,
    finish: () => log.flushed.prove(markOf(log)),
    release: async () => {
      try {
        await log.flushed.close();
        log.database.close();
      } finally {
        unlock();
      }
    },
  };
}

/** Removes a second place that was never finished. */
async function removeUnfinished(folder: string): Promise<void> {
  const path = join(folder, flushedTemporaryName);
  if ((await nodeFiles.kind(path)) !== 'none') await nodeFiles.unlink(path);
}

async function isNewDatabase(files: Files, folder: string): Promise<boolean> {
  for (const suffix of ['', '-wal', '-shm']) {
    const path = join(folder, databaseName + suffix);
    const kind = await files.kind(path);
    if (kind !== 'file' && kind !== 'none') {
      throw new UnsafePathError(path, 'a log file must be a regular file');
    }
  }
  return (await files.kind(join(folder, databaseName))) === 'none';
}

/**
 * Opens the log in `folder`, or starts one, in a SQLite database (write-ahead log, synchronous =
 * FULL). Same promises and errors as `openLog`, with one difference: a commit runs on the event
 * loop's thread. SQLite drops everything from the first bad frame of its own log on, in silence;
 * what was acknowledged of that is missed here all the same.
 */
export async function openSqliteLog(folder: string, options: LogOptions): Promise<RecordLog> {
  const limits = limitsOf(options);
  const path = join(folder, databaseName);
  await nodeFiles.prepareFolder(folder);
  const unlock = await nodeFiles.lock(folder);
  let database: DatabaseSync | undefined;
  let flushed: FlushedFile | undefined;
  try {
    const { owner, replay, mustExist, acknowledge } = options;
    const ownerHash = hashOwner(owner);
    const isNew = await isNewDatabase(nodeFiles, folder);
    const said = await readFlushed(nodeFiles, folder, { owner, ownerHash });
    const isStarted = said !== undefined && said.sequence > 0;
    if (isNew && isStarted) throw lost(path);
    if (isNew && mustExist === true) throw new MissingLogError(folder);
    if (isNew && said === undefined) await removeUnfinished(folder);
    if (isNew) flushed = await openFlushed(nodeFiles, folder, ownerHash, said);
    database = new DatabaseSync(path);
    prepare(database, folder, options, isStarted);
    if (said === undefined && !isNew) throw unproven(folder);
    flushed ??= await openFlushed(nodeFiles, folder, ownerHash, said);
    if (!isStarted) await nodeFiles.syncFolder(folder);
    const insert = database.prepare('INSERT INTO batches VALUES (?, ?, ?)');
    const proveEach = acknowledge === 'proven';
    const log: SqliteLog = {
      ...{ database, insert, flushed, proveEach },
      ...{ bytes: 0, nextNumber: 1, link: 0 },
    };
    readAll(log, path, said ?? markOf(log), replay);
    await flushed.prove(markOf(log));
    const backend = backendOf(log, path, limits.maxBatchBytes, unlock);
    return commitQueue(backend, limits, buffers(spareBytes));
  } catch (error) {
    await flushed?.close();
    database?.close();
    unlock();
    throw sqliteError(error, path, 0);
  }
}
