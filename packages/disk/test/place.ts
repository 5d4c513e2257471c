/** Folders of the real disk for tests. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder, to be removed with {@link removeFolder}. */
export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'quorumlab-disk-'));

export const removeFolder = (folder: string): void =>
  rmSync(folder, { recursive: true, force: true });

/** Calls `use` with a new folder, and removes it afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = newFolder();
  try {
    return await use(folder);
  } finally {
    removeFolder(folder);
  }
}

/** The turns of the slots of the second place in `folder`, the newer one first. */
export const readSlots = (folder: string): readonly number[] => {
  const bytes = readFileSync(join(folder, 'flushed.bin'));
  return [0, 512].map((at) => bytes.readUIntLE(at + 8, 6)).sort((a, b) => b - a);
};
