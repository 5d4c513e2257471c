import { expect, test } from 'vitest';
import { epsilon } from '../test/asked.ts';
import { clockBeyondBound, exhibits } from '../test/exhibits.ts';
import { type ShardMutant, shardFlaws, shardMutants, shardRules } from './index.ts';

const names = Object.keys(shardMutants) as ShardMutant[];

test.each(names)('%s breaks something on its schedule, and the right rules do not', (name) => {
  expect(exhibits[name](shardRules)).toBeUndefined();
  expect(exhibits[name](shardMutants[name])).toBeTypeOf('string');
});

test('each wrong rule has a sentence and a schedule', () => {
  expect(Object.keys(shardFlaws)).toEqual(names);
  expect(Object.keys(exhibits)).toEqual(names);
});

test('a clock beyond its bound breaks right rules', () => {
  expect(clockBeyondBound(shardRules)).toContain(`committed at ${100 + 40 + epsilon}`);
});
