import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ScenarioError } from '@quorumlab/harness';
import { expect, test } from 'vitest';
import { errorCodes } from './error-codes.ts';
import { explainError, usageError } from './errors.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

test('docs/errors.md has every code, and says what the command line knows of it', () => {
  const text = readFileSync(join(root, 'docs/errors.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (QL\d{3}) \| (.*) \|$/gm)].map(([, code, what]) => [
    code,
    what,
  ]);
  expect(Object.fromEntries(rows)).toEqual(errorCodes);
});

test('every code that a package uses is one of them, and each of them is used', () => {
  const used = new Set<string>();
  for (const name of readdirSync(join(root, 'packages')))
    for (const file of readdirSync(join(root, 'packages', name, 'src'), { recursive: true })) {
      const path = join(root, 'packages', name, 'src', String(file));
      if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue;
      const text = readFileSync(path, 'utf8');
      // Its own table says which there are, not that they are used.
      const code = path.endsWith('error-codes.ts') ? text.slice(text.indexOf('byName')) : text;
      for (const [, found] of code.matchAll(/'(QL\d{3})'/g)) used.add(found as string);
    }
  expect([...used].sort()).toEqual(Object.keys(errorCodes).sort());
});

test('what to do is taken from the lines below the sentence, or from the sentence itself', () => {
  const hintOf = (sentence: string): string | undefined =>
    explainError(usageError('QL100', sentence), 'quorumlab run')?.hint;
  expect(hintOf('n is too small.\n  use   -n 4\n  or    --unsafe-n')).toBe(
    'use -n 4, or --unsafe-n',
  );
  expect(hintOf('There is no word "x". Did you mean y?')).toBe('Did you mean y?');
  expect(hintOf('"x" sets no option; write e.g. name=value.')).toBe('write e.g. name=value.');
  expect(hintOf('-n takes a whole number from 1 to 9, not "x".')).toBe('see quorumlab run --help');
});

test('a system error names the place and what to do; our own bugs stay bugs', () => {
  const system = Object.assign(new Error('listen'), {
    code: 'EADDRINUSE',
    syscall: 'listen',
    address: '127.0.0.1',
    port: 9400,
  });
  expect(explainError(system)).toMatchObject({ code: 'QL108', exit: 254 });
  expect(explainError(system)?.message).toContain('127.0.0.1:9400');
  expect(explainError(system)?.message).toContain('--port');
  const ours = Object.assign(new TypeError('x is undefined'), { code: 'ERR_INVALID_ARG_VALUE' });
  expect(explainError(ours)).toMatchObject({ code: 'QL199', exit: 255 });
  expect(explainError(new ScenarioError('QL104', 'n is too small.'))?.exit).toBe(254);
});
