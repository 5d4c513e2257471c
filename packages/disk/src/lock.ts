import { closeSync, constants, lstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { FolderLockedError, UnsafePathError } from './errors.ts';

/*
 * Node has no flock, but it ships SQLite, and SQLite takes a real lock of the operating system
 * (fcntl on POSIX, LockFileEx on Windows) for "begin exclusive". The kernel gives such a lock to
 * one process only and takes it back at the instant the holder dies, however it dies, so there is
 * no stale lock to judge and no race in judging it. docs/decisions/012 compares the other ways.
 */

/** An empty database that is only ever locked, never written. */
const lockName = 'lock';
/** Who holds the lock, for the error message only; never trusted for anything else. */
const holderName = 'lock.holder';
const sqliteBusy = 5;

function refuseLink(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isFile()) {
    throw new UnsafePathError(path, 'it is not a regular file');
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function readHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 && isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

function writeHolder(path: string): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  const descriptor = openSync(path, flags | (constants.O_NOFOLLOW ?? 0), 0o600);
  try {
    writeSync(descriptor, `${process.pid}\n`);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Takes `folder` for this process until the returned function is called or the process ends.
 * Throws FolderLockedError with the holder's process id, also for a second lock in one process.
 * Never open the file `lock` in the folder by other means: on POSIX, closing any descriptor of a
 * file drops the locks that the process has on it.
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const lockPath = join(folder, lockName);
  const holderPath = join(folder, holderName);
  refuseLink(lockPath);
  refuseLink(holderPath);
  const database = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    // No journal file: nothing is ever written.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    // A holder that has just won writes its name a moment later.
    let pid = readHolder(holderPath);
    for (let attempt = 0; pid === undefined && attempt < 10; attempt++) {
      await delay(20);
      pid = readHolder(holderPath);
    }
    throw new FolderLockedError(folder, pid);
  }
  try {
    writeHolder(holderPath);
  } catch {
    // The name only serves a message: a full disk must not keep a node from reading its log.
  }
  return () => database.close();
}
