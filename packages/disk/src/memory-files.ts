import { basename } from 'node:path';
import { FolderLockedError } from './errors.ts';
import type { Files, OpenFile } from './files.ts';

/** A change to the disk, in the order in which it was asked for. */
export type FileOperation =
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'rename'; readonly path: string; readonly file: number; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string; readonly file: number }
  | { readonly kind: 'syncFolder'; readonly path: string }
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly file: number;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'truncate'; readonly path: string; readonly file: number; size: number }
  | { readonly kind: 'datasync'; readonly path: string; readonly file: number };

/** What a disk holds: the contents of each path. */
export type DiskImage = ReadonlyMap<string, Uint8Array>;

/** What is to be done later is done after so many changes: here nothing else takes time. */
const changesUntilLater = 8;

/** How an operation fails: the error of the system call it stands for. */
export type DiskFault = 'EIO' | 'ENOSPC' | 'EDQUOT';

/** A disk in memory that writes down every change and can be told to fail. */
export interface FaultyFiles extends Files {
  /** Every change asked for so far, failed ones not included. */
  readonly journal: readonly FileOperation[];
  /** The image the disk started with. */
  readonly start: DiskImage;
  /** What a reader sees now, flushed or not. */
  image(): DiskImage;
  /** From now on asks `choose` before each change; it gets the number of earlier changes. */
  failWhen(choose: (operation: FileOperation, index: number) => DiskFault | undefined): void;
}

/** Contents by file number and names that point at them: what the operations act on. */
export interface DiskState {
  readonly names: Map<string, number>;
  readonly contents: Map<number, Uint8Array>;
}

/** A state that holds `image`; file numbers are given in the order of the image. */
export function stateOf(image: DiskImage): DiskState {
  const names = new Map<string, number>();
  const contents = new Map<number, Uint8Array>();
  for (const [path, bytes] of image) {
    names.set(path, contents.size);
    contents.set(contents.size, bytes);
  }
  return { names, contents };
}

/** The contents by path. */
export function imageOf(state: DiskState): DiskImage {
  const image = new Map<string, Uint8Array>();
  for (const [path, file] of state.names) {
    image.set(path, state.contents.get(file) ?? new Uint8Array(0));
  }
  return image;
}

/** Contents are never changed in place: images share them. */
function resized(bytes: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  return result;
}

/** Applies one change; false if it makes no sense on this state (a lost name, for instance). */
export function apply(state: DiskState, operation: FileOperation): boolean {
  const { names, contents } = state;
  switch (operation.kind) {
    case 'create':
      names.set(operation.path, operation.file);
      return true;
    case 'rename': {
      if (names.get(operation.path) !== operation.file) return false;
      names.delete(operation.path);
      names.set(operation.to, operation.file);
      return true;
    }
    case 'unlink':
      return names.get(operation.path) === operation.file && names.delete(operation.path);
    case 'write': {
      const { file, position, bytes } = operation;
      const before = contents.get(file) ?? new Uint8Array(0);
      const after = resized(before, Math.max(before.length, position + bytes.length));
      after.set(bytes, position);
      contents.set(file, after);
      return true;
    }
    case 'truncate':
      contents.set(
        operation.file,
        resized(contents.get(operation.file) ?? new Uint8Array(0), operation.size),
      );
      return true;
    default:
      return true;
  }
}

function systemError(fault: DiskFault, operation: FileOperation): Error {
  const { kind, path } = operation;
  const error = new Error(`${fault}: injected, ${kind} '${path}'`);
  return Object.assign(error, { code: fault, syscall: kind, path });
}

function openFileOf(
  state: DiskState,
  path: string,
  file: number,
  change: (operation: FileOperation) => void,
): OpenFile {
  const contents = (): Uint8Array => state.contents.get(file) ?? new Uint8Array(0);
  const readNow = (target: Uint8Array, position: number): number => {
    const part = contents().subarray(position, position + target.length);
    target.set(part);
    return part.length;
  };
  return {
    size: async () => contents().length,
    read: async (target, position) => readNow(target, position),
    readNow,
    write: async (bytes, position) =>
      change({ kind: 'write', path, file, position, bytes: bytes.slice() }),
    datasync: async () => change({ kind: 'datasync', path, file }),
    truncate: async (size) => change({ kind: 'truncate', path, file, size }),
    close: async () => {},
  };
}

/**
 * File operations on a disk in memory. `earlier` are changes made by a process that was killed:
 * they are seen, but what was not flushed is still in doubt. `lyingSync` makes `datasync` return
 * without making anything durable in the journal: the control that shows that a test would notice.
 */
export function faultyFiles(
  start: DiskImage = new Map(),
  options: { readonly lyingSync?: boolean; readonly earlier?: readonly FileOperation[] } = {},
): FaultyFiles {
  const state = stateOf(start);
  const journal: FileOperation[] = [...(options.earlier ?? [])];
  for (const operation of journal) apply(state, operation);
  const locked = new Set<string>();
  let due: { readonly at: number; readonly work: () => void } | undefined;
  let nextFile = state.contents.size + journal.length;
  let nextSalt = 0x51ab;
  let choose: (operation: FileOperation, index: number) => DiskFault | undefined = () => undefined;

  const change = (operation: FileOperation): void => {
    const fault = choose(operation, journal.length);
    if (fault !== undefined) throw systemError(fault, operation);
    if (operation.kind === 'datasync' && options.lyingSync === true) return;
    journal.push(operation);
    apply(state, operation);
    if (due === undefined || journal.length < due.at) return;
    const { work } = due;
    due = undefined;
    work();
  };

  const fileAt = (path: string): number => {
    const file = state.names.get(path);
    if (file === undefined) throw new Error(`ENOENT: ${path}`);
    return file;
  };

  const handle = (path: string, file: number): OpenFile => openFileOf(state, path, file, change);

  return {
    journal,
    start,
    image: () => imageOf(state),
    failWhen: (chooser) => {
      choose = chooser;
    },
    prepareFolder: async () => {},
    lock: async (folder) => {
      if (locked.has(folder)) throw new FolderLockedError(folder, process.pid);
      locked.add(folder);
      return () => locked.delete(folder);
    },
    list: async (folder) =>
      [...state.names.keys()]
        .filter((path) => path.startsWith(folder))
        .map((path) => basename(path)),
    kind: async (path) => (state.names.has(path) ? 'file' : 'none'),
    open: async (path, mode) => {
      if (mode !== 'create') return handle(path, fileAt(path));
      if (state.names.has(path)) throw new Error(`EEXIST: ${path}`);
      const file = nextFile++;
      change({ kind: 'create', path, file });
      return handle(path, file);
    },
    rename: async (path, to) => change({ kind: 'rename', path, file: fileAt(path), to }),
    unlink: async (path) => change({ kind: 'unlink', path, file: fileAt(path) }),
    syncFolder: async (path) => change({ kind: 'syncFolder', path }),
    salt: () => {
      nextSalt = (Math.imul(nextSalt, 0x19660d) + 0x3c6ef35f) >>> 0;
      return nextSalt;
    },
    later: (_ms, work) => {
      due = { at: journal.length + changesUntilLater, work };
      return () => {
        due = undefined;
      };
    },
  };
}
