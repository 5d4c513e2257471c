import { decisions } from '@quorumlab/sim';
import { expect, test } from 'vitest';
import { bend, targets } from './targets.ts';

/** Inputs in all; FUZZ_INPUTS sets another number, FUZZ_SEED another first seed. */
const inputs = Number(process.env.FUZZ_INPUTS ?? 100_000);
const seed = Number(process.env.FUZZ_SEED ?? 1);

const all = targets();
const shares = all.reduce((sum, { share }) => sum + share, 0);
let fed = 0;

for (const { name, share, good, feed } of all) {
  const count = Math.ceil((inputs * share) / shares);
  test(`${name}: ${count} inputs are read or refused`, { timeout: 240_000 }, () => {
    const random = decisions({ seed: `fuzz ${seed} ${name}` });
    for (let i = 0; i < count; i++) {
      const input = i % 16 === 0 ? good(random) : bend(good(random), random);
      fed++;
      try {
        feed(input);
      } catch (error) {
        const shown = typeof input === 'string' ? JSON.stringify(input) : `[${input.join()}]`;
        throw new Error(
          `${name}: ${String(error)} at input ${i}: ${shown.slice(0, 400)}; ` +
            `replay: FUZZ_SEED=${seed} FUZZ_INPUTS=${inputs} npx vitest run test/fuzz -t '${name}'`,
          { cause: error },
        );
      }
    }
  });
}

test('what is good is read', () => {
  const random = decisions({ seed: 'good' });
  for (const { good, feed } of all) feed(good(random));
  expect(fed).toBeGreaterThanOrEqual(Math.min(inputs, 1));
});
