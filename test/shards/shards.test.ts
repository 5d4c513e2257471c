/** Shards in the simulator: what all replicas lose, clocks beyond their bound, wrong rules. */
import { ms, type Protocol } from '@quorumlab/core';
import {
  completeShardScenario,
  runShards,
  type ShardScenario,
  shardWorld,
  tallyShards,
  usualBound,
  world,
} from '@quorumlab/harness/shards';
import type { LogShape } from '@quorumlab/log';
import { multiPaxos } from '@quorumlab/multi-paxos';
import { raft } from '@quorumlab/raft';
import { expect, test } from 'vitest';

/** A random run with all that may happen. */
const swarm = (seed: number, more: Partial<ShardScenario> = {}): ShardScenario =>
  completeShardScenario({ workload: 'swarm', bound: usualBound, seed, ...more });

const protocols = {
  raft: raft({ n: 3 }) as unknown as Protocol<LogShape>,
  'multi-paxos': multiPaxos({ n: 3 }) as unknown as Protocol<LogShape>,
};

test.each(Object.entries(protocols))(
  '%s: prepared locks survive that all replicas crash',
  (_, protocol) => {
    const run = world({ protocol, seed: 5 });
    run.append(ms(800), 0, ['a', 'x']);
    run.append(ms(800), 2, ['x', 'a']);
    // Its client is gone in the middle of it, and so are all replicas, one after the other.
    run.simulation.inject({ type: 'crash', at: ms(807), seat: run.client(0) });
    for (const group of [0, 1])
      for (const member of [0, 1, 2]) {
        const seat = run.member(group, member);
        run.simulation.inject({ type: 'crash', at: ms(810 + member), seat });
        run.simulation.inject({ type: 'restart', at: ms(1000 + 10 * member), seat });
      }
    run.append(ms(1200), 1, ['a', 'x']);
    run.read(ms(6000), 1, ['a', 'x']);
    run.simulation.runUntil(ms(8000));
    expect(run.open()).toBe(0);
    expect(run.wrong()).toEqual([]);
  },
);

test('a range moves while clients write, and the router finds it', () => {
  const run = world({ protocol: protocols.raft, seed: 6 });
  for (let i = 0; i < 20; i++) run.append(ms(700 + 20 * i), i % 3, ['a', 'x']);
  run.move(ms(800), 2, 'n', 1, 0);
  run.read(ms(2000), 0, ['a', 'x']);
  run.simulation.runUntil(ms(4000));
  expect(run.moves).toEqual([{ from: 'n', to: null, group: 0, epoch: 2 }]);
  expect(run.open()).toBe(0);
  expect(run.wrong()).toEqual([]);
});

test('clocks beyond their bound break the order of time, and the reading is named', () => {
  const beyond = swarm(7, { beyond: ms(60) });
  const { word, sentence, brokenBound } = runShards(beyond);
  expect(word).toBe('stale-read');
  expect(brokenBound).toMatch(/^the clock of k[AB]\d answered .*its bound of 4000 µs is broken/);
  expect(sentence).toContain(brokenBound);
  // Each group agrees all the same, and each transaction is whole.
  expect(shardWorld(beyond).wrong({ realTime: false })).toEqual([]);
});

/** A sawtooth that a run of a second goes through several times: 1 to 11 ms. */
const sawtooth = 'offset=1ms,drift=50000ppm,epsilon=1ms,growth=50000ppm,sync=200ms';

test('clocks that are synchronised now and then: in order within what they admit to', () => {
  for (const clocks of [sawtooth, 'truetime'])
    expect(tallyShards({ clocks }, 1, 3)).toMatchObject({ broken: 0, transactions: 36, reads: 36 });
  expect(runShards(swarm(3, { clocks: sawtooth })).violations).toEqual([]);
  // With the right rules commits wait for as long as clocks may be wrong, and only with them.
  const wrong = tallyShards({ clocks: sawtooth, mutant: 'commit-wait-latest' }, 3, 3);
  expect(wrong.broken).toBeGreaterThan(0);
});

test('a time source that goes wrong, or a drift above what clocks admit to, is named', () => {
  const beyond = runShards(completeShardScenario({ clocks: 'truetime', beyond: ms(60), seed: 1 }));
  expect(beyond.word).toBe('stale-read');
  // Until the source went wrong, nothing was.
  expect(beyond.brokenBound).toMatch(
    /the clock of kA\d answered .* at 9\d{5}: its bound of \d+ µs/,
  );
  const drifting = sawtooth.replace('growth=50000ppm', 'growth=1000ppm');
  const runs = [1, 2, 3].map((seed) =>
    runShards(completeShardScenario({ clocks: drifting, seed })),
  );
  const broken = runs.find(({ word }) => word === 'stale-read');
  expect(broken?.sentence).toMatch(/the clock of k[AB]\d answered .* is broken, the interval lies/);
});

test('one after the other: right rules keep the order of time, by whatever protocol', () => {
  for (const protocol of ['raft', 'multi-paxos', 'zab'] as const) {
    const { broken, transactions, reads } = tallyShards({ protocol }, 1, 2);
    expect({ protocol, broken, transactions, reads }).toEqual({
      ...{ protocol, broken: 0 },
      ...{ transactions: 24, reads: 24 },
    });
  }
  const wrong = tallyShards({ mutant: 'commit-wait-latest' }, 1, 3);
  expect(wrong.outOfOrderRuns).toBeGreaterThan(0);
  expect(wrong.staleRuns).toBeGreaterThan(0);
  // Commit wait is what a commit takes longer: about twice the bound.
  expect(tallyShards({}, 1, 3).latency).toBeGreaterThan(wrong.latency + ms(20));
});

// Where the search begins is where it once found something: it goes on from there if need be.
test.each([
  ['commit-wait-latest', 4, ms(20)],
  ['wounds-unminded', 1, ms(4)],
  ['no-commit-wait', 18, ms(20)],
  ['move-without-fence', 1, ms(4)],
  ['tsafe-ignores-prepared', 118, ms(4)],
  ['forget-committed', 80, ms(4)],
] as const)('%s is found by chance too', { timeout: 120_000 }, (mutant, first, bound) => {
  const seeds = Array.from({ length: 100 }, (_, i) => first + i);
  expect(
    seeds.some((seed) => runShards(swarm(seed, { mutant, bound })).violations.length > 0),
  ).toBe(true);
});
