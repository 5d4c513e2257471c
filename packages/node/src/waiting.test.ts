import { expect, test } from 'vitest';
import { until } from '../test-support/cluster.ts';

test('a machine that is busy with others does not make a test wait in vain', async () => {
  let looked = 0;
  const slow = (): boolean => {
    // Nobody gets a turn meanwhile: many times as long as one look usually takes.
    for (const end = performance.now() + 30; performance.now() < end; );
    return ++looked === 19;
  };
  await until('the last look', slow, 20);
  await expect(until('pigs fly', () => false, 3)).rejects.toThrow('Waited in vain: pigs fly');
});
