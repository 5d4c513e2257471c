// Two shards, each a Raft group of three nodes, and transfers between accounts of both: two-phase
// commit moves the money as a whole, or not at all. A read at a timestamp takes no lock, and adds
// up at every timestamp, while transfers go on.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromUtf8, toUtf8 } from '@quorumlab/core';
import { createLogger, generateSeed, publicKeyOf, startNode } from '@quorumlab/node';
import { raft } from '@quorumlab/raft';
import {
  keeper,
  readAt,
  router,
  runParty,
  type Step,
  shard,
  shardCodec,
  systemClock,
  transact,
  type Values,
} from '@quorumlab/shards';

const home = await mkdtemp(join(tmpdir(), 'two-shards-'));
/** Accounts before "m" are in group 0, the others in group 1. */
const ranges = [
  { from: '', to: 'm', group: 0, epoch: 1 },
  { from: 'm', to: null, group: 1, epoch: 1 },
];

/** Three nodes that replicate a range. */
function startGroup(group: number) {
  const seeds = [0, 1, 2].map(() => generateSeed());
  const members = seeds.map((seed, id) => {
    const address = `/ip4/127.0.0.1/tcp/${24_430 + 3 * group + id}`;
    return { id, publicKey: publicKeyOf(seed), address };
  });
  const own = ranges.filter((range) => range.group === group);
  return Promise.all(
    seeds.map((secretKey, self) =>
      startNode({
        protocol: raft({ n: 3 }),
        self,
        cluster: { cluster: 'bank', group: `shard ${group}`, epoch: 0, members, clients: [] },
        secretKey,
        folder: join(home, `${group}-${self}`),
        stateMachine: () => shard({ group, ranges: own, keepers: [0, 1, 2] }),
        codec: shardCodec,
        logger: createLogger({ level: 'error' }),
      }),
    ),
  );
}

const groups = await Promise.all([startGroup(0), startGroup(1)]);
/** At each place one node of each group, and one clock for both. */
const platforms = [0, 1, 2].map((place) => ({
  logs: new Map(groups.map((nodes, group) => [group, (nodes[place] as (typeof nodes)[0]).log])),
  clock: systemClock(1000),
}));
const [platform] = platforms as [(typeof platforms)[0]];
const stops = platforms.flatMap((here, self) =>
  [0, 1].map((group) => runParty(keeper({ self, group }), here, console.error)),
);

const table = router(ranges);
const accounts = ['ann', 'zoe'];
const balances = (values: Values): readonly number[] =>
  accounts.map((account) => Number(fromUtf8(values.get(account) ?? toUtf8('0'))));
let first = 0;

/** Sets both balances to what `by` makes of them; when that happened. */
async function change(by: (ann: number, zoe: number) => readonly number[]): Promise<number> {
  const body = (values: Values): Step => {
    if (values.size === 0) return { reads: accounts, writes: accounts };
    const [ann = 0, zoe = 0] = balances(values);
    const sums = by(ann, zoe);
    return { write: accounts.map((key, i) => ({ key, value: toUtf8(`${sums[i]}`) })) };
  };
  first += 100;
  const asked = { client: 0, first, attempts: 100, router: table, body };
  const ended = await transact(asked, platform);
  if (ended.kind !== 'committed') throw new Error(`the transfer is ${ended.kind}`);
  return ended.at;
}

const opened = await change(() => [100, 0]);
await Promise.all([10, 20, 30].map((sum) => change((ann, zoe) => [ann - sum, zoe + sum])));
for (const [when, at] of [
  ['then', { at: opened }],
  ['now', {}],
] as const) {
  const found = await readAt({ router: table, keys: accounts, ...at }, platform);
  if (found.kind === 'too old') throw new Error('it is no longer known');
  const [ann = 0, zoe = 0] = balances(found.values);
  console.log(`${when}: Ann ${ann}, Zoe ${zoe}, together ${ann + zoe}`);
}
for (const stop of stops) stop();
await Promise.all(groups.flat().map((node) => node.stop()));
await rm(home, { recursive: true });
