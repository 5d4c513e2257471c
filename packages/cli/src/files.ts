/** Files that people name: read and written so that what goes wrong is a sentence. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { isSystemError, meaningOf } from '@quorumlab/harness';
import { type Exit, usageError } from './errors.ts';

/** Most bytes of one input: as values in memory they are ten times as much. */
const maxInputBytes = 128 * 1024 * 1024;

/** An {@link Exit} that says why `path` cannot be read or written; other errors as they are. */
function fileError(error: unknown, path: string, doing: string): Exit | unknown {
  if (!isSystemError(error)) return error;
  return usageError('QL108', `${shown(path)} cannot ${doing}: ${meaningOf(error)}.`);
}

/** A path as one can tell it from the words around it. */
const shown = (path: string): string => {
  const most = 300;
  return path.length > most ? `${path.slice(0, most)}…` : path;
};

/** The text of a file, or of stdin for `-`. Throws an {@link Exit} with a sentence. */
export function readText(file: string): string {
  const isStdin = file === '-';
  if (isStdin && isatty(0))
    throw usageError(
      'QL108',
      '- reads standard input, and that is the terminal; pipe a file into it, or name the file.',
    );
  const bytes = readBytes(file, isStdin);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usageError(
      'QL108',
      `${isStdin ? 'standard input' : shown(file)} is not text in UTF-8; name another file.`,
    );
  }
}

function readBytes(file: string, isStdin: boolean): Uint8Array {
  const what = isStdin ? 'standard input' : file;
  const parts: Buffer[] = [];
  let bytes = 0;
  let open: number | undefined;
  try {
    open = isStdin ? 0 : openSync(file, 'r');
    for (;;) {
      const part = Buffer.allocUnsafe(1024 * 1024);
      const read = readSync(open, part);
      if (read === 0) return Buffer.concat(parts, bytes);
      bytes += read;
      if (bytes > maxInputBytes)
        throw usageError(
          'QL108',
          `${shown(what)} is larger than ${maxInputBytes / 1024 / 1024} MiB; name a smaller file.`,
        );
      parts.push(part.subarray(0, read));
    }
  } catch (error) {
    throw fileError(error, what, 'be read');
  } finally {
    if (open !== undefined && !isStdin) closeSync(open);
  }
}

/** Makes a folder and those around it. Throws an {@link Exit} with a sentence. */
export function makeFolder(folder: string): void {
  try {
    makeFolders(folder);
  } catch (error) {
    throw fileError(error, folder, 'be made');
  }
}

/**
 * Node's own `recursive` tries for ever where the system says that a folder is missing which cannot
 * be made, as under /proc.
 */
function makeFolders(folder: string): void {
  const missing: string[] = [];
  for (let each = resolve(folder); !existsSync(each); each = dirname(each)) missing.push(each);
  for (const each of missing.reverse()) mkdirSync(each);
  // Of a file that is there, the system says what it is when one looks into it.
  readdirSync(folder);
}

/** Lines that are gathered for one write. */
const linesAtOnce = 4096;

/**
 * Writes lines to a file, in a folder that is made if need be. Throws an {@link Exit} with a
 * sentence; a file that this call has made is then gone again.
 */
export function writeLines(file: string, lines: readonly string[]): void {
  let isNew = false;
  let open: number | undefined;
  try {
    makeFolders(dirname(file));
    isNew = !existsSync(file);
    open = openSync(file, 'w');
    for (let i = 0; i < lines.length; i += linesAtOnce)
      writeAll(open, `${lines.slice(i, i + linesAtOnce).join('\n')}\n`);
  } catch (error) {
    if (isNew && open !== undefined) rmSync(file, { force: true });
    throw fileError(error, file, 'be written');
  } finally {
    if (open !== undefined) closeSync(open);
  }
}

/** The system may take a part only: a pipe, or a disk with little room. */
function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
