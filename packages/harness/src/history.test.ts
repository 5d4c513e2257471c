import type { Observer, Violation } from '@quorumlab/checker';
import { encode, toUtf8 } from '@quorumlab/core';
import {
  type KeyValueResult,
  keyValueResult,
  keyValueStore,
  kv,
  maxValueBytes,
} from '@quorumlab/log';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { completeScenario, keyValueHistory, runScenario } from './index.ts';

type Change = (result: KeyValueResult, i: number) => KeyValueResult | undefined;

/**
 * What the checker says of operations that one client runs one after the other in a real store,
 * if it is told the results that `told` makes of the true ones; undefined: it got no answer.
 */
function judged(
  operations: readonly Uint8Array[],
  told: Change = (result) => result,
): Violation | undefined {
  const store = keyValueStore();
  const check: Observer = keyValueHistory();
  operations.forEach((operation, i) => {
    check.invoked?.(2 * i, 65_536, i, operation);
    const result = told(kv.result(store.apply(operation)), i);
    if (result !== undefined)
      check.returned?.(2 * i + 1, 65_536, i, encode(keyValueResult, result));
  });
  check.end?.(2 * operations.length);
  return check.violation;
}

const long = new Uint8Array(maxValueBytes - 2).fill(120);
const content = fc.constantFrom(toUtf8('x'), toUtf8('xyz'), toUtf8(''), long);
const operation = fc.oneof(
  fc.constant(kv.get('a')),
  content.map((value) => kv.put('a', value)),
  content.map((value) => kv.append('a', value)),
  fc
    .tuple(fc.option(content), content)
    .map(([expected, value]) => kv.compareAndSet('a', expected, value)),
);

test('whatever the store answers to any operations fits, refusals and lost answers too', () => {
  const kinds = new Set<string>();
  const property = fc.property(fc.array(operation, { maxLength: 12 }), fc.nat(20), (all, lost) => {
    const watched: Change = (result, i) => {
      kinds.add(result.kind);
      return i === lost ? undefined : result;
    };
    expect(judged(all, watched)).toBeUndefined();
  });
  fc.assert(property, { numRuns: 200 });
  expect([...kinds].sort()).toEqual(['refused', 'stored', 'swapped', 'value']);
});

const stored: KeyValueResult = { kind: 'stored' };
const full = [kv.put('a', long), kv.append('a', 'xyz')];
const flaws: Readonly<Record<string, () => Violation | undefined>> = {
  'a refused append that changed something': () =>
    judged([...full, kv.get('a')], (result, i) =>
      i < 2
        ? result
        : { kind: 'value', value: Uint8Array.of(...long.subarray(1), ...toUtf8('xyz')) },
    ),
  'an append that is too long and was stored': () => judged(full, () => stored),
  'an append that fits and was refused': () =>
    judged([kv.append('a', 'x')], () => ({ kind: 'refused', why: 'too long' })),
  'a put that is too long': () =>
    judged([kv.put('a', 'x')], () => ({ kind: 'refused', why: 'too long' })),
  'a compare-and-set that found what was never there': () =>
    judged([kv.put('a', '1'), kv.compareAndSet('a', '2', '3')], (result) =>
      result.kind === 'swapped' ? { ...result, found: toUtf8('9') } : result,
    ),
  'a compare-and-set that failed and found what it expected': () =>
    judged([kv.put('a', '2'), kv.compareAndSet('a', '2', '3')], (result) =>
      result.kind === 'swapped' ? { ...result, done: false, found: toUtf8('2') } : result,
    ),
  'a compare-and-set that was done and found something': () =>
    judged([kv.put('a', '2'), kv.compareAndSet('a', '2', '3')], (result) =>
      result.kind === 'swapped' ? { ...result, found: toUtf8('2') } : result,
    ),
  'a good operation that is called malformed': () =>
    judged([kv.put('a', '1')], () => ({ kind: 'refused', why: 'malformed' })),
  'a write with the answer of a read': () =>
    judged([kv.put('a', '1')], () => ({ kind: 'value', value: null })),
  'a delete that says it found what is not there': () =>
    judged([kv.delete('a')], () => ({ kind: 'deleted', found: true })),
  'a delete with the answer of a write': () => judged([kv.delete('a')], () => stored),
  'a read with the answer of a write': () => judged([kv.get('a')], () => stored),
};

for (const [name, run] of Object.entries(flaws))
  test(`${name} is caught`, () => {
    expect(run()).toMatchObject({ rule: 'linearizability' });
  });

test('a run in which the store refuses an append is ok, for every sort of protocol', () => {
  const line = (op: string, value: string) => JSON.stringify({ op, key: 'a', value });
  const half = 'x'.repeat(maxValueBytes / 2 + 1);
  const commands = [line('append', half), line('append', half), '{"op":"get","key":"a"}'];
  for (const protocol of ['raft', 'pbft', 'multi-paxos']) {
    const scenario = { protocol, workload: 'file', commands, count: 3, clients: 3, seed: '7' };
    expect(runScenario(completeScenario(scenario))).toMatchObject({ word: 'ok', answered: 3 });
  }
});

test('a run in which keys are deleted is judged, and ok', () => {
  const put = '{"op":"put","key":"a","value":"1"}';
  const remove = '{"op":"delete","key":"a"}';
  const commands = [put, remove, remove, '{"op":"get","key":"a"}', put, '{"op":"get","key":"a"}'];
  for (const protocol of ['raft', 'hotstuff']) {
    const scenario = { protocol, workload: 'file', commands, count: 6, clients: 1, seed: '7' };
    expect(runScenario(completeScenario(scenario))).toMatchObject({ word: 'ok', answered: 6 });
  }
});
