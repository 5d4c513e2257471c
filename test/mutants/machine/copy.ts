/** A throw-away copy of the work tree: whatever is changed there, the work tree is not. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Folders in which the package manager has put links to what a package imports. */
const workspaces = ['.', 'test', 'docs', 'examples'];

/**
 * Copies all files of the tree at `root` that git knows or would add, and calls `use` with the
 * folder. The copy is removed afterwards.
 */
export async function withCopy<T>(root: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-mutate-'));
  try {
    const list = spawnSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    if (list.status !== 0) throw new Error(`git cannot list the files of ${root}: ${list.stderr}`);
    for (const path of list.stdout.split('\0')) {
      if (path === '' || !existsSync(join(root, path))) continue;
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      cpSync(join(root, path), join(folder, path));
    }
    linkModules(root, folder);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The links of each package lead to its neighbours in the copy. What comes from outside is shared:
 * it is only read.
 */
function linkModules(root: string, folder: string): void {
  const packages = spawnSync('git', ['ls-files', '-z', 'packages/*/package.json'], {
    cwd: root,
    encoding: 'utf8',
  });
  const all = packages.stdout.split('\0').filter((path) => path !== '');
  for (const place of [...workspaces, ...all.map(dirname)]) {
    const from = join(root, place, 'node_modules');
    const to = join(folder, place, 'node_modules');
    if (!existsSync(from)) continue;
    if (place === '.') symlinkSync(from, to);
    else cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
}
