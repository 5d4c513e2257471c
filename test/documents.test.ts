import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTree } from './architecture/tree.ts';
import {
  type Example,
  examplesIn,
  examplesInSource,
  fileNameOf,
  type Outcome,
  run,
  writeExamples,
} from './support/documents.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const runLimitMs = 120_000;
const checkLimitMs = 240_000;
const documents = /^(?:[A-Z_]+\.md|examples\/README\.md|packages\/[^/]+\/README\.md|docs\/.+\.md)$/;

const sources = /^packages\/[^/]+\/src\/.+\.ts$/;

const tree = readTree(root);
const told = [...tree]
  .filter(([path]) => sources.test(path))
  .map(([path, text]) => examplesInSource(path, text));
const examples = [
  ...[...tree]
    .filter(([path]) => documents.test(path))
    .flatMap(([path, text]) => examplesIn(path, text)),
  ...told.flatMap(({ examples }) => examples),
];
/** Where most people begin: an editor shows an example there. */
const entryPoints = [
  ...['raft', 'zab', 'pbft', 'hotstuff', 'tendermint', 'streamlet', 'minbft'],
  ...['multiPaxos', 'basicPaxos', 'flexiblePaxos'],
  ...['runScenario', 'testProtocol', 'simulateService', 'protocolEntry', 'matchers'],
  ...['startNode', 'connectClient', 'checkLinearizable', 'simulate'],
];
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

/** Runs examples after each other in one process, and names those that went well. */
async function runTogether(
  folder: string,
  some: readonly Example[],
): Promise<ReadonlySet<string | undefined>> {
  const script = `for (const name of ${JSON.stringify(some.map(fileNameOf))})
    try {
      await import('./' + name);
      console.log('\\n' + name + ' has run');
    } catch {}`;
  const args = ['--conditions=source', '--input-type=module', '-e', script];
  const { code, output } = await run(process.execPath, args, { cwd: folder, limitMs: runLimitMs });
  // One that fails later, or keeps the process from ending, may be any of them.
  return new Set(code === 0 ? [...output.matchAll(/^(\S+) has run$/gm)].map(([, it]) => it) : []);
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

  it.each(entryPoints)('show how %s is used, where an editor looks for it', (name) => {
    expect(told.flatMap(({ names }) => names)).toContain(name);
  });

  // Most of what an example takes is the import of packages, which all of them share so.
  const runnable = examples.filter(({ runs }) => runs);
  let together: ReadonlySet<string | undefined>;
  beforeAll(async () => {
    together = await runTogether(folder, runnable);
  }, checkLimitMs);

  it.concurrent.each(runnable)('$path:$line runs', { timeout: checkLimitMs }, async (example) => {
    if (together.has(fileNameOf(example))) return;
    const outcome = await execute(folder, example);
    expect(outcome, outcome.output).toMatchObject({ code: 0 });
  });
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

  it('finds the examples of doc comments, at the lines where they stand', () => {
    const source = [
      'const a = 1;',
      '/** None here. */',
      'export const b = 2;',
      '/**',
      ' * Three.',
      ' *',
      ' * @example',
      ' * ```ts',
      ' * if (true)',
      ' *   throw new Error();',
      ' * ```',
      ' */',
      'export const c = 3;',
    ].join('\n');
    expect(examplesInSource('d/src/e.ts', source)).toEqual({
      examples: [
        { path: 'd/src/e.ts', line: 8, code: 'if (true)\n  throw new Error();\n', runs: true },
      ],
      names: ['c'],
    });
    expect(() => examplesInSource('e.ts', source.replaceAll('```', ''))).toThrow('e.ts:4: an @exa');
  });

  it('catches a wrong type and a failing run, at the line of the document', {
    timeout: checkLimitMs,
  }, async () => {
    const folder = write(planted);
    const checked = await typeCheck(folder);
    expect(checked.code).not.toBe(0);
    expect(checked.output).toMatch(/a-README-line-8\.ts\(9,7\): error TS2322/);
    expect(await runTogether(folder, planted.slice(0, 1))).toEqual(
      new Set([fileNameOf(planted[0]!)]),
    );
    // What follows an example that fails is told apart from it.
    expect(await runTogether(folder, [planted[2]!, planted[0]!])).toEqual(
      new Set([fileNameOf(planted[0]!)]),
    );
    expect((await execute(folder, planted[0]!)).code).toBe(0);
    expect((await execute(folder, planted[2]!)).code).toBe(1);
  });
});
