import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { protocols } from '@quorumlab/harness';
import { loadedModules, loadModule, unloadModules } from '@quorumlab/harness/modules';
import { afterAll, expect, test } from 'vitest';
import { type Said, said } from '../test-support/said.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quorumlab-own-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return `./${name}`;
};

/** The first protocol of CONTRIBUTING.md, outside the tree. */
const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
const first = /```ts\n(.*?)```/s.exec(contributing)?.[1] as string;
file('mine.ts', first);

function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  for (const [from] of changes) expect(text).toContain(from);
  return changes.reduce((before, [from, to]) => before.replace(from, to), text);
}

/** The same under another name, with a wrong variant: what comes first is given the next slot. */
file(
  'wrong.ts',
  replaced(first, [
    ["name: 'primary'", "name: 'second'"],
    ['({ n, f }: EntrySize)', '({ n, f, hasty }: EntrySize & { hasty?: boolean })'],
    [
      "ctx.put('log', slot, command);\n      ctx",
      "ctx.put('log', hasty ? replica.log.size : slot, command);\n      ctx",
    ],
    [
      'right: primary,',
      'right: primary, mutants: { hasty: (size) => primary({ ...size, hasty: true }) },',
    ],
  ]),
);
/** An attack and a workload, as the README shows them. */
const readme = readFileSync(join(root, 'packages/cli/README.md'), 'utf8');
file('more.ts', /^## Your own.*?```ts\n(.*?)```/ms.exec(readme)?.[1] as string);

/** The command line as a program of its own, by a name that a shell finds. */
const program = join(folder, 'ql');
writeFileSync(
  program,
  `#!/bin/sh\nexec ${process.execPath} --conditions=source ${root}packages/cli/src/main.ts "$@"\n`,
);
chmodSync(program, 0o755);

interface Left {
  readonly out: string;
  readonly err: string;
  readonly code: number | null;
}

function shell(line: string, cwd = folder): Left {
  // The bundle in which tests run nodes has no packages to lend to a module.
  const { QUORUMLAB_NODE_PROGRAM: _, ...rest } = process.env;
  const env = { ...rest, NO_COLOR: '1', COLUMNS: '', QUORUMLAB_COMMAND: program };
  const { stdout, stderr, status } = spawnSync('sh', ['-c', line], { cwd, env, encoding: 'utf8' });
  return { out: stdout, err: stderr, code: status };
}

const ql = (words: string, cwd?: string): Left => shell(`${program} -q ${words}`, cwd);

/** The same in the process of this test, where nothing depends on a real one. */
const here = (words: string, cwd = folder): Promise<Said> => said(`-q ${words}`, {}, cwd);

/** A line that a text offers, in the process of this test. */
const again = (line: string): Promise<Said> => here(line.replace(/^quorumlab /, ''));

/** What a text offers behind a word: `replay    ql replay x`. */
const offered = (text: string, word: string): string =>
  new RegExp(`^ +${word} +(.*)$`, 'm').exec(text)?.[1] as string;

const limit = 240_000;

test('a protocol in a file is run, and the line below runs it again', { timeout: limit }, () => {
  const one = ql('run ./mine.ts --attack equivocating-leader --seed 7');
  expect(one, one.err).toMatchObject({ code: 0, err: '' });
  expect(one.out).toContain('primary n=3 f=1 (crash) · equivocating-leader by n0');
  expect(offered(one.out, 'again')).toContain('--with ./mine.ts run primary');
  expect(shell(offered(one.out, 'again')).out).toBe(one.out);
  const document = JSON.parse(ql('run ./mine.ts --json').out);
  expect(document.command).toMatch(/^quorumlab --with \.\/mine\.ts run primary -n 3 -f 1/);
});

test('the stories of CONTRIBUTING.md are as it tells them', { timeout: limit }, async () => {
  mkdirSync(join(folder, 'examples/mine'), { recursive: true });
  writeFileSync(join(folder, 'examples/mine/first.ts'), first);
  const lines = [...contributing.matchAll(/^npm run -s quorumlab -- (run examples\/.*)$/gm)];
  const told = /```text\n(✓.*?)```/s.exec(contributing)?.[1]?.trim().split('\n') ?? [];
  expect(lines).toHaveLength(told.length);
  for (const [i, [, words]] of lines.entries())
    expect((await here(words as string)).out).toContain(told[i]?.replace(/ …$/, ''));
  const broken = execFileSync(
    process.execPath,
    ['--conditions=source', '--input-type=module-typescript', '-e', first],
    { cwd: join(root, 'packages/cli'), encoding: 'utf8' },
  );
  expect(broken).toContain('broken: split by f of n is survived primary: stalled');
});

test('its wrong variant is found, shrunk, replayed and explained by the lines that are printed', {
  timeout: limit,
}, async () => {
  const search = 'attack ./wrong.ts --mutant hasty --attack none --net lossy --seeds 50 --jobs 1';
  const { out, err, code } = await here(search);
  expect(code, err).toBe(0);
  expect(out).toContain('second with the mutant hasty');
  const replay = offered(out, 'replay');
  expect(replay).toContain('--with ./wrong.ts replay');
  const replayed = await again(replay);
  expect(replayed).toMatchObject({ code: 0 });
  expect(replayed.out).toContain('identical');
  const traced = await again(`${offered(out, 'first')} --trace big.ndjson`);
  expect(traced.out).toMatch(/forked|invalid/);
  const small = await here('--with ./wrong.ts shrink big.ndjson --tries 50');
  expect(small, small.err).toMatchObject({ code: 0 });
  expect(await again(offered(small.out, 'replay'))).toMatchObject({ code: 0 });
  const told = await here('explain big.ndjson --with ./wrong.ts');
  expect(told.out).toContain('second with the mutant');
  // A trace names no code that is to be run: without the module nobody knows its protocol.
  const alone = await here('replay big.ndjson');
  expect(alone.code).toBe(254);
  expect(alone.err).toContain('a run with the protocol "second", and there is none of that name');
  expect(alone.err).toContain('use   --with FILE');
});

test('it is compared, and that nobody leads after a crash is said', { timeout: limit }, () => {
  const { out, err, code } = ql('compare ./mine.ts raft --attack none,split --seeds 5 --jobs 2');
  expect(err).toBe('');
  expect([0, 2]).toContain(code);
  expect(out).toMatch(/^ {2}primary +3 +✓ ok/m);
  expect(out.replace(/\s+/g, ' ')).toContain(
    'primary: when the leader has crashed, nobody answers',
  );
});

test('it runs as real processes, which load it too', { timeout: limit }, () => {
  const home = join(folder, 'real');
  mkdirSync(home);
  writeFileSync(join(home, 'mine.ts'), first);
  try {
    const up = ql('cluster up --protocol ./mine.ts -n 3', home);
    expect(up, up.err).toMatchObject({ code: 0 });
    const submitted = ql("--with ./mine.ts cluster submit 'set a 1' 'get a'", home);
    expect(submitted.out, submitted.err).toContain('stored');
    const alone = ql('cluster status', home);
    expect(alone.code).toBe(254);
    expect(alone.err).toContain('use   --with FILE   if it is your own');
    expect(ql('cluster status --with ./mine.ts', home).out).toContain('primary n=3 f=1');
    expect(ql('--with ./mine.ts cluster down', home).out).toContain('n2  stopped');
  } finally {
    ql('--with ./mine.ts cluster down', home);
  }
});

test('the demo shows it beside another one', { timeout: limit }, async () => {
  const { out, code, err } = await here('demo ./mine.ts pbft --sim');
  expect(code, err).toBe(0);
  expect(out).toMatch(/primary: ✗ forked {3}pbft: ✓ ok/);
  expect(offered(out, 'again')).toContain('--with ./mine.ts run primary');
});

test('attacks and workloads of files run, and a configuration spares their names', {
  timeout: limit,
}, async () => {
  const words = 'run raft --attack sleepy-first --workload colours --count 5';
  expect((await here(`${words} --with ./more.ts`)).out).toContain('5 operations answered');
  const project = join(folder, 'project');
  mkdirSync(project);
  const config = "export const use: string[] = ['../more.ts', '../mine.ts'];\n";
  writeFileSync(join(project, 'quorumlab.config.ts'), config);
  const { out, code } = await here(words, project);
  expect(code).toBe(0);
  expect(offered(out, 'again')).not.toContain('--with');
  expect((await here('list protocols', project)).out).toContain('Replica 0 orders');
  const attack = 'attack primary --attack sleepy-first --seeds 50 --jobs 1';
  expect((await here(attack, project)).code).toBe(0);
});

/** A module whose protocol has a name, and little else. */
const named = (name: string): string =>
  `export const entry = {
    title: 'x', right: () => ({ name: '${name}', claims: { replicas: (f) => f } }) };`;

const wrongFiles: readonly (readonly [text: string, ...named: string[]])[] = [
  ['', 'exports nothing', 'write e.g. export const entry'],
  ['export default 1;', 'it exports default'],
  ['export const raft = 1, other = 2;', 'it exports other, raft'],
  ['export const entry = 7;', 'its entry is no protocol', '{ title, right }'],
  ['export const entry = { title: "x" };', 'its entry is no protocol'],
  ['export const entry = { title: "x", right: () => ({}) };', 'it has no name or no claims'],
  [
    'export const entry = { title: "x", right() { throw new Error("no room\\nat all"); } };',
    'its protocol cannot be made for one fault: no room.',
  ],
  [named('raft'), 'There is a protocol "raft" already; give yours another name.'],
  [named('a b'), '"a b" is no name for protocols'],
  ['export const attack = { name: "x" };', 'as attack is none', '{ name, title, needs }'],
  [
    'export const attack = { name: "split", title: "t", needs: "network" };',
    'There is an attack "split" already',
  ],
  ['export const workload = { name: "x", title: "y" };', 'as workload is none', 'make('],
  [
    'export const attacks = [{ name: "mine", title: "t", needs: "nothing" }];',
    'exports no entry, so',
  ],
  ['throw new Error("early");', 'cannot be loaded: early.'],
  ['const a = ;', 'cannot be loaded'],
];

test.each(wrongFiles)('a module %j is refused in a sentence', async (text, ...named) => {
  const path = file(`wrong-${wrongFiles.findIndex(([each]) => each === text)}.mjs`, text);
  const { err, code, out } = await said(`run ${path}`, {}, folder);
  expect({ code, out }).toEqual({ code: 254, out: '' });
  expect(err).toMatch(/^error QL1(30|17): /);
  expect(err).toContain(path);
  for (const each of named) expect(err).toContain(each);
});

test('of a module that is refused nothing stays', async () => {
  const both = `${named('fresh')}
    export const attack = { name: 'split', title: 't', needs: 'network' };`;
  const path = file('both.mjs', both);
  expect((await said(`run ${path}`, {}, folder)).err).toContain('"split" already');
  expect((await said('list protocols', {}, folder)).out).not.toContain('fresh');
  // Mended, it is taken: the name has stayed free.
  const mended = file('mended.mjs', both.replace("'split'", "'cut-off'"));
  const { out, err } = await said(`list protocols --with ${mended}`, {}, folder);
  expect(out, err).toMatch(/^fresh /m);
});

test('what is no file, and a configuration that is none, are refused in a sentence', async () => {
  const missing = await said('run ./none.ts', {}, folder);
  expect(missing).toMatchObject({ code: 254 });
  expect(missing.err).toContain('error QL130: There is no file ./none.ts; check its name.');
  const project = join(folder, 'broken');
  mkdirSync(project);
  writeFileSync(join(project, 'quorumlab.config.mjs'), 'export default {};');
  const { err, code } = await said('list verdicts', {}, project);
  expect(code).toBe(254);
  expect(err).toContain("write e.g. export const use = ['./mine.ts'];");
  // Whoever presses a key in a shell runs nothing.
  expect(await said('completion bash', {}, project)).toMatchObject({ code: 0 });
});

test('what modules have brought is taken away again, and can be loaded once more', async () => {
  const names = (): readonly string[] => protocols.map(({ name }) => name);
  const before = names();
  for (let i = 0; i < 2; i++) {
    await loadModule(join(folder, 'mine.ts'));
    expect(names()).toEqual([...before, 'primary']);
    unloadModules();
    expect(names()).toEqual(before);
    expect(loadedModules()).toEqual([]);
  }
});
