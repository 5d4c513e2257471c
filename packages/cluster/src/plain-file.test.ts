import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { testClusters } from '../test-support/clusters.ts';
import { paths } from './config.ts';
import { runNode, showKeyFile } from './index.ts';

const clusters = testClusters();
afterEach(() => clusters.end());

const odd: Readonly<Record<string, (path: string) => void>> = {
  'a pipe': (path) => void spawnSync('sh', ['-c', 'mkfifo -m 600 "$0"', path]),
  'a device': (path) => symlinkSync('/dev/zero', path),
  'a folder': (path) => void mkdirSync(path, { mode: 0o700 }),
  'far too large': (path) => {
    writeFileSync(path, '', { mode: 0o600 });
    truncateSync(path, 2 ** 40);
  },
};

test('a node whose files are none that end says so instead of waiting for ever', async () => {
  const folder = await clusters.made({ protocol: 'raft' });
  const home = paths.node(folder, 0);
  const { config, key, started, traitor, pid, log } = paths;
  const files = [config(folder), ...[key, started, traitor, pid, log].map((place) => place(home))];
  for (const file of files)
    for (const [what, make] of Object.entries(odd)) {
      // A log grows until it begins anew.
      if (what === 'far too large' && file === log(home)) continue;
      const isThere = file === key(home) || file === config(folder);
      if (isThere) renameSync(file, `${file}.aside`);
      make(file);
      const says = what === 'far too large' ? /(bytes, and no such|digits)/ : /is not a file/;
      await expect(runNode({ folder, self: 0 }), `${file}: ${what}`).rejects.toThrow(says);
      if (file === key(home)) await expect(showKeyFile(file), what).rejects.toThrow(/not|digits/);
      rmSync(file, { recursive: true });
      if (isThere) renameSync(`${file}.aside`, file);
    }
});
