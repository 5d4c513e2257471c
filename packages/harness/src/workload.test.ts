import { decode, fromUtf8 } from '@quorumlab/core';
import { keyValueOperation } from '@quorumlab/log';
import { decisions } from '@quorumlab/sim';
import { expect, test } from 'vitest';
import { completeScenario, type Operation, type Scenario, workloadOf } from './index.ts';
import { zipfian } from './zipf.ts';

function operations(given: Partial<Scenario>): Operation[] {
  const scenario = completeScenario({ protocol: 'raft', clients: 1, ...given });
  const workload = workloadOf(scenario, decisions({ seed: scenario.seed }));
  const all: Operation[] = [];
  for (let each = workload.next(0); each !== undefined; each = workload.next(0)) all.push(each);
  return all;
}

const reads = (all: readonly Operation[]): number =>
  all.filter(({ readOnly }) => readOnly).length / all.length;

test('zipfian keys are drawn in proportion to 1/i', () => {
  const draw = zipfian(10);
  const random = decisions({ seed: 'zipf' });
  const counts = new Array<number>(10).fill(0);
  const draws = 60_000;
  for (let i = 0; i < draws; i++) {
    const key = draw(random);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  const harmonic = Array.from({ length: 10 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b);
  for (const [i, count] of counts.entries()) {
    const share = 1 / (i + 1) / harmonic;
    expect(Math.abs(count / draws - share), `key ${i}`).toBeLessThan(0.01);
  }
});

test('each mix has its share of reads', () => {
  const count = 4000;
  expect(reads(operations({ workload: 'a', count }))).toBeCloseTo(0.5, 1);
  expect(reads(operations({ workload: 'b', count }))).toBeCloseTo(0.95, 1);
  expect(reads(operations({ workload: 'c', count }))).toBe(1);
  expect(reads(operations({ workload: 'writes', count: 10 }))).toBe(0);
});

test('a read-modify-write writes the key that it has read', () => {
  const all = operations({ workload: 'f', count: 500 });
  for (const [i, { readOnly, bytes }] of all.entries()) {
    if (readOnly) continue;
    const before = all[i - 1];
    expect(before?.readOnly).toBe(true);
    const key = decode(keyValueOperation, bytes).key;
    expect(decode(keyValueOperation, before?.bytes ?? bytes).key).toEqual(key);
  }
});

test('in a contest each client first writes its own name under one key', () => {
  const scenario = completeScenario({ protocol: 'raft', workload: 'contest', clients: 3 });
  const workload = workloadOf(scenario, decisions({ seed: 1 }));
  expect([0, 1, 2].map((client) => workload.next(client)?.label)).toEqual(['Ann', 'Bob', 'Cem']);
});

test('a workload is decided by its seed alone', () => {
  const labels = (seed: string): string[] =>
    operations({ workload: 'a', seed }).map(({ label }) => label);
  expect(labels('1')).toEqual(labels('1'));
  expect(labels('1')).not.toEqual(labels('2'));
});

test('the commands of a file are given out in order', () => {
  const commands = [
    '{"op":"put","key":"a","value":"1"}',
    '{"op":"append","key":"a","value":"2"}',
    '{"op":"cas","key":"a","expected":"12","value":"3"}',
    '{"op":"get","key":"a"}',
  ];
  const all = operations({ workload: 'file', commands, count: 4 });
  const kinds = all.map(({ bytes }) => decode(keyValueOperation, bytes).kind);
  expect(kinds).toEqual(['put', 'append', 'compare-and-set', 'get']);
  expect(all.map(({ readOnly }) => readOnly)).toEqual([false, false, false, true]);
  for (const { bytes } of all) expect(fromUtf8(decode(keyValueOperation, bytes).key)).toBe('a');
});

test('a bad line of a file is named with what is wrong', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['{', /^line 2 of the workload is not JSON/],
    ['7', /^line 2 of the workload is not an object/],
    ['null', /is not an object/],
    ['{"op":"put","key":"a"}', /has no text "value"/],
    ['{"op":"get"}', /has no text "key"/],
    ['{"op":"get","key":7}', /has no text "key"/],
    ['{"op":"drop","key":"a"}', /none of get, put, append, delete and cas/],
    ['{"op":"cas","key":"a","value":"b"}', /has no text "expected"/],
    ['{"__proto__":{"op":"get","key":"a"}}', /has no text/],
  ];
  for (const [line, sentence] of wrong)
    expect(() =>
      operations({ workload: 'file', commands: ['{"op":"get","key":"a"}', line], count: 2 }),
    ).toThrow(sentence);
  const unknown = () => operations({ workload: 'd' });
  expect(unknown).toThrow('There is no workload "d"');
});
