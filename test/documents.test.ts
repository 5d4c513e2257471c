import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readTree } from './architecture/tree.ts';
import {
  type Example,
  examplesIn,
  fileNameOf,
  type Outcome,
  run,
  writeExamples,
} from './support/documents.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const runLimitMs = 120_000;
const checkLimitMs = 240_000;
const documents = /^(?:[A-Z_]+\.md|examples\/README\.md|packages\/[^/]+\/README\.md|docs\/.+\.md)$/;

const examples = [...readTree(root)]
  .filter(([path]) => documents.test(path))
  .flatMap(([path, text]) => examplesIn(path, text));
const folders: string[] = [];

function write(some: readonly Example[]): string {
  const folder = writeExamples(root, some);
  folders.push(folder);
  return folder;
}

function typeCheck(folder: string): Promise<Outcome> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return run(process.execPath, [tsc, '-p', folder], { cwd: folder, limitMs: checkLimitMs });
}

function execute(folder: string, example: Example): Promise<Outcome> {
  const args = ['--conditions=source', join(folder, fileNameOf(example))];
  return run(process.execPath, args, { cwd: folder, limitMs: runLimitMs });
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  const parent = folders[0] && dirname(folders[0]);
  if (parent !== undefined && readdirSync(parent).length === 0) rmSync(parent, { recursive: true });
});

describe.skipIf(examples.length === 0)('the examples in the documents', () => {
  const folder = examples.length === 0 ? '' : write(examples);

  it('agree with the types of the packages', { timeout: checkLimitMs }, async () => {
    expect(await typeCheck(folder)).toEqual({ code: 0, output: '' });
  });

  it.concurrent.each(examples.filter(({ runs }) => runs))(
    '$path:$line runs',
    { timeout: checkLimitMs },
    async (example) => {
      const outcome = await execute(folder, example);
      expect(outcome, outcome.output).toMatchObject({ code: 0 });
    },
  );
});

describe('the reader of documents', () => {
  const markdown = [
    'Text',
    '```ts',
    'const a: number = 1;',
    '```',
    '```js',
    'none',
    '```',
    '```ts no-run',
    'const b: number = "b";',
    '```',
    '````ts',
    'throw new Error("```");',
    '````',
  ].join('\n');
  const planted = examplesIn('a/README.md', markdown);

  it('finds blocks of TypeScript and whether to run them', () => {
    expect(planted.map(({ line, runs }) => [line, runs])).toEqual([
      [2, true],
      [8, false],
      [11, true],
    ]);
    expect(planted[2]?.code).toBe('throw new Error("```");\n');
    expect(examplesIn('b.md', 'no example')).toEqual([]);
  });

  it('catches a wrong type and a failing run, at the line of the document', {
    timeout: checkLimitMs,
  }, async () => {
    const folder = write(planted);
    const checked = await typeCheck(folder);
    expect(checked.code).not.toBe(0);
    expect(checked.output).toMatch(/a-README-line-8\.ts\(9,7\): error TS2322/);
    expect((await execute(folder, planted[0]!)).code).toBe(0);
    expect((await execute(folder, planted[2]!)).code).toBe(1);
  });
});
