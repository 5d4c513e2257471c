import { expect, test } from 'vitest';
import { hunt, hunts } from './mutants.ts';

for (const each of hunts)
  test(`${each.name} is caught within ${each.budget} seeds`, { timeout: 240_000 }, () => {
    const { seed, what, rightFails } = hunt(each);
    expect(rightFails).toBeUndefined();
    expect(seed, what).toBeDefined();
  });
