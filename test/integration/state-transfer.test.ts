/**
 * A replica that fell behind gets the state from the others: soon, whatever few of them do, and
 * whichever snapshot can be had. Time is virtual.
 */
import { type Behaviour, rewrite } from '@quorumlab/adversary';
import { type Instant, ms, type Protocol, range } from '@quorumlab/core';
import { type ServiceSimulation, simulateService } from '@quorumlab/harness';
import { hotstuff } from '@quorumlab/hotstuff';
import type {
  LogShape,
  Serviced,
  ServiceMessage,
  SnapshotChunk,
  StateMachine,
} from '@quorumlab/log';
import { minbft } from '@quorumlab/minbft';
import { multiPaxos } from '@quorumlab/multi-paxos';
import { pbft } from '@quorumlab/pbft';
import { raft } from '@quorumlab/raft';
import { lossy, type NetworkModel, uniformNetwork } from '@quorumlab/sim';
import { streamlet } from '@quorumlab/streamlet';
import { tendermint } from '@quorumlab/tendermint';
import { digestOf } from '@quorumlab/wire';
import { describe, expect, test } from 'vitest';

const long = process.env.QUORUMLAB_LONG_TESTS === '1';

/** `size` bytes, of which operations change the last one. No two chunks are equal, or all are. */
const pages =
  (size: number, content: 'distinct' | 'equal' = 'distinct') =>
  (): StateMachine => {
    let state = new Uint8Array(size);
    const view = new DataView(state.buffer);
    if (content === 'distinct')
      for (let at = 0; at + 4 <= size; at += 4096) view.setUint32(at, at ^ 0x5bd1e995);
    return {
      apply(operation) {
        state[size - 1] = operation[0] ?? 0;
        return Uint8Array.of(1);
      },
      query: () => state.slice(size - 1),
      snapshot: () => state.slice(),
      restore(bytes) {
        state = bytes.slice();
      },
    };
  };

/** Each message takes 20 ms. */
const far = uniformNetwork('20 ms', { delay: { type: 'constant', delay: ms(20) }, fifo: true });

type Group = ServiceSimulation<LogShape>;

/** The slot that the replica at `seat` applies next; -1: it is down. */
function nextOf({ simulation }: Group, seat: number): number {
  const state = simulation.seat(seat).machine?.snapshot().volatile as
    | { readonly service: { readonly next: number } }
    | undefined;
  return state?.service.next ?? -1;
}

const leaderOf = ({ simulation }: Group, members: readonly number[]): number =>
  members.find((each) => simulation.seat(each).status?.role === 'leader') ?? 0;

/** A group of `protocol`, which any shape of it can be: what is tested here is the service's. */
const groupOf = (
  protocol: unknown,
  options: Omit<Parameters<typeof simulateService<LogShape>>[1], 'until'>,
): Group => simulateService(protocol as Protocol<LogShape>, { ...options, until: ms(3_600_000) });

/** Lets time pass until `done`, at most `limit`. Returns how long that took. */
function until(group: Group, limit: Instant, done: () => boolean): Instant {
  const start = group.simulation.now;
  while (!done() && group.simulation.now - start < limit) group.pass(ms(10));
  return group.simulation.now - start;
}

describe('a laggard of a Byzantine group is brought back by the honest', () => {
  type Lie = (message: ServiceMessage, now: Instant) => readonly ServiceMessage[];
  const noise = (message: SnapshotChunk): ServiceMessage => ({
    ...message,
    bytes: message.bytes.map((byte) => byte ^ 1),
  });
  /** What a liar makes of what an honest holder would say; each made anew for each run. */
  const lies: Record<string, () => Lie> = {
    drips: () => {
      let last = Number.NEGATIVE_INFINITY;
      return (message, now) => {
        if (message.kind !== 'snapshot-chunk') return [message];
        if (now - last < ms(450)) return [];
        last = now;
        return [message];
      };
    },
    'says nothing': () => (message) => (message.kind.startsWith('snapshot-') ? [] : [message]),
    'says nothing after the manifest': () => (message) =>
      message.kind === 'snapshot-chunk' ? [] : [message],
    'sends other bytes': () => (message) =>
      message.kind === 'snapshot-chunk' ? [noise(message)] : [message],
    'sends another manifest': () => (message) =>
      message.kind === 'snapshot-manifest'
        ? [{ ...message, chunks: [...message.chunks].reverse() }]
        : [message],
    'says that it has nothing': () => (message) =>
      message.kind === 'snapshot-chunk'
        ? [{ kind: 'snapshot-absent', slot: 0, root: message.root }]
        : [message],
    'keeps the first chunk and the last': () => {
      let first: number | undefined;
      let most = 0;
      return (message) => {
        if (message.kind === 'snapshot-manifest') most = message.chunks.length - 1;
        if (message.kind !== 'snapshot-chunk') return [message];
        first ??= message.index;
        return message.index === first || message.index === most ? [] : [message];
      };
    },
  };
  const traitor =
    (lie: Lie): Behaviour<Serviced<LogShape>> =>
    (honest, power) =>
      rewrite(honest, power.members, (to, message, { now }) => {
        // A traitor of this test rewrites what the service says; the rest it hands on as it is.
        const said = lie(message as ServiceMessage, now) as readonly (typeof message)[];
        if (said[0] !== message) power.fire('lie');
        return said.map((each) => ({ to, message: each }));
      });
  const size = long ? 16 << 20 : 2 << 20;

  /** How long the transfer takes that brings the last of `n` back, and how many chunks it costs. */
  function cost(name: 'pbft' | 'hotstuff', n: number, liars: Record<number, Lie>) {
    const options = { n, checkpointEvery: 8, digest: digestOf };
    const protocol = name === 'pbft' ? pbft(options) : hotstuff(options);
    const traitors = Object.fromEntries(
      Object.entries(liars).map(([id, lie]) => [id, traitor(lie)]),
    );
    const group = groupOf(protocol, { stateMachine: pages(size), traitors, network: far });
    const { simulation, submit } = group;
    const lazy = n - 1;
    const honest = n - 2;
    submit(Uint8Array.of(0));
    simulation.inject({ type: 'crash', at: simulation.now, seat: lazy });
    // So long that nobody keeps anything for it.
    group.pass(ms(10_000));
    for (let i = 1; i < 34; i++) submit(Uint8Array.of(i));
    simulation.inject({ type: 'restart', at: simulation.now, seat: lazy });
    const sent = (kind: string): number => simulation.counters.kinds[kind]?.sent ?? 0;
    until(group, ms(10_000), () => sent('snapshot-request') > 0);
    const time = until(group, ms(60_000), () => nextOf(group, lazy) >= 16);
    expect(simulation.seat(lazy).reason).toBeUndefined();
    expect(nextOf(group, lazy)).toBeGreaterThanOrEqual(16);
    until(group, ms(10_000), () => nextOf(group, lazy) === nextOf(group, honest));
    expect(nextOf(group, lazy)).toBe(nextOf(group, honest));
    if (liars[0] !== undefined) expect(simulation.counters.fired.lie).toBeGreaterThan(0);
    return { time, chunks: sent('snapshot-chunk') };
  }

  const groups = long ? (['pbft', 'hotstuff'] as const) : (['pbft'] as const);
  for (const name of groups) {
    const without = cost(name, 4, {});
    test.each(Object.entries(lies))(`${name}, n = 4: one holder %s`, (_name, lie) => {
      const { time, chunks } = cost(name, 4, { 0: lie() });
      expect(chunks).toBeLessThanOrEqual(2 * without.chunks);
      expect(time).toBeLessThanOrEqual(2 * without.time);
    });
  }

  test('n = 7: two holders, one drips and one sends other bytes', () => {
    const { drips, 'sends other bytes': noise } = lies;
    const { time } = cost('pbft', 7, { 0: (noise as () => Lie)(), 1: (drips as () => Lie)() });
    // One liar costs as much again at most, and so does the other.
    expect(time).toBeLessThanOrEqual(3 * cost('pbft', 7, {}).time);
  });
});

test('equal chunks come once, whatever the network loses', () => {
  for (const content of ['equal', 'distinct'] as const)
    for (const seed of long ? range(20) : [0, 4]) {
      const replay = `${content} chunks, seed ${seed}`;
      const protocol = raft({ n: 3, snapshotEvery: 4, keepEntries: 0 });
      const stateMachine = pages(1 << 19, content);
      const group = groupOf(protocol, { stateMachine, network: lossy, seed });
      group.pass(ms(2000));
      const leader = leaderOf(group, protocol.members);
      const sleeper = (leader + 1) % 3;
      group.simulation.inject({ type: 'crash', at: group.simulation.now, seat: sleeper });
      for (let i = 0; i < 9; i++) group.submit(Uint8Array.of(i));
      group.simulation.inject({ type: 'restart', at: group.simulation.now, seat: sleeper });
      until(group, ms(30_000), () => nextOf(group, sleeper) === nextOf(group, leader));
      expect(nextOf(group, sleeper), replay).toBe(nextOf(group, leader));
      const chunks = group.simulation.counters.kinds['snapshot-chunk']?.sent ?? 0;
      // Four chunks of 128 KiB and the rest; equal ones count once, and some are lost.
      if (content === 'equal') expect(chunks, replay).toBeLessThan(8);
    }
});

describe('a laggard whose leader dies while it fetches that leader’s snapshot', () => {
  test.each([
    ['raft', raft({ n: 3, snapshotEvery: 10, keepEntries: 0 }), 10],
    ['multi-paxos', multiPaxos({ n: 3, snapshotEvery: 20, keepSlots: 0 }), 20],
  ] as const)('%s: takes the older one of the next leader', (_, protocol, every) => {
    const group = groupOf(protocol, { stateMachine: pages(1 << 20), network: far, seed: 3 });
    const { simulation, submit, pass } = group;
    pass(ms(3000));
    const first = leaderOf(group, protocol.members);
    const second = (first + 1) % 3;
    const lazy = (first + 2) % 3;
    simulation.inject({ type: 'crash', at: simulation.now, seat: lazy });
    while (nextOf(group, first) < 2 * every) submit(Uint8Array.of(1));
    // The leader has taken its second snapshot, and the other one will never hear why.
    simulation.inject({ type: 'cut', at: simulation.now, from: [first], to: [second] });
    pass(100);
    simulation.inject({ type: 'restart', at: simulation.now, seat: lazy });
    until(group, ms(5000), () => (simulation.counters.kinds['snapshot-chunk']?.sent ?? 0) > 0);
    simulation.inject({ type: 'crash', at: simulation.now, seat: first });
    simulation.inject({ type: 'heal', at: simulation.now });
    pass(ms(5000));
    submit(Uint8Array.of(9));
    pass(ms(1000));
    expect(nextOf(group, lazy)).toBe(nextOf(group, second));
  });
});

describe('under load, where each snapshot is another one and is soon replaced', () => {
  /** The laggard, the last one, is far away from all others. */
  const remote = (lazy: number): NetworkModel => ({
    name: 'one is far',
    phases: [
      {
        from: 0,
        link: (from, to) => ({
          delay: { type: 'constant', delay: from === lazy || to === lazy ? ms(100) : ms(1) },
          fifo: true,
        }),
      },
    ],
  });
  const patient = { electionTimeout: ms(2000), heartbeat: ms(200), n: 3, snapshotEvery: 10 };
  const byzantine = { n: 4, maxBatch: 1, digest: digestOf };
  test.each([
    ['raft', raft({ ...patient, keepEntries: 0 })],
    ['multi-paxos', multiPaxos({ ...patient, keepSlots: 0, maxCommandsPerSlot: 1 })],
    ['pbft', pbft({ ...byzantine, checkpointEvery: 10 })],
    ['hotstuff', hotstuff({ ...byzantine, checkpointEvery: 8 })],
    ['tendermint', tendermint({ ...byzantine, checkpointEvery: 10 })],
    ['streamlet', streamlet({ ...byzantine, checkpointEvery: 10 })],
    ['minbft', minbft({ ...byzantine, checkpointEvery: 10 })],
  ] as const)('%s: the laggard catches up', (_, protocol) => {
    const { members } = protocol;
    const lazy = members.length - 1;
    const network = remote(lazy);
    const group = groupOf(protocol, { stateMachine: pages(1024), network, clients: 20 });
    const { simulation, pass } = group;
    pass(ms(8000));
    expect(leaderOf(group, members)).not.toBe(lazy);
    const ask = (times: number): void => {
      for (let i = 0; i < times; i++) {
        const event = { type: 'submit', id: nextId++, operation: Uint8Array.of(i) } as const;
        const seat = members.length + (nextId % 20);
        const at = simulation.now + i * ms(10);
        simulation.input({ at, seat, event: { ...event, readOnly: false } });
      }
    };
    let nextId = 1_000_000;
    simulation.inject({ type: 'crash', at: simulation.now, seat: lazy });
    ask(100);
    pass(ms(3000));
    simulation.inject({ type: 'restart', at: simulation.now, seat: lazy });
    ask(1000);
    pass(ms(8000));
    const others = members.filter((each) => each !== lazy).map((each) => nextOf(group, each));
    // What is decided now is on its way.
    expect(nextOf(group, lazy)).toBeGreaterThan(Math.max(...others) - 60);
    const before = simulation.counters.kinds['snapshot-chunk']?.sent;
    pass(ms(1500));
    expect(simulation.counters.kinds['snapshot-chunk']?.sent).toBe(before);
  });
});
