/** A log in memory, opened for a test, and what it does to the disk. */
import { basename } from 'node:path';
import type { Files, OpenFile } from '../src/files.ts';
import { openLog } from '../src/log.ts';
import type { FaultyFiles, FileOperation } from '../src/testing.ts';
import type { LogOptions, RecordLog } from '../src/types.ts';
import { folder } from './twin.ts';

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A log that is open, and what it held then. */
export interface Opened {
  readonly log: RecordLog;
  readonly batches: readonly Uint8Array[];
}

/** Opens the log on `files`, as that of the twin of the format unless told. */
export async function opened(files: Files, options: Partial<LogOptions> = {}): Promise<Opened> {
  const batches: Uint8Array[] = [];
  const log = await openLog(folder, {
    owner: 'twin',
    files,
    preallocateBytes: 64,
    replay: (batch) => void batches.push(batch),
    ...options,
  });
  return { log, batches };
}

const nameOf = (path: string): string => basename(path).replace(/^0+(\d+\.)/, '$1');

/** A file that is open is told by its number, whatever its name is by now. */
const stemOf = (path: string): string => nameOf(path).replace(/\.\w+$/, '');

/** The change as a test writes it down. A write of nothing is none. */
function told(operation: FileOperation): readonly string[] {
  switch (operation.kind) {
    case 'write':
      return operation.bytes.length > 0 ? [`write ${stemOf(operation.path)}`] : [];
    case 'rename':
      return [`rename ${nameOf(operation.path)} ${nameOf(operation.to)}`];
    case 'datasync':
      return [`datasync ${stemOf(operation.path)}`];
    case 'syncFolder':
      return ['syncFolder'];
    default:
      return [`${operation.kind} ${nameOf(operation.path)}`];
  }
}

/** What `work` changes on the disk, several writes to one file in a row being one. */
export async function changes(
  files: FaultyFiles,
  work: () => Promise<unknown>,
): Promise<readonly string[]> {
  const before = files.journal.length;
  await work();
  const all = files.journal.slice(before).flatMap(told);
  return all.filter((each, i) => each !== all[i - 1]);
}

/** The files, with a count of those that are open. */
export function counted(files: FaultyFiles): { readonly files: Files; open: number } {
  const count = {
    open: 0,
    files: {
      ...files,
      open: async (path: string, mode: 'read' | 'update' | 'create'): Promise<OpenFile> => {
        const file = await files.open(path, mode);
        count.open += 1;
        let isOpen = true;
        return {
          ...file,
          close: async () => {
            if (isOpen) count.open -= 1;
            isOpen = false;
          },
        };
      },
    },
  };
  return count;
}
