import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { lstat, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UnsafePathError } from './errors.ts';
import { lockFolder } from './lock.ts';

/** What stands at a path; a symbolic link is never followed. */
export type PathKind = 'file' | 'folder' | 'link' | 'other' | 'none';

/** An open file. Positions and sizes are in bytes. */
export interface OpenFile {
  size(): Promise<number>;
  /** Fills `target` from `position`; returns how many bytes there were before the end. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** As `read`, before it returns. */
  readNow(target: Uint8Array, position: number): number;
  /** Writes all of `bytes` at `position`. Only `datasync` makes it survive losing power. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Resolves when contents and size would survive losing power. */
  datasync(): Promise<void>;
  /** Cuts the file; not durable before `datasync`. */
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** The file operations of the log: Node's, or those of `faultyFiles` in a test. */
export interface Files {
  /** Creates the folder (mode 0700) or checks that it is a safe one; UnsafePathError if not. */
  prepareFolder(folder: string): Promise<void>;
  /** Takes the folder for this process alone; the result gives it back. FolderLockedError. */
  lock(folder: string): Promise<() => void>;
  list(folder: string): Promise<readonly string[]>;
  kind(path: string): Promise<PathKind>;
  /** Opens a regular file, never through a link. `create` insists that there was none. */
  open(path: string, mode: 'read' | 'update' | 'create'): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes creations, renames and removals in the folder survive losing power. */
  syncFolder(folder: string): Promise<void>;
  /** A number that no client of the node can predict. */
  salt(): number;
  /** Does `work` once, so many milliseconds later; the result keeps it from being done. */
  later(ms: number, work: () => void): () => void;
}

/** Above this size a write goes through the thread pool instead of blocking the event loop. */
const directWriteBytes = 128 * 1024;

const openFlags: Readonly<Record<'read' | 'update' | 'create', number>> = {
  read: fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0),
  update: fs.constants.O_RDWR | (fs.constants.O_NOFOLLOW ?? 0),
  create:
    fs.constants.O_RDWR |
    fs.constants.O_CREAT |
    fs.constants.O_EXCL |
    (fs.constants.O_NOFOLLOW ?? 0),
};

async function kindOf(path: string): Promise<PathKind> {
  try {
    const stats = await lstat(path);
    if (stats.isSymbolicLink()) return 'link';
    if (stats.isFile()) return 'file';
    return stats.isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'none';
    throw error;
  }
}

/** Creates the folder and its parents, and makes their names survive losing power. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let parent = dirname(resolve(folder)); ; parent = dirname(parent)) {
    await syncFolder(parent);
    if (parent === top || parent === dirname(parent)) return;
  }
}

async function prepareFolder(folder: string): Promise<void> {
  if ((await kindOf(folder)) === 'none') await makeFolder(folder);
  const stats = await lstat(folder);
  if (stats.isSymbolicLink()) throw new UnsafePathError(folder, 'it is a symbolic link');
  if (!stats.isDirectory()) throw new UnsafePathError(folder, 'it is not a folder');
  const user = process.getuid?.();
  if (user === undefined) return;
  if (stats.uid !== user) throw new UnsafePathError(folder, 'it belongs to another user');
  if ((stats.mode & 0o022) !== 0) {
    throw new UnsafePathError(folder, 'other users may write in it; set its mode to 0700');
  }
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot flush a folder; its journal keeps the order of renames.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function datasync(descriptor: number): Promise<void> {
  return new Promise((done, reject) => {
    fs.fdatasync(descriptor, (error) => (error === null ? done() : reject(error)));
  });
}

async function openFile(path: string, mode: 'read' | 'update' | 'create'): Promise<OpenFile> {
  const handle = await open(path, openFlags[mode], 0o600).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ELOOP') {
      throw new UnsafePathError(path, 'it is a symbolic link');
    }
    throw error;
  });
  return {
    size: async () => (await handle.stat()).size,
    read: async (target, position) => {
      let done = 0;
      while (done < target.length) {
        const { bytesRead } = await handle.read(
          target,
          done,
          target.length - done,
          position + done,
        );
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    readNow: (target, position) => {
      let done = 0;
      while (done < target.length) {
        const left = target.length - done;
        const read = fs.readSync(handle.fd, target, done, left, position + done);
        if (read === 0) break;
        done += read;
      }
      return done;
    },
    write: async (bytes, position) => {
      let done = 0;
      while (done < bytes.length) {
        const left = bytes.length - done;
        // A small write only copies into the page cache: a trip to the thread pool costs more.
        done +=
          left <= directWriteBytes
            ? fs.writeSync(handle.fd, bytes, done, left, position + done)
            : (await handle.write(bytes, done, left, position + done)).bytesWritten;
      }
    },
    datasync: () => datasync(handle.fd),
    truncate: (size) => handle.truncate(size),
    close: () => handle.close(),
  };
}

/** The file operations of Node. */
export const nodeFiles: Files = {
  prepareFolder,
  lock: lockFolder,
  list: (folder) => readdir(folder),
  kind: kindOf,
  open: openFile,
  rename: (from, to) => rename(from, to),
  unlink: (path) => unlink(path),
  syncFolder,
  salt: () => randomBytes(4).readUInt32LE(0),
  later: (ms, work) => {
    const timer = setTimeout(work, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
