import { hash } from 'node:crypto';
import { completeScenario, runScenario } from '@quorumlab/harness';
import { traceBuffer } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';
import { sampleResult, sampleRow } from '../test-support/sample.ts';
import { chartOf, exponentOf, exponentText } from './chart.ts';
import { evidenceOf } from './evidence.ts';
import { githubAnnotations } from './github.ts';
import { htmlReport } from './html.ts';
import { junitReport } from './junit.ts';
import { markdownReport } from './markdown.ts';
import { mergeResults } from './merge.ts';
import { readResult } from './read.ts';
import { sentenceOfResult, standingOf } from './rows.ts';

const bad = sampleRow({
  ...{ attack: 'split', word: 'stalled', expected: false, hits: 2 },
  counterexample: {
    ...{ rule: 'liveness', sentence: 'nobody answers', seats: [1], events: 12, seed: '43' },
    ...{ replay: 'quorumlab run raft --seed 43', culprits: [], proofs: [] },
  },
});
const silent = sampleRow({ attack: 'double-voter', fired: 0, note: 'the attack did NOT fire' });
const open = sampleRow({
  attack: 'crash-leader',
  word: 'inconclusive',
  hits: 1,
  budget: 'too short',
});
const result = sampleResult([sampleRow({}), bad, silent, open]);

test('what came of it is one sentence, and silence is no pass', () => {
  expect(result.verdicts.map((row) => standingOf(row, result))).toEqual([
    ...['expected', 'unexpected', 'open', 'open'],
  ]);
  expect(sentenceOfResult(result)).toBe(
    '1 unexpected result in 4 cells of 40 runs: 1 ok, 0 broken as predicted, 2 without an answer.',
  );
  const strict = { ...result, expect: 'ok' as const };
  expect(strict.verdicts.map((row) => standingOf(row, strict))).toEqual([
    ...['expected', 'unexpected', 'expected', 'unexpected'],
  ]);
});

test('JUnit: failed, skipped and passed cases are counted, and say how to see them again', () => {
  const xml = junitReport(result);
  expect(xml).toContain(
    '<testsuites name="quorumlab" tests="4" failures="1" errors="0" skipped="2"',
  );
  expect(xml.match(/<testcase /g)).toHaveLength(4);
  expect(xml.match(/<skipped /g)).toHaveLength(2);
  expect(xml).toMatch(/<failure message="stalled: liveness: nobody answers" type="stalled">/);
  expect(xml).toContain('replay: quorumlab run raft --seed 43');
});

test('GitHub: an error, warnings and a notice; of many the last says how many more', () => {
  const notes = githubAnnotations(result);
  expect(notes.map((note) => note.split(' ')[0])).toEqual([
    ...['::error', '::warning', '::warning', '::notice'],
  ]);
  const many = githubAnnotations(sampleResult(Array.from({ length: 25 }, () => bad)));
  expect(many.filter((note) => note.startsWith('::error'))).toHaveLength(10);
  expect(many[9]).toContain('16 more');
});

test('unexpected results come first in Markdown and in HTML, with their line to replay', () => {
  for (const text of [markdownReport(result), htmlReport({ result })]) {
    const at = (words: string): number => text.indexOf(words);
    expect(at('1 unexpected result')).toBeGreaterThan(-1);
    expect(at('nobody answers')).toBeLessThan(at('Who survives what'));
    expect(at('quorumlab run raft --seed 43')).toBeLessThan(at('Who survives what'));
    expect(text).toContain('did not occur');
  }
});

test('a page has no script that runs, and its policy allows none', () => {
  const page = htmlReport({ result, viewer: 'with nothing to show' });
  expect(page.match(/<script(?! type="application\/json")/g)).toBeNull();
  expect(page).toContain(
    'default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:',
  );
});

test('equal results give equal bytes', () => {
  expect(htmlReport({ result })).toBe(htmlReport({ result: structuredClone(result) }));
  expect(junitReport(result)).toBe(junitReport(structuredClone(result)));
});

describe('exponents', () => {
  const of = (value: (n: number) => number, sizes = [4, 7, 10, 16]) => ({
    ...{ name: 'x', look: 0 },
    points: sizes.map((n) => ({ n, value: value(n) })),
  });

  test('a power law has its own, a constant none, and what cannot be fitted says nothing', () => {
    expect(exponentOf(of((n) => 3 * n ** 2))).toBeCloseTo(2, 9);
    expect(exponentText(of(() => 5))).toBe('n^0.00');
    expect(exponentText(of((n) => n, [4, 7]))).toBe('');
    expect(exponentText(of(() => 0))).toBe('');
  });

  test('a chart names every line, apart from each other', () => {
    const chart = chartOf('messages', [
      { ...of((n) => n * n), name: 'pbft' },
      { ...of((n) => n * n), name: 'tendermint' },
    ]);
    const places = [...(chart?.html ?? '').matchAll(/y="([\d.]+)">(pbft|tendermint) n\^2.00/g)];
    expect(places).toHaveLength(2);
    expect(Math.abs(Number(places[0]?.[1]) - Number(places[1]?.[1]))).toBeGreaterThanOrEqual(15);
    expect(chart?.html).not.toContain('NaN');
    expect(chartOf('messages', [of((n) => n, [4])])).toBeUndefined();
  });
});

describe('merging', () => {
  const from = (seed: string, runs: number, hits = 0) =>
    sampleResult([
      sampleRow({ seed, runs, hits, fired: runs, ...(hits > 0 && { word: 'stalled' as const }) }),
    ]);
  const merged = (...all: readonly ReturnType<typeof from>[]) =>
    mergeResults(
      all.map((each, i) => ({ file: `${i}.json`, result: each })),
      'quorumlab report',
    );

  test('runs of other seeds are added, those of equal seeds count once', () => {
    expect(merged(from('42', 10), from('52', 20, 3)).verdicts).toMatchObject([
      { runs: 30, hits: 3, fired: 30, word: 'stalled', words: { ok: 27, stalled: 3 }, seed: '42' },
    ]);
    expect(merged(from('42', 10), from('42', 30)).verdicts).toMatchObject([{ runs: 30 }]);
    expect(merged(from('a', 10), from('b', 30)).verdicts).toMatchObject([
      { runs: 40, upper95: 7.5 },
    ]);
  });

  test('seeds that overlap in part are refused, and so are different expectations', () => {
    expect(() => merged(from('42', 10), from('47', 10))).toThrow(/would count twice/);
    expect(() => merged(from('42', 1), { ...from('99', 1), expect: 'ok' })).toThrow(/expect/);
  });

  test('other cells stay apart: sizes, options, networks', () => {
    const lossy = sampleResult([sampleRow({ seed: '99' })]);
    const scenario = (lossy.scenario as readonly object[]).map((each) => ({
      ...each,
      network: 'lossy',
    })) as unknown as typeof lossy.scenario;
    const all = merged(from('42', 10), { ...lossy, scenario }, sampleResult([sampleRow({ n: 5 })]));
    expect(all.verdicts).toHaveLength(3);
    expect(htmlReport({ result: all })).toContain('lossy');
  });
});

describe('reading', () => {
  const broken = (more: object): string => JSON.stringify({ ...result, ...more });

  test('what was written is read again', () => {
    expect(readResult(JSON.stringify(result), 'a.json')).toEqual(result);
  });

  test.each([
    ['{', /a\.json is no JSON/],
    ['[]', /not of the schema/],
    ['{"schema":"quorumlab.error/1"}', /document of an error/],
    [broken({ schema: 'quorumlab.result/2' }), /not of the schema/],
    [broken({ engine: 'quorumlab 9.9.9' }), /is of quorumlab 9\.9\.9/],
    [broken({ verdicts: {} }), /a\.json\.verdicts is not a list/],
    [broken({ verdicts: [sampleRow({ runs: -1 })] }), /verdicts\[0\]\.runs is not a count/],
    [broken({ verdicts: [{ ...bad, word: 'fine' }] }), /word is not a verdict/],
    [broken({ verdicts: [{ ...bad, counterexample: { rule: 1 } }] }), /rule is not a text/],
    [broken({ cost: [{ counts: 'one commit' }] }), /cost\[0\]\.protocol is not a text/],
    [broken({ scenario: null }), /scenario is not an object/],
  ])('%.30s is refused with a sentence', (json, why) => {
    expect(() => readResult(json, 'a.json')).toThrow(why);
  });
});

test('a report of 72 cells with traces and viewer has at most 1 MB, and each can be shown', () => {
  const trace = traceBuffer();
  const scenario = completeScenario({ protocol: 'pbft', count: 40 });
  runScenario(scenario, { trace });
  const evidence = evidenceOf(trace.text());
  const rows = Array.from({ length: 72 }, () => bad);
  const all = new Map(rows.map((_, place) => [place, evidence]));
  const sizeOf = (page: string): number => new TextEncoder().encode(page).length;
  const input = { result: sampleResult(rows), evidence: all };
  const plain = htmlReport(input);
  expect(sizeOf(plain)).toBeLessThanOrEqual(1_000_000);
  expect(plain.match(/class="trace"/g)?.length).toBeGreaterThan(3);
  // As large as the real one, and as hard to compress; test/browser has the real one.
  const blocks = Array.from({ length: 7000 }, (_, i) => hash('sha256', `${i}`, 'base64'));
  const live = htmlReport({ ...input, viewer: blocks.join('') });
  expect(sizeOf(live)).toBeGreaterThan(600_000);
  expect(sizeOf(live)).toBeLessThanOrEqual(1_000_000);
  // What has no room as a trace is there as a scenario, which the page makes the trace of.
  expect(live.match(/class="trace"/g)).toHaveLength(72);
  expect(live.match(/"digest":"[0-9a-f]{64}","scenario":\{/g)?.length).toBeGreaterThan(3);
});
