import { protocols } from '@quorumlab/harness';
import { expect, test } from 'vitest';
import { hunt, hunts } from './mutants.ts';
import { scheduled } from './scheduled.ts';

for (const each of hunts)
  test(`${each.name} is caught within ${each.budget} seeds`, { timeout: 240_000 }, () => {
    const { seed, what, rightFails } = hunt(each);
    expect(rightFails).toBeUndefined();
    expect(seed, what).toBeDefined();
  });

test('every mutant is hunted by seeds, or it is said why seeds do not reach it', () => {
  const hunted = hunts.map(({ name }) => name).filter((name) => !name.startsWith('disk/'));
  const named = protocols.flatMap(({ name, mutants }) => mutants.map((each) => `${name}/${each}`));
  expect([...hunted, ...Object.keys(scheduled)].sort()).toEqual(named.sort());
});
