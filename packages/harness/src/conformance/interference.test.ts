import { keyValueStore, kv, type StateMachine } from '@quorumlab/log';
import { expect, test } from 'vitest';
import { InterferenceError, testInterference } from './interference.ts';

const operations = [
  kv.get('a'),
  kv.put('a', '1'),
  kv.put('a', '2'),
  kv.append('a', '3'),
  kv.delete('a'),
  kv.compareAndSet('a', '1', '4'),
  kv.put('b', '1'),
  kv.get('b'),
  new Uint8Array([255]),
  new Uint8Array([1, 1, 97]),
];
const [symmetric, commuting] = testInterference(keyValueStore, operations);

test('the key-value store says what interferes, and that only', () => {
  symmetric?.run();
  commuting?.run();
  const { interferes } = keyValueStore();
  expect(interferes?.(kv.get('a'), kv.get('a'))).toBe(false);
  expect(interferes?.(kv.put('a', '1'), kv.put('b', '1'))).toBe(false);
  expect(interferes?.(kv.get('a'), kv.put('a', '1'))).toBe(true);
});

const claiming = (interferes: StateMachine['interferes']) => (): StateMachine => ({
  ...keyValueStore(),
  ...(interferes ? { interferes } : {}),
});

test('a relation that is not symmetric is named', () => {
  const [wrong] = testInterference(
    claiming((one, other) => one.length < other.length),
    operations,
  );
  expect(() => wrong?.run()).toThrow(InterferenceError);
  expect(() => wrong?.run()).toThrow('make interferes(a, b) and interferes(b, a) the same');
});

test('and so is one that leaves something out', () => {
  const [, wrong] = testInterference(
    claiming(() => false),
    operations,
  );
  expect(() => wrong?.run()).toThrow('are said not to interfere');
});

test('where nobody can tell, everything interferes', () => {
  for (const each of testInterference(claiming(undefined), operations)) each.run();
});
