/** Proofs of guilt on the command line: written beside runs, and checked from their file alone. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { said } from '../test-support/said.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-guilt-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'guilt.json');
const bent = join(folder, 'bent.json');
const fork = `run pbft --attack f+1-traitors --by 0,1 --count 4 --proof ${file}`;

test('run writes the proof of a fork, and explain says who lied by which statements', async () => {
  const run = await said(fork);
  expect([run.code, run.out]).toEqual([0, expect.stringContaining(`explain --proof ${file}`)]);
  for (const line of [`explain --proof ${file}`, `explain ${file}`]) {
    const { out, code } = await said(line);
    expect(code).toBe(0);
    expect(out).toContain('the proof holds: n0, n1 lied');
    expect(out.match(/^ {5}(commit|prepare) epoch 0, view 0, sequence 1, digest/gm)).toHaveLength(
      4,
    );
    expect(out).toContain('more than the 1 that it tolerates');
  }
  const [told, row] = [await said(`explain --proof ${file} --json`), await said(`${fork} --json`)];
  expect(JSON.parse(told.out)).toMatchObject({
    schema: 'quorumlab.explain/2',
    holds: true,
    culprits: [{ member: 0 }, { member: 1 }],
  });
  expect(JSON.parse(row.out).verdicts[0].guilt).toMatchObject({
    culprits: [{ member: 0 }, { member: 1 }],
    proof: file,
  });
});

test('a proof that was bent, cut off or is none is refused with a sentence', async () => {
  const text = readFileSync(file, 'utf8');
  const cases: readonly (readonly [string, number, RegExp])[] = [
    [
      text.replace(/"signature": "(.)/, (_, digit) => `"signature": "${digit === '0' ? 1 : 0}`),
      1,
      /was not signed by its key/,
    ],
    [text.replace(/"rule": "signed/, '"rule": "sold'), 1, /not what the statements show/],
    [text.replace('"epoch": 0', '"epoch": 1'), 1, /of another member, cluster/],
    [text.slice(0, -9), 254, /cut off/],
    [text.replace('"f": 1', '"f":1'), 254, /do not edit it/],
    [text.replace('"pbft"', '"pdft"'), 254, /no protocol "pdft"/],
    ['{}', 254, /neither a trace nor a proof/],
  ];
  for (const [json, code, sentence] of cases) {
    writeFileSync(bent, json);
    const told = await said(`explain --proof ${bent}`);
    expect(told.code, json.slice(0, 80)).toBe(code);
    expect(`${told.out}${told.err}`).toMatch(sentence);
  }
  const both = await said(`explain demo --proof ${file}`);
  expect([both.code, both.err]).toEqual([254, expect.stringContaining('not both')]);
});

test('where nobody can be convicted, the words say so and no file is written', async () => {
  const none = join(folder, 'none.json');
  const { out } = await said(
    `run pbft --attack silent-follower --by 0,1 --count 2 --proof ${none}`,
  );
  expect(out).toContain('not provable: who says nothing signs nothing');
  const honest = await said(`run pbft --count 2 --proof ${none}`);
  expect(honest.out).toContain('nobody is: no proof is written');
  expect(existsSync(none)).toBe(false);
});

test('a search writes the proof against the liars of its first hit', async () => {
  const line = `attack tendermint --attack double-voter --by 0,1 --seeds 1 --jobs 1 --count 4`;
  const { out } = await said(`${line} --traces ${folder} --proof ${join(folder, 'found.json')}`);
  expect(out).toContain('found.json');
  expect((await said(`explain ${join(folder, 'found.json')}`)).out).toContain('n0, n1 lied');
});
