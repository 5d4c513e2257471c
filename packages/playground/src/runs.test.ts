import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import {
  completeScenario,
  protocolOf,
  protocols,
  runScenario,
  type Scenario,
  tallyOf,
} from '@quorumlab/harness';
import { demo, scenarioOf } from '@quorumlab/harness/link';
import { completeShardScenario, runShards, shardLinkOf } from '@quorumlab/harness/shards';
import { lessons } from '@quorumlab/lessons';
import { afterAll, expect, test } from 'vitest';
import type { Answer, Question } from './ask.ts';
import { buildPage } from './build.ts';
import type { Ran } from './ran.ts';
import { answer } from './runs.ts';

const program = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const file = join(tmpdir(), `quorumlab-playground-${process.pid}.trace.ndjson`);
afterAll(() => rmSync(file, { force: true }));

const shell = (words: readonly string[]): string =>
  execFileSync(process.execPath, ['--conditions=source', program, ...words], { encoding: 'utf8' });

/** Everything that is answered, as it comes out of a worker: copied. */
const heard = (question: Question): readonly Answer[] =>
  [...answer(question)].map((each) => structuredClone(each));

function ranIn(answers: readonly Answer[]): Ran {
  const [first] = answers;
  if (first?.says !== 'ran') throw new Error(`it said ${JSON.stringify(first)}`);
  return first.ran;
}

const raft = scenarioOf(demo, 0);
const pbft = scenarioOf(demo, 1);

test('a run is the same in the worker, in vitest and on the command line', () => {
  for (const scenario of [raft, pbft]) {
    const ran = ranIn(heard({ ask: 'run', scenario }));
    expect(ran.digest).toBe(runScenario(scenario).digest);
    // Its own words: what the page says to type gives the same.
    const words = ran.command.split(' ').slice(1);
    const told = JSON.parse(shell([...words, '--json', '--expect', ran.word]));
    expect(told.verdicts[0].digest).toBe(ran.digest);
    expect(told.scenario).toEqual(scenario);
  }
  // The first page is the demo of the command line.
  const { verdicts } = JSON.parse(shell(['demo', '--sim', '--json']));
  const digests = verdicts.map(({ digest }: { readonly digest: string }) => digest);
  expect(digests).toEqual([raft, pbft].map((each) => runScenario(each).digest));
});

/** Asks the script of the built page, in a thread that has no document. */
function built(script: string, question: Question): Promise<Answer> {
  const scope =
    "const { parentPort } = require('node:worker_threads');" +
    'globalThis.postMessage = (each) => parentPort.postMessage(each);' +
    "parentPort.on('message', (data) => globalThis.onmessage({ data }));";
  const worker = new Worker(`${scope}\n${script}`, { eval: true });
  return new Promise<Answer>((resolve, reject) => {
    // A run that takes long says in between that it goes on.
    worker.on('message', (said: Answer) => said.says !== 'alive' && resolve(said));
    worker.once('error', reject);
    worker.postMessage(question);
  }).finally(() => worker.terminate());
}

test('the built page is one file that asks for nothing, and its worker runs the same', async () => {
  const page = await buildPage();
  const [, script = '', behind = ''] =
    /<script>(.*)<\/script>\n<script id="rest">(.*)<\/script>\n<\/html>/s.exec(page) ?? [];
  const frame = page.replace(script, '').replace(behind, '');
  expect(frame.match(/<script|<\/script|<link|<img|@import|url\([^#]/g)).toEqual([
    '<link',
    '<script',
    '</script',
    '<script',
    '</script',
  ]);
  expect(frame).toContain('<link rel="icon" href="data:,">');
  expect(frame).toContain("default-src 'none'");
  // Names of languages are all the addresses that there are.
  const addresses = [...page.matchAll(/\bhttps?:\/\/[\w.]+/g)].map(([address]) => address);
  expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org']));
  expect(script).not.toMatch(
    /\bimport\s*\(|\bfetch\s*\(|XMLHttpRequest|WebSocket|document\.cookie/,
  );
  for (const scenario of [raft, pbft]) {
    const question = { ask: 'run', scenario } as const;
    expect(await built(script, question)).toEqual(heard(question)[0]);
  }
  // All else stands behind the script, and is where it looks for it: lessons, of which two play
  // schedules of Raft and PBFT; wrong variants of these two; and all other protocols.
  for (const { text } of lessons) expect(script).not.toContain(text.idea);
  for (const number of [4, 9, 11]) {
    const question = { ask: 'lesson', number } as const;
    expect(await built(`${script}\n${behind}`, question)).toEqual(heard(question)[0]);
  }
  for (const { flaws } of protocols)
    for (const { rule } of Object.values(flaws)) expect(script).not.toContain(rule);
  for (const { protocol } of [raft, pbft]) {
    const [mutant = ''] = protocolOf(protocol).mutants;
    const scenario = completeScenario({ protocol, mutant, count: 2 });
    const question = { ask: 'run', scenario } as const;
    expect(await built(`${script}\n${behind}`, question)).toEqual(heard(question)[0]);
  }
  const options = { authentication: 'mac' };
  for (const given of [
    { protocol: 'pbft', options, attack: 'silent-leader', by: [0] },
    { protocol: 'raft', reads: 'stale' as const, workload: 'a' },
  ]) {
    const question = { ask: 'run', scenario: completeScenario({ ...given, count: 4 }) } as const;
    expect(await built(`${script}\n${behind}`, question)).toEqual(heard(question)[0]);
  }
  for (const { name } of protocols) {
    const scenario = completeScenario({ protocol: name, count: 2 });
    const told = await built(`${script}\n${behind}`, { ask: 'run', scenario });
    expect(told, name).toMatchObject({ ran: { digest: runScenario(scenario).digest } });
  }
});

test('the first screen takes at most 150 kB of script, as it comes over a net', async () => {
  const [, script = ''] = /<script>(.*?)<\/script>/s.exec(await buildPage()) ?? [];
  const kilobytes = gzipSync(script).length / 1000;
  expect(kilobytes).toBeGreaterThan(50);
  expect(kilobytes).toBeLessThanOrEqual(150);
});

test('shards are run by a link, and again by their trace', () => {
  const scenario = completeShardScenario({ mutant: 'commit-wait-latest', count: 2, seed: 2 });
  const { digest, word } = runShards(scenario);
  const link = shardLinkOf(scenario, digest) as string;
  const ran = ranIn(heard({ ask: 'shards', hash: link }));
  expect(ran).toMatchObject({ word, digest });
  expect(ran.expectation).toContain('Anything may break here: a commit is told of once latest');
  expect(heard({ ask: 'again', trace: ran.trace })[0]).toMatchObject({ differs: undefined });
  expect(heard({ ask: 'shards', hash: link.replace(/count=2/, 'count=3') })[0]).toMatchObject({
    says: 'cannot',
    why: expect.stringContaining('gives another run here'),
  });
});

test('a trace of the command line is run again and compared by every line', () => {
  shell(['run', 'raft', '--attack', 'equivocating-leader', '--count', '2', '--trace', file]);
  const trace = readFileSync(file, 'utf8');
  const same = heard({ ask: 'again', trace })[0];
  expect(same).toMatchObject({ says: 'again', differs: undefined, ran: { word: 'forked' } });
  const edited = trace.replace('"k":"commit"', '"k":"apply"');
  const other = heard({ ask: 'again', trace: edited })[0];
  expect(other).toMatchObject({
    says: 'again',
    differs: expect.stringMatching(/^line \d+ \(event/),
  });
  const old = trace.replace('quorumlab 0.1.0', 'quorumlab 0.0.9');
  expect(heard({ ask: 'again', trace: old })[0]).toMatchObject({
    says: 'cannot',
    why: expect.stringContaining('is of "quorumlab 0.0.9"'),
  });
  const odd = trace.replace('"n":3,"network"', '"n":"3","network"');
  expect(heard({ ask: 'again', trace: odd })[0]).toMatchObject({
    says: 'cannot',
    why: expect.stringContaining('no "n" as scenarios have it'),
  });
});

test('a trace that was saved in the page is replayed by the command line', () => {
  const ran = ranIn(heard({ ask: 'run', scenario: pbft }));
  const told = execFileSync(
    process.execPath,
    ['--conditions=source', program, 'replay', '-', '--json'],
    { encoding: 'utf8', input: ran.trace },
  );
  expect(JSON.parse(told).verdicts[0].digest).toBe(ran.digest);
});

test('a cell is told in parts, and its last part is what all seeds show', () => {
  const scenario: Scenario = { ...raft, crypto: 'ideal' };
  const answers = heard({ ask: 'cell', scenario, seeds: 12 });
  expect(answers.map((each) => each.says === 'cell' && each.isWhole)).toEqual([false, false, true]);
  expect(answers.at(-1)).toMatchObject({
    cell: { tally: tallyOf(scenario, 0, 12), word: 'forked', claimed: false },
  });
});

test('what cannot be run is a sentence', () => {
  const scenario = { ...raft, mutant: 'figure-9' };
  expect(heard({ ask: 'run', scenario })[0]).toMatchObject({
    says: 'cannot',
    why: expect.stringMatching(/no mutant of raft "figure-9". Did you mean figure-8\?/),
  });
});
