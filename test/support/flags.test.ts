import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** The programs of this repository that are no part of a package, by the name of their script. */
const programs = Object.entries(scripts).flatMap(([name, line]): [string, string][] => {
  const file = /^node .*?(test\/\S+\.ts)$/.exec(line)?.[1];
  return file === undefined ? [] : [[name, file]];
});

function run(file: string, ...words: string[]) {
  const args = ['--conditions=source', fileURLToPath(new URL(file, root)), ...words];
  return spawnSync(process.execPath, args, { cwd: fileURLToPath(root), encoding: 'utf8' });
}

test('there are programs', () => {
  expect(programs.map(([name]) => name)).toContain('simulate');
});

describe.each(programs)('npm run %s', (name, file) => {
  test('tells its usage', () => {
    const { status, stdout } = run(file, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: npm run ${name}`);
  });

  test('refuses an option that it does not have, in words', () => {
    const { status, stdout, stderr } = run(file, '--no-such-option');
    expect({ status, stdout }).toEqual({ status: 254, stdout: '' });
    expect(stderr).toMatch(/^Unknown option '--no-such-option'\.\n\nUsage: npm run/);
  });
});
