/**
 * `npm run fuzz -- [--long] [--inputs N] [--seed S] [--protocol NAME] [--layer NAME]`: everything
 * from the socket to the machine of real processes, and how much each layer was given.
 */
import { parseArgs } from 'node:util';
import { protocols } from '@quorumlab/harness';
import { fuzzStack } from './stack/run.ts';

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    inputs: { type: 'string' },
    seed: { type: 'string' },
    protocol: { type: 'string' },
    layer: { type: 'string' },
  },
});

/** A whole number from 1, or `otherwise` where nothing is given; ends the program at others. */
function whole(name: 'inputs' | 'seed', otherwise: number): number {
  const number = Number(values[name] ?? otherwise);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`--${name} ${values[name]} is not a whole number from 1.`);
  process.exit(254);
}

const names = protocols.map(({ name }) => name);
if (values.protocol !== undefined && !names.includes(values.protocol)) {
  console.error(`--protocol ${values.protocol} is none of ${names.join(', ')}.`);
  process.exit(254);
}
const chosen = values.protocol === undefined ? names : [values.protocol];
const inputs = Math.ceil(whole('inputs', values.long ? 1_000_000 : 20_000) / chosen.length);
const seed = whole('seed', (Date.now() % 1_000_000) + 1);
let failed = false;
for (const protocol of chosen) {
  try {
    const found = await fuzzStack({
      protocol,
      inputs,
      seed,
      layer: values.layer,
      say: (line) => console.log(line),
    });
    console.log(
      `${protocol}: ${found.inputs} inputs, ${found.framesIn} frames reached a replica, ` +
        `${found.refused} refused, ${found.resets} connections reset, ` +
        `${Math.round(found.grown / 2 ** 20)} MiB more held at the end`,
    );
    for (const line of found.stopped) console.log(`${protocol}: stopped: ${line}`);
    failed ||= found.stopped.length > 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
