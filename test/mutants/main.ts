/** `npm run mutants`: how many seeds each flaw takes to be found, as a table. */
import { flagsOf } from '../support/flags.ts';
import { hunt, hunts } from './mutants.ts';

flagsOf('Usage: npm run mutants', {});

for (const each of hunts) {
  const start = performance.now();
  const { seed, what, rightFails } = hunt(each);
  const ms = Math.round(performance.now() - start);
  const found = seed === undefined ? 'NOT CAUGHT' : `seed ${seed}`;
  console.log(
    `${each.name.padEnd(34)} ${found.padEnd(10)} of ${`${each.budget}`.padEnd(4)} ` +
      `${`${ms} ms`.padStart(8)}  ${(rightFails ?? what).slice(0, 90)}`,
  );
  if (seed === undefined) process.exitCode = 1;
}
