import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = fileURLToPath(new URL('./misuse.ts', import.meta.url));
const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** What the compiler says of the misuse file, by the settings of all tests. */
function check(project: string): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', project], {
    cwd: root,
    encoding: 'utf8',
  });
  return { status, text: stdout + stderr };
}

test('what must not compile does not, and what must does', { timeout: 240_000 }, () => {
  expect(readFileSync(file, 'utf8').match(/@ts-expect-error/g)?.length).toBeGreaterThan(12);
  const { status, text } = check('test/types/tsconfig.json');
  expect(text).toBe('');
  expect(status).toBe(0);
});
