/** Transactions over two shards: simulated, and by real nodes with durable logs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ms, type Protocol, range, toUtf8 } from '@quorumlab/core';
import { world } from '@quorumlab/harness/shards';
import type { LogShape } from '@quorumlab/log';
import { createLogger, generateSeed, openHost, publicKeyOf } from '@quorumlab/node';
import { raft } from '@quorumlab/raft';
import {
  keeper,
  type PartyPlatform,
  router,
  runParty,
  type Step,
  shard,
  shardCodec,
  systemClock,
  transact,
  type Values,
} from '@quorumlab/shards';
import { flushLoop, tcpRoundTrip } from './limits.ts';
import { cpuSince, inTurns, type Part, quantile, type Row } from './measure.ts';

/** Each of them writes a key of its own in both groups, one a millisecond. */
function simulatedRate(count: number, seed: number): number {
  const made = world({ protocol: raft({ n: 3 }) as unknown as Protocol<LogShape>, seed });
  const began = process.cpuUsage();
  for (const i of range(count)) made.append(ms(800 + i), i % 3, [`a${i}`, `x${i}`]);
  made.simulation.runUntil(ms(800 + count));
  while (made.open() > 0 && made.simulation.now < ms(60_000))
    made.simulation.runUntil(made.simulation.now + ms(20));
  const committed = made.history.filter(({ at }) => at !== undefined).length;
  if (committed !== count) throw new Error(`${committed} of ${count} transactions have committed`);
  return count / cpuSince(began);
}

/** See {@link simulatedRate}. */
export const simulatedShards: Part = async ({ quick }) => {
  let seed = 1;
  const found = await inTurns(quick ? 3 : 5, { rate: () => simulatedRate(500, seed++) });
  return [
    {
      part: 'shards',
      name: 'simulated, two shards of raft n=3, both in each transaction',
      value: found.rate,
      unit: 'transactions/s',
      note: 'per CPU second of all threads; clocks within 4 ms, ideal signatures',
    },
  ];
};

const ranges = [
  { from: '', to: 'm', group: 0, epoch: 1 },
  { from: 'm', to: null, group: 1, epoch: 1 },
];

/** The error that the clocks declare, in microseconds: all are the clock of this machine. */
const bound = 1000;

/** Three hosts in this process, each with both groups: TCP and Noise, durable logs. */
async function startShards(folder: string) {
  const seeds = range(3).map(() => generateSeed());
  const members = seeds.map((seed, id) => {
    const address = `/ip4/127.0.0.1/tcp/${24_530 + id}`;
    return { id, publicKey: publicKeyOf(seed), address };
  });
  const shared = {
    cluster: 'bench',
    members,
    clients: [],
    logger: createLogger({ level: 'error' }),
  };
  const processes = await Promise.all(
    seeds.map(async (secretKey, self) => {
      const host = await openHost({ ...shared, self, secretKey, folder: join(folder, `${self}`) });
      const nodes = [];
      for (const { group } of ranges) {
        const own = ranges.filter((each) => each.group === group);
        const stateMachine = () => shard({ group, ranges: own, keepers: [0, 1, 2] });
        const protocol = raft({ n: 3 });
        nodes.push(
          await host.open({ group: `${group}`, protocol, stateMachine, codec: shardCodec }),
        );
      }
      await host.start();
      return { host, nodes };
    }),
  );
  const platforms = range(3).map((place): PartyPlatform => {
    const logs = processes[place]?.nodes.map(({ log }, group) => [group, log]);
    return { logs: new Map(logs as [number, never][]), clock: systemClock(bound) };
  });
  const stops = platforms.flatMap((here, self) =>
    ranges.map(({ group }) => runParty(keeper({ self, group }), here, console.error)),
  );
  return {
    platform: platforms[0] as PartyPlatform,
    async stop() {
      for (const stop of stops) stop();
      await Promise.all(processes.map(({ host }) => host.stop()));
    },
  };
}

/** Latencies in milliseconds of transfers, `outstanding` at a time, each between two accounts. */
async function transfers(
  platform: PartyPlatform,
  outstanding: number,
  from: number,
  seconds: number,
): Promise<readonly number[]> {
  const table = router(ranges);
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1000;
  let first = from;
  const client = async (number: number): Promise<void> => {
    const accounts = [`a${number}`, `z${number}`];
    const body = (values: Values): Step =>
      values.size === 0
        ? { reads: accounts, writes: accounts }
        : { write: accounts.map((key) => ({ key, value: toUtf8(`${first}`) })) };
    while (performance.now() < end) {
      const began = performance.now();
      first += 100;
      const asked = { client: 0, first, attempts: 100, router: table, body };
      const { kind } = await transact(asked, platform);
      if (kind !== 'committed') throw new Error(`a transaction of the benchmark is ${kind}`);
      latencies.push(performance.now() - began);
    }
  };
  await Promise.all(range(outstanding).map(client));
  return latencies;
}

/** Transactions a second, and how long one takes, with 1 and with 32 under way. */
export const realShards: Part = async ({ quick }) => {
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-bench-'));
  try {
    const least = flushLoop(folder, 250, 300) + (await tcpRoundTrip(500));
    const shards = await startShards(folder);
    const rows: Row[] = [];
    const seconds = quick ? 1 : 4;
    try {
      for (const [i, outstanding] of [1, 32].entries()) {
        const from = 1e9 * (i + 1);
        await transfers(shards.platform, outstanding, from, quick ? 1 : 2);
        const found = await transfers(shards.platform, outstanding, from + 5e8, seconds);
        rows.push(...rowsOf(outstanding, found, seconds, least));
      }
    } finally {
      await shards.stop();
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

function rowsOf(
  outstanding: number,
  latencies: readonly number[],
  seconds: number,
  least: number,
): readonly Row[] {
  const name = `two shards of raft n=3, ${outstanding} outstanding`;
  const limit = { name: 'one TCP round trip + one fdatasync', value: least };
  const note =
    'three hosts in one process, each with both groups; each transaction writes in both ' +
    `groups; clocks within ${bound} us`;
  return [
    {
      part: 'shards',
      name: `${name}: committed`,
      value: latencies.length / seconds,
      unit: 'transactions/s',
      limit: { name: limit.name, value: 1000 / least },
      note,
    },
    ...[0.5, 0.99].map((part) => ({
      part: 'shards',
      name: `${name}: latency p${part * 100}`,
      value: quantile(latencies, part),
      unit: 'ms',
      limit,
      note,
    })),
  ];
}
