/**
 * Whoever missed something gets it from a group in which nobody asks for anything any more, within
 * two seconds, and a group that has nothing to do says little. Time is virtual.
 */
import { ms, range } from '@quorumlab/core';
import { type AnyShape, completeScenario, type OptionValues, prepare } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { decisions, type Simulation, simulate } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';

const long = process.env.QUORUMLAB_LONG_TESTS === '1';

type Group = readonly [protocol: string, n: number, options: OptionValues];

const groups: readonly Group[] = [
  ['basic-paxos', 3, {}],
  ['multi-paxos', 3, {}],
  ['multi-paxos', 3, { snapshotEvery: 8, keepSlots: 0 }],
  ['flexible-paxos', 4, { q1: 3, q2: 2, snapshotEvery: 8, keepSlots: 2 }],
  ['epaxos', 3, {}],
  ['epaxos', 3, { snapshotEvery: 8 }],
  ['raft', 3, {}],
  ['raft', 3, { snapshotEvery: 8, keepEntries: 0 }],
  ['zab', 3, {}],
  ['zab', 3, { snapshotEvery: 8, keepTransactions: 0 }],
  ['pbft', 4, {}],
  ['pbft', 4, { checkpointEvery: 16 }],
  ['pbft', 7, { checkpointEvery: 16 }],
  ['tendermint', 4, {}],
  ['tendermint', 4, { checkpointEvery: 16 }],
  ['streamlet', 4, {}],
  ['streamlet', 4, { checkpointEvery: 16 }],
  ['minbft', 3, {}],
  ['minbft', 3, { checkpointEvery: 16 }],
  ...(['jolteon', 'hotstuff-2', 'chained', 'basic'] as const).flatMap((rules): Group[] => [
    ['hotstuff', 4, { rules }],
    ['hotstuff', 4, { rules, checkpointEvery: 16 }],
  ]),
];

/** What happens to a replica while the others work. */
const mishaps = [
  'the last one crashes',
  'the last one loses its disk',
  'the last one is cut off',
  'the last one hears nothing',
  'the leader crashes',
  'each message may be lost',
] as const;
type Mishap = (typeof mishaps)[number];

/** What the replica at `seat` holds, as text. */
function stateOf(simulation: Simulation<AnyShape>, seat: number): string {
  const { service } = simulation.seat(seat).machine?.snapshot().volatile ?? {};
  const bytes: unknown = service && Object.getOwnPropertyDescriptor(service, 'application')?.value;
  return bytes instanceof Uint8Array ? String.fromCharCode(...bytes) : `seat ${seat} is down`;
}

const alike = (simulation: Simulation<AnyShape>, n: number): boolean =>
  new Set(range(n).map((seat) => stateOf(simulation, seat))).size === 1;

/** A group with a load that ends, and one replica that misses a part of it or all. */
function run([protocol, n, options]: Group, seed: number, mishap: Mishap): void {
  const random = decisions({ seed: `idle ${protocol} ${seed}` });
  const network = mishap === 'each message may be lost' ? 'lossy' : 'lan';
  const scenario = completeScenario({ protocol, n, options, seed: `${seed}`, clients: 3, network });
  const prepared = prepare(scenario);
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    seats: prepared.seats,
    members: prepared.protocol.members,
    network: prepared.network,
    faults: [],
    seed,
    limits: { until: ms(600_000) },
    inputs: { next: () => undefined, answered: () => undefined },
  });
  const start = ms(1000);
  const count = protocol === 'basic-paxos' ? 1 : 20 + random.below(60);
  const end = start + count * ms(10);
  const lazy = mishap === 'the leader crashes' ? leader(simulation, n, start) : n - 1;
  const others = range(n).filter((each) => each !== lazy);
  const at = simulation.now + random.below(end - simulation.now);
  const missesAll = random.below(2) === 0 && mishap !== 'the leader crashes';
  const from = missesAll ? simulation.now + 1 : at;
  const until = end + ms(1500 + random.below(3000));
  for (let i = 0; i < count; i++) {
    const operation = kv.append('log', `${i};`);
    const event = { type: 'submit', id: i, operation, readOnly: false } as const;
    const seat = prepared.firstClientSeat + (i % 3);
    simulation.input({ at: Math.max(simulation.now, start + i * ms(10)), seat, event });
  }
  switch (mishap) {
    case 'the last one crashes':
    case 'the leader crashes':
      simulation.inject({ type: 'crash', at: from, seat: lazy });
      simulation.inject({ type: 'restart', at: until, seat: lazy });
      break;
    case 'the last one loses its disk':
      simulation.inject({ type: 'crash', at: from, seat: lazy });
      simulation.inject({ type: 'restart', at: until, seat: lazy, disk: 'lost' });
      break;
    case 'the last one is cut off':
    case 'the last one hears nothing':
      simulation.inject({ type: 'cut', at: from, from: others, to: [lazy] });
      if (mishap === 'the last one is cut off')
        simulation.inject({ type: 'cut', at: from, from: [lazy], to: others });
      simulation.inject({ type: 'heal', at: until });
      break;
    case 'each message may be lost':
      break;
  }
  simulation.runUntil(until);
  const replay = `${protocol} ${JSON.stringify(options)} n=${n} seed ${seed}: ${mishap}`;
  for (let i = 0; i < 40 && !alike(simulation, n); i++)
    simulation.runUntil(simulation.now + ms(50));
  expect(
    range(n).map((seat) => stateOf(simulation, seat).length),
    replay,
  ).toEqual(range(n).map(() => stateOf(simulation, others[0] as number).length));
}

/** Lets time pass until `at`; who leads then. */
function leader(simulation: Simulation<AnyShape>, n: number, at: number): number {
  simulation.runUntil(at);
  return simulation.seat(0).status?.leader ?? n - 1;
}

describe.each(groups)('%s, n = %i, %j', (...group) => {
  const at = groups.indexOf(
    groups.find((each) => each.every((part, i) => part === group[i])) as Group,
  );
  // Each mishap meets each protocol; with each of its options only in the long form.
  const tried = long ? mishaps : mishaps.filter((_, i) => i % 3 === at % 3);
  test.each(tried)('%s', (mishap) => {
    for (const seed of range(long ? 20 : 1)) run(group, seed, mishap);
  });
});

test('a group that has nothing to do says little', () => {
  for (const [protocol, n, options] of groups) {
    const scenario = completeScenario({ protocol, n, options });
    const { messages, keyring, seats, network, protocol: made } = prepare(scenario);
    const limits = { until: ms(60_000) };
    const inputs = { next: () => undefined, answered: () => undefined };
    const world = { messages, keyring, seats, members: made.members, network, inputs, seed: 1 };
    const simulation = simulate<AnyShape>({ ...world, limits });
    simulation.runUntil(ms(5000));
    const before = simulation.counters.sent;
    simulation.runUntil(ms(15_000));
    const each = (simulation.counters.sent - before) / 10 / n;
    // Byzantine: f+1 reports a second; leaders of the others: a heartbeat every 30 ms, answered.
    const most = made.claims.faults === 'byzantine' ? made.f + 1 : 70;
    expect(each, `${protocol}, n = ${n}: messages of a replica in a second`).toBeLessThan(most + 1);
  }
});
