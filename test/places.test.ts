import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'quorumlab-places-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** The tree without what is built and installed; links between packages stay links. */
function copyTree(): void {
  const left = ['dist', '.stryker-tmp', '.quorumlab'];
  for (const part of ['packages', 'tsconfig.base.json', 'tsconfig.json', 'package.json'])
    cpSync(join(root, part), join(copy, part), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !left.includes(basename(path)),
    });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

const read = (path: string): string => readFileSync(join(copy, path), 'utf8');

/** Files outside the new folder that had to change, each with why. */
const places: string[] = [];

function change(path: string, from: string, to: string): void {
  const text = read(path);
  expect(text).toContain(from);
  writeFileSync(join(copy, path), text.replace(from, to));
  if (!places.includes(path)) places.push(path);
}

/** The protocol of CONTRIBUTING.md as a package: its folder, and what installing makes of it. */
function addFolder(): void {
  const home = join(copy, 'packages/primary');
  mkdirSync(join(home, 'src'), { recursive: true });
  const document = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  // It imports what suites take, which is above it, for the lines at its end alone.
  const [, source = ''] = /```ts\n(.*?)if \(import\.meta\.main\).*?```/s.exec(document) ?? [];
  const entry = source.replace(/^import .*'@quorumlab\/harness';\n/m, '');
  writeFileSync(join(home, 'src/entry.ts'), entry);
  const { version, files, license, type } = JSON.parse(read('packages/raft/package.json'));
  const exports = {
    './entry': {
      source: './src/entry.ts',
      types: './dist/entry.d.ts',
      default: './dist/entry.js',
    },
  };
  const dependencies = { '@quorumlab/core': 'workspace:^' };
  const name = '@quorumlab/primary';
  const manifest = { name, version, files, license, type, floor: 2, exports, dependencies };
  writeFileSync(join(home, 'package.json'), JSON.stringify(manifest));
  cpSync(join(copy, 'packages/raft/tsconfig.json'), join(home, 'tsconfig.json'));
  const links = join(home, 'node_modules/@quorumlab');
  mkdirSync(links, { recursive: true });
  symlinkSync('../../../core', join(links, 'core'));
  symlinkSync('../../../primary', join(copy, 'packages/harness/node_modules/@quorumlab/primary'));
}

test('a protocol is a folder and three places', { timeout: 240_000 }, () => {
  copyTree();
  addFolder();
  change(
    'packages/harness/src/registry.ts',
    "import { entry as raft } from '@quorumlab/raft/entry';\n",
    "import { entry as primary } from '@quorumlab/primary/entry';\n" +
      "import { entry as raft } from '@quorumlab/raft/entry';\n",
  );
  change(
    'packages/harness/src/registry.ts',
    '  protocolEntry(raft),\n',
    '  protocolEntry(raft),\n  protocolEntry(primary),\n',
  );
  change(
    'packages/harness/package.json',
    '"@quorumlab/raft": "workspace:^",',
    '"@quorumlab/raft": "workspace:^",\n    "@quorumlab/primary": "workspace:^",',
  );
  change(
    'packages/harness/tsconfig.json',
    '"path": "../raft"',
    '"path": "../raft" },\n    { "path": "../primary"',
  );
  expect(places).toHaveLength(3);

  // Types of it and of everything above it, from sources alone.
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(process.execPath, [tsc, '-b', 'packages/harness'], {
    cwd: copy,
    encoding: 'utf8',
  });
  expect(built.stdout).toBe('');
  // The command line, worlds and suites have it by then.
  const run = (...words: readonly string[]): string =>
    execFileSync(process.execPath, ['--conditions=source', 'packages/cli/src/main.ts', ...words], {
      cwd: copy,
      encoding: 'utf8',
    });
  expect(run('list', 'protocols')).toContain('Replica 0 orders, a majority stores.');
  expect(run('run', 'primary')).toContain('✓ ok   20 operations answered');
  expect(run('attack', 'primary', '--seeds', '5', '--jobs', '1')).toContain('✗ forked');
});
