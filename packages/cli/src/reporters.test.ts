import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Said, said } from '../test-support/said.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-reporters-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quorumlab = (line: string, env: Readonly<Record<string, string>> = {}): Promise<Said> =>
  said(line, env, folder);
const text = (file: string): string => readFileSync(join(folder, file), 'utf8');

const attacks = '--attack none,equivocating-leader,f+1-traitors';
const examples = new URL('../../../docs/reports/', import.meta.url);

test('a comparison writes all its reports at once, which are those of docs/reports', async () => {
  const files = 'plain=a.html,junit=a.xml,md=a.md,json=a.json';
  const line = `compare raft pbft -f 1 ${attacks} --seeds 5 --sizes 1,2,3 --reporter ${files}`;
  const { out, code } = await quorumlab(line);
  expect(code).toBe(0);
  expect(out).toContain('0 unexpected');
  const { growth } = JSON.parse(text('a.json'));
  expect(growth.map(({ n }: { n: number }) => n)).toEqual([3, 4, 5, 7, 7, 10]);
  for (const name of ['html', 'xml', 'md']) {
    const example = new URL(`example.${name}`, examples);
    // After a wanted change UPDATE_REPORTS=1 writes them anew: read the difference.
    if (process.env.UPDATE_REPORTS) writeFileSync(example, text(`a.${name}`));
    expect(text(`a.${name}`) === readFileSync(example, 'utf8'), name).toBe(true);
  }
});

test('stored results are reported as they were, and shards as one', async () => {
  const search = (seed: string): string =>
    `attack raft --seeds 3 --seed ${seed} --jobs 1 --reporter json=${seed}.json`;
  for (const seed of ['100', '103']) expect((await quorumlab(search(seed))).code).toBe(0);
  const line = 'report 100.json 103.json --reporter html=both.html --json';
  const { out, code } = await quorumlab(`${line} --date 2026-11-30`);
  expect(code).toBe(0);
  const { verdicts, command } = JSON.parse(out);
  expect(command).toBe('quorumlab report 100.json 103.json');
  expect(verdicts).toMatchObject([{ runs: 6, hits: 6, word: 'forked', seed: '100' }]);
  expect(text('both.html')).toContain('<dd>2026-11-30</dd>');
  expect(text('both.html')).toContain('<svg class="lanes"');
  const again = await quorumlab('report 100.json 100.json');
  expect(again).toMatchObject({ code: 254, err: expect.stringContaining('stands twice') });
  const told = await quorumlab('report 100.json');
  expect(told.out).toContain('## ✓ Nothing unexpected in 1 cell of 3 runs');
});

test('one run is reported with its picture; what was not to be expected failed', async () => {
  const line =
    'run raft --attack equivocating-leader --expect ok --reporter html=r.html,junit=r.xml';
  expect((await quorumlab(line)).code).toBe(1);
  expect(text('r.html')).toMatch(/<h1>✗ 1 unexpected result in 1 cell/);
  expect(text('r.html').includes('<svg class="lanes"')).toBe(true);
  expect(text('r.xml')).toContain('failures="1"');
});

test('a build of GitHub gets notes and a summary; with --json beside the document', async () => {
  const summary = join(folder, 'summary.md');
  writeFileSync(summary, 'what another step said\n');
  const line = 'run raft --attack equivocating-leader --expect ok --reporter github';
  const { out } = await quorumlab(line, { GITHUB_STEP_SUMMARY: summary });
  expect(out).toMatch(/^::error title=raft n=3 under equivocating-leader%3A forked::/m);
  expect(text('summary.md')).toMatch(/^what another step said\n## ✗ 1 unexpected result/);
  const both = await quorumlab(`${line} --json`, { GITHUB_STEP_SUMMARY: '' });
  expect(JSON.parse(both.out)).toMatchObject({ expect: 'ok', exit: 1 });
  expect(both.err).toMatch(/^::error /m);
});

describe('what cannot be written is refused before anything runs', () => {
  mkdirSync(join(folder, 'there'));
  test.each([
    ['pdf=x', 'QL101', 'html, plain, junit, md, json or github, not "pdf"'],
    ['html', 'QL100', 'takes a file'],
    ['html=', 'QL100', 'takes a file'],
    ['html=-', 'QL100', 'use --json'],
    ['github=x', 'QL100', 'takes no file'],
    ['html=nowhere/x.html', 'QL108', 'there is no folder'],
    ['html=there', 'QL108', 'it is a folder'],
    ['html=x,md=./x', 'QL117', 'names a file twice'],
    ['github,github', 'QL117', 'stands twice'],
  ])('%s', async (reporter, code, why) => {
    const { out, err, code: exit } = await quorumlab(`run raft --reporter ${reporter}`);
    expect({ out, exit }).toEqual({ out: '', exit: 254 });
    expect(err).toMatch(RegExp(`^error ${code}: `));
    expect(err).toContain(why);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  test('a trace into the same file, and a schedule that is no search', async () => {
    const trace = await quorumlab('run raft --trace x --reporter json=x');
    expect(trace).toMatchObject({ out: '', code: 254, err: expect.stringContaining('twice') });
    const mutant = await quorumlab('attack raft --mutant figure-8 --reporter md=x');
    expect(mutant).toMatchObject({ out: '', code: 254, err: expect.stringContaining('schedule') });
  });
});

test('a disk that is full is said behind the result, and in its document', async () => {
  if (!existsSync('/dev/full')) return;
  const { out, err, code } = await quorumlab('run raft --json --reporter md=/dev/full');
  expect(code).toBe(254);
  expect(JSON.parse(out)).toMatchObject({ exit: 254, errors: [{ code: 'QL108' }] });
  expect(err).toContain('no space');
});
