/**
 * `npm run fuzz -- [--long] [--inputs N] [--seed S] [--protocol NAME] [--layer NAME]`: everything
 * from the socket to the machine of real processes, and how much each layer was given.
 */
import { protocols } from '@quorumlab/harness';
import { flagsOf, oneOf, wholeOf } from '../support/flags.ts';
import { layersOf } from './stack/layers.ts';
import { fuzzStack } from './stack/run.ts';

const names = protocols.map(({ name }) => name);
const layers = layersOf(0, 0).map(({ name }) => name);
const usage = `Usage: npm run fuzz -- [options]

  --inputs <N>       mutated inputs of all protocols together (default: 20000)
  --long             1,000,000 of them
  --seed <S>         which inputs: the same seed gives the same ones (default: by the clock)
  --protocol <name>  one of ${names.join(', ')} (default: all)
  --layer <name>     one of ${layers.join(', ')} (default: all)`;
const { values } = flagsOf(usage, {
  long: { type: 'boolean', default: false },
  inputs: { type: 'string' },
  seed: { type: 'string' },
  protocol: { type: 'string' },
  layer: { type: 'string' },
});

const protocol = oneOf('protocol', values.protocol, names);
const layer = oneOf('layer', values.layer, layers);
const chosen = protocol === undefined ? names : [protocol];
const most = wholeOf('inputs', values.inputs, values.long ? 1_000_000 : 20_000);
const inputs = Math.ceil(most / chosen.length);
const seed = wholeOf('seed', values.seed, (Date.now() % 1_000_000) + 1);
let failed = false;
for (const protocol of chosen) {
  try {
    const found = await fuzzStack({
      protocol,
      inputs,
      seed,
      layer,
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
