import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labs } from '@quorumlab/lessons';
import { afterAll, expect, test } from 'vitest';
import { said } from '../test-support/said.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-lab-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

test('labs are listed, begun and marked, and a trace of what went wrong is kept', async () => {
  const list = await said('lab');
  for (const { title } of labs) expect(list.out).toContain(title);
  const file = at('rule.mjs');
  expect(await said(`lab 2 --start ${file}`)).toMatchObject({ code: 0, err: '' });
  expect(readFileSync(file, 'utf8')).toContain('export function choose(reports)');
  expect(await said(`lab 2 --start ${file}`)).toMatchObject({ code: 254 });
  const wrong = await said(`lab 2 ${file} --seeds 3`);
  expect(wrong.code).toBe(1);
  expect(wrong.out).toMatch(/✗ Mend the rule of values\n {2}It comes to forked/);
  const right = at('right.mjs');
  writeFileSync(
    right,
    `export const choose = (reports) => reports
      .filter((each) => each !== null)
      .sort((one, two) => two.ballot - one.ballot)[0]?.value ?? null;`,
  );
  const told = JSON.parse((await said(`lab 2 ${right} --seeds 5 --json`)).out);
  expect(told).toMatchObject({ schema: 'quorumlab.lab/1', passed: true, runs: 5, exit: 0 });
});

test('a file that is not there, or cannot be read, is a sentence', async () => {
  expect((await said(`lab 1 ${at('none.mjs')}`)).err).toMatch(/QL130: There is no file/);
  writeFileSync(at('broken.mjs'), 'export const lie = (');
  expect((await said(`lab 1 ${at('broken.mjs')}`)).err).toMatch(/cannot be run: SyntaxError/);
  expect((await said('lab 9')).err).toContain('There is no lab "9"');
  expect(existsSync(at('none.mjs'))).toBe(false);
});
