/** The repository as the site is made of it: which files there are, and what stands in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A work tree, by paths from its root with forward slashes. */
export interface WorkTree {
  readonly root: string;
  /** Every file, in order. */
  readonly files: ReadonlySet<string>;
  readonly folders: ReadonlySet<string>;
  /** The text of a file. Throws if there is none. */
  text(path: string): string;
}

/** What is installed or built is no part of the repository. */
const skipped = new Set(['node_modules', 'dist', 'coverage', '.git', '.generated', '.quorumlab']);

/** Reads which files there are below `root`; their texts are read when they are asked for. */
export function workTreeOf(root: string): WorkTree {
  const files = new Set<string>();
  const folders = new Set<string>();
  const walk = (folder: string): void => {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    for (const entry of entries.toSorted((one, two) => (one.name < two.name ? -1 : 1))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (skipped.has(entry.name)) continue;
      if (!entry.isDirectory()) files.add(path);
      else {
        folders.add(path);
        walk(path);
      }
    }
  };
  walk('');
  return { root, files, folders, text: (path) => readFileSync(join(root, path), 'utf8') };
}
