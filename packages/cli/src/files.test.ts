import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { said } from '../test-support/said.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quorumlab-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'a-file');
writeFileSync(file, 'not a folder\n');
symlinkSync('loop', join(folder, 'loop'));

/** Where nothing can be written, and what the sentence says of it. */
const places: readonly (readonly [path: string, why: RegExp])[] = [
  [join(file, 'trace'), /a part of this path is a file/],
  [folder, /it is a folder; name a file in it/],
  [join(folder, 'x'.repeat(300)), /the name is too long/],
  [join(folder, 'loop'), /its links lead back/],
  // Linux has a disk that is always full, and a file system that takes no files.
  ...(existsSync('/dev/full') ? [['/dev/full', /no space is left/] as const] : []),
  ...(existsSync('/proc/self') ? [['/proc/nobody/trace', /there is no such file/] as const] : []),
];

test('a violation is told with its seed although its trace cannot be written', async () => {
  const line = 'run raft --attack equivocating-leader --seed 5';
  for (const [path, why] of places) {
    const { out, err, code } = await said(`${line} --trace ${path}`);
    expect({ path, code }).toEqual({ path, code: 254 });
    expect(out, path).toContain('forked');
    expect(out, path).toMatch(/again .*--seed 5/);
    expect(err, path).toMatch(/^error QL108: /);
    expect(err, path).toContain(path.slice(0, 60));
    expect(err, path).toMatch(why);
    const document = JSON.parse((await said(`--json ${line} --trace ${path}`)).out);
    expect(document).toMatchObject({ exit: 254, errors: [{ code: 'QL108', exit: 254 }] });
    expect(document.verdicts[0]).toMatchObject({ word: 'forked' });
    expect(document.verdicts[0].counterexample.trace).toBeUndefined();
  }
});

test('so it is in searches and comparisons, whose other cells go on', async () => {
  const where = `--traces ${join(file, 'traces')} --seeds 1 --jobs 1`;
  const attack = await said(`attack raft ${where}`);
  expect(attack).toMatchObject({ code: 254 });
  expect(attack.out).toMatch(/forked .*First: seed 42/);
  expect(attack.err).toMatch(/^error QL108: /m);
  const compare = await said(`compare raft --attack none,equivocating-leader ${where}`);
  expect(compare).toMatchObject({ code: 254 });
  expect(compare.out).toContain('raft under equivocating-leader: forked');
  expect(compare.err.match(/^error QL108: /gm)).toHaveLength(1);
});

test('what a full disk has cut off is not left behind', async () => {
  const trace = join(folder, 'new', 'folders', 'a.ndjson');
  expect((await said(`run raft --trace ${trace}`)).code).toBe(0);
  expect(readFileSync(trace, 'utf8').split('\n').at(-1)).toBe('');
  expect((await said(`run raft --trace ${join(folder, 'x'.repeat(300))}`)).code).toBe(254);
});

test('a full disk under the output is a sentence; a reader that has gone is none', async () => {
  const flags = ['--conditions=source', main, 'run', 'raft', '--attack', 'equivocating-leader'];
  if (existsSync('/dev/full')) {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, flags, {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect(stderr).toMatch(/^error QL108: the output cannot be written: no space is left/);
    expect(status).toBe(254);
  }
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let err = '';
  child.stderr.on('data', (part) => (err += String(part)));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, err }).toEqual({ code: 0, err: '' });
});

test('whatever is in a file, it is refused or run, and never an error of ours', async () => {
  const trace = join(folder, 'right.trace.ndjson');
  await said(`run raft --attack equivocating-leader --count 2 --trace ${trace}`);
  const text = readFileSync(trace, 'utf8');
  const proof = (await said('explain demo --proof')).out;
  const broken = join(folder, 'broken');
  const parts = fc.constantFrom('"', '{', '}', '-1', '1e9', 'null', '[]', '"n":', '\n', '\0', 'é');
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(12),
    parts,
  });
  const header = text.indexOf('\n');
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('trace', 'proof'), edit, async (what, { at, cut, parts }) => {
      const whole = what === 'trace' ? text : proof;
      // Most of a trace is events; what matters is in its first line.
      const i = Math.floor(at * (what === 'trace' ? header : whole.length));
      writeFileSync(broken, whole.slice(0, i) + parts + whole.slice(i + cut));
      for (const command of what === 'trace' ? ['replay', 'shrink --tries 1'] : ['explain']) {
        const { err, code } = await said(`${command} ${broken}`);
        expect([0, 1, 2, 3, 254]).toContain(code);
        expect(err).not.toContain('internal error');
      }
    }),
    { numRuns: process.env.QUORUMLAB_LONG_TESTS === '1' ? 500 : 25 },
  );
});

test('explain --json is one document: the verdict and the story of a run', async () => {
  const trace = join(folder, 'told.trace.ndjson');
  await said(`run raft --attack equivocating-leader --count 2 --trace ${trace}`);
  for (const what of [trace, 'demo']) {
    const document = JSON.parse((await said(`--json explain ${what}`)).out);
    expect(document).toMatchObject({ schema: 'quorumlab.result/1', exit: 0 });
    expect(document.verdicts[0]).toMatchObject({ protocol: 'raft', word: 'forked' });
    expect(document.story.length).toBeGreaterThan(2);
  }
});

test('check judges a history of transactions, with or without time', async () => {
  const line = (invokedAt: number, returnedAt: number, ...operations: unknown[]): string =>
    JSON.stringify({ process: 1, invokedAt, returnedAt, outcome: 'committed', operations });
  const file = join(folder, 'stale.ndjson');
  writeFileSync(
    file,
    [
      '{"schema":"quorumlab.transactions/1"}',
      line(0, 9, ['append', 'x', 1]),
      line(20, 30, ['read', 'x', []]),
    ].join('\n'),
  );
  const found = await said(`check ${file}`);
  expect(found.code).toBe(1);
  expect(found.out).toContain("T1 read 'x' as empty, without 1 of T0");
  expect(JSON.parse((await said(`check ${file} --json`)).out).anomalies[0].name).toBe(
    'G-single-realtime',
  );
  expect((await said(`check ${file} --no-real-time`)).code).toBe(0);
});
