import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** What Node has loaded of its own, once all that commands and nodes are made of is there. */
const script = `await import('./program.ts');
  await import('@quorumlab/cluster');
  console.log(process.moduleLoadList.join('\\n'));`;

test("no command and no node waits for a browser's network stack that it does not use", () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=source', '--input-type=module', '-e', script],
    { cwd: import.meta.dirname, encoding: 'utf8' },
  );
  expect(stdout, stderr).toContain('NativeModule _http_server');
  expect(stdout).not.toContain('undici');
});
