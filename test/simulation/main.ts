/** `npm run simulate -- [--long] [--seeds N] [--protocol NAME] [--seed S]`: swarm runs. */

import { parseArgs } from 'node:util';
import { range } from '@quorumlab/core';
import { protocols } from '@quorumlab/harness';
import { failureOf, swarm } from './swarm.ts';

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    seeds: { type: 'string' },
    protocol: { type: 'string' },
    seed: { type: 'string' },
  },
});
const seeds = Number(values.seeds ?? (values.long ? 40_000 : 400));
const first = Number(values.seed ?? 1);
const count = values.seed === undefined ? seeds : 1;

for (const { name } of protocols.filter((each) =>
  [undefined, each.name].includes(values.protocol),
)) {
  let failed = 0;
  let events = 0;
  const start = performance.now();
  for (const i of range(count)) {
    const failure = failureOf(name, first + i, (result) => {
      events += result.events;
      if (values.seed !== undefined) console.log(JSON.stringify(swarm(name, first)));
    });
    if (failure !== undefined) {
      failed++;
      console.log(`${name}: ${failure}`);
    }
    if (i % 100 === 99) {
      const seconds = Math.round((performance.now() - start) / 1000);
      process.stderr.write(
        `\r${name}: ${i + 1} of ${count} seeds, ${failed} failed, ${seconds} s `,
      );
    }
  }
  process.stderr.write('\r');
  console.log(`${name}: ${count} seeds from ${first}, ${events} events, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
