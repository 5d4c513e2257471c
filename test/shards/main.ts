/**
 * `node --conditions=source test/shards/main.ts`: random runs of shards, and how many of them break
 * something. `--seeds N`, `--from SEED`, `--bound MS` that clocks declare, `--beyond MS` by which
 * those of one group break it, `--rules NAME` of a wrong variant.
 */
import { ms } from '@quorumlab/core';
import { shardMutants, shardRules } from '@quorumlab/shards';
import { flagsOf, oneOf, wholeOf } from '../support/flags.ts';
import { swarm, verdictOf } from './swarm.ts';

const rulesByName = { right: shardRules, ...shardMutants };
const names = Object.keys(rulesByName) as (keyof typeof rulesByName)[];
const usage = `Usage: node --conditions=source test/shards/main.ts [options]

  --seeds <N>      how many runs (default: 40)
  --from <seed>    the first seed (default: 1)
  --bound <ms>     the error that all clocks declare, and nearly have (default: 4)
  --beyond <ms>    how far the clocks of one group are beyond it (default: 0)
  --rules <name>   one of ${names.join(', ')} (default: right)`;
const { values } = flagsOf(usage, {
  seeds: { type: 'string' },
  from: { type: 'string' },
  bound: { type: 'string' },
  beyond: { type: 'string' },
  rules: { type: 'string' },
});
const seeds = wholeOf('seeds', values.seeds, 40);
const from = wholeOf('from', values.from, 1);
const bound = wholeOf('bound', values.bound, 4);
const beyond = values.beyond === undefined ? 0 : wholeOf('beyond', values.beyond, 1);
const wanted = oneOf('rules', values.rules, names) ?? 'right';
const name = names.find((each) => each === wanted) ?? 'right';

let transactions = 0;
let wrong = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const run = swarm(seed, { rules: rulesByName[name], bound: ms(bound), beyond: ms(beyond) });
  const verdict = verdictOf(run);
  transactions += run.history.length;
  if (verdict === undefined) continue;
  wrong += 1;
  if (wrong <= 3) console.log(`seed ${seed}: ${verdict}`);
}
console.log(
  `${name}, bound ${bound} ms, ${beyond} ms beyond: ${wrong} of ${seeds} runs break something ` +
    `(${transactions} transactions and reads)`,
);
