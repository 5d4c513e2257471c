/**
 * Random schedules: everything may happen, agreement holds; then the network heals and all is
 * done.
 */
import { decode, encode, firstClient, type Random } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network, type Treason } from '../test/network.ts';
import { paper, pbft } from './index.ts';
import type { Message } from './messages.ts';

const requests = 12;
const file = 'packages/pbft/src/random.test.ts';
/**
 * Other seeds, and more: `PBFT_SEED=17 PBFT_SEEDS=1000 vitest run
 * packages/pbft/src/random.test.ts`.
 */
const firstSeed = Number(process.env.PBFT_SEED ?? 1);
const seeds = Number(process.env.PBFT_SEEDS ?? 25);

function dice(seed: number): Random {
  let state = seed * 0x9e3779b1;
  return {
    below(limit) {
      state = (state + 0x6d2b79f5) | 0;
      let out = Math.imul(state ^ (state >>> 15), state | 1);
      out ^= out + Math.imul(out ^ (out >>> 7), out | 61);
      return Math.floor((((out ^ (out >>> 14)) >>> 0) / 2 ** 32) * limit);
    },
  };
}

const known = Array.from({ length: requests }, (_, i) => requestOf(i % 3, Math.floor(i / 3)));

const treasons: Record<string, (network: Network, random: Random) => Treason | undefined> = {
  none: () => undefined,
  silent: () => () => [],
  'silent to some':
    (_, random) =>
    ({ to, message }) =>
      to % 2 === 0 && random.below(10) > 0 ? [] : [{ to, message }],
  equivocating:
    ({ protocol }) =>
    ({ to, message }) =>
      to % 2 === 0
        ? [{ to, message }]
        : [{ to, message: protocol.conflict?.(message, to, known) ?? message }],
  mutating:
    ({ protocol }, random) =>
    ({ to, message }) => {
      if (random.below(3) > 0) return [{ to, message }];
      const other = protocol.messages.mutate(message, random);
      return [
        { to, message },
        { to, message: other },
      ];
    },
};

/** One step of chaos. */
function shake(
  network: Network,
  random: Random,
  traitor: number,
  proposed: { next: number },
): void {
  const choice = random.below(100);
  const any = random.below(4);
  if (choice < 80) {
    if (network.flights.length === 0) return;
    const at = random.below(Math.min(network.flights.length, 1 + random.below(24)));
    const [flight] = network.flights.splice(at, 1);
    if (flight === undefined || random.below(12) === 0) return; // Lost.
    if (random.below(12) === 0) network.flights.push(flight); // It will come twice.
    network.receive(flight);
  } else if (choice < 88) {
    const command = known[proposed.next % requests];
    if (command === undefined || proposed.next >= requests) return;
    network.input(any, { type: 'propose', command });
    if (random.below(2) === 0) proposed.next += 1;
  } else if (choice < 96) {
    network.now += random.below(100_000);
    network.tick(network.now);
  } else if (choice === 96) {
    const [timer] = [...network.seat(any).timers.keys()];
    if (timer !== undefined && network.seat(any).up) network.fire(any, timer);
  } else if (choice === 97 && network.crashed === undefined && any !== traitor) {
    const phase = random.below(2) === 0 ? 'before writes' : 'before sends';
    network.crash = { at: network.steps + random.below(5), phase };
  } else if (network.crashed !== undefined) {
    network.restart(network.crashed);
    network.crashed = undefined;
  }
}

function chaos(kind: string, seed: number): Network {
  const random = dice(seed);
  const network = new Network(
    pbft({ n: 4, checkpointEvery: 4, maxBatch: 1 + random.below(3), digest: testDigest }),
  );
  const traitor = kind === 'none' ? -1 : random.below(4);
  const proposed = { next: 0 };
  if (traitor >= 0) network.seat(traitor).treason = treasons[kind]?.(network, random);
  for (let i = 0; i < 1500 && network.violation === undefined; i++)
    shake(network, random, traitor, proposed);
  network.crash = undefined;
  for (const [self, seat] of network.seats.entries()) if (!seat.up) network.restart(self);
  // Clients that wait repeat their requests to all.
  for (let round = 0; round < 20 && network.executed.size < requests; round++) {
    for (const command of known)
      if (!network.executed.has(`${command.client}/${command.sequence}`))
        for (const self of network.protocol.members)
          network.input(self, { type: 'propose', command });
    network.run(10_000_000, () => network.executed.size === requests);
  }
  // Those who missed something get it.
  const honest = network.seats.filter(({ treason }) => treason === undefined);
  const last = (): number => Math.max(...honest.map(({ applied }) => applied));
  network.run(60_000_000, () => honest.every(({ applied }) => applied === last()));
  return network;
}

describe('random schedules with losses, repetitions, crashes and one liar', () => {
  it.each(Object.keys(treasons))('keep agreement and end well: %s', (kind) => {
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const replay = `${kind}: PBFT_SEED=${seed} PBFT_SEEDS=1 vitest run ${file}`;
      let network: Network;
      try {
        network = chaos(kind, seed);
      } catch (error) {
        throw new Error(`it threw; replay ${replay}`, { cause: error });
      }
      expect(network.violation, replay).toBeUndefined();
      expect(network.executed.size, replay).toBe(requests);
      const honest = network.seats.filter(({ treason }) => treason === undefined);
      expect(new Set(honest.map(({ state }) => state)).size, replay).toBe(1);
      for (const client of [0, 1, 2])
        expect(network.executed.has(`${firstClient + client}/0`), replay).toBe(true);
    }
  });

  it('together go through every line of the paper', () => {
    const lines = new Set<string>();
    for (const kind of Object.keys(treasons))
      for (let seed = 1; seed <= 10; seed++)
        for (const line of chaos(kind, seed).lines) lines.add(line);
    expect([...lines].sort()).toEqual(Object.keys(paper).sort());
  });

  it('accuse nobody who is honest', () => {
    for (let seed = firstSeed; seed < firstSeed + 5; seed++)
      expect([...chaos('none', seed).accused], `seed ${seed}`).toEqual([]);
  });
});

describe('whatever a stranger sends', () => {
  it('no handler throws on any decodable message', () => {
    for (let seed = firstSeed; seed < firstSeed + 6; seed++) {
      const random = dice(seed);
      const network = new Network(pbft({ n: 4, window: 256, digest: testDigest }));
      const { messages } = network.protocol;
      const seen: Message[] = [];
      for (const command of known.slice(0, 6)) {
        network.input(0, { type: 'propose', command });
        if (random.below(3) === 0) network.tick(network.now + 300_000);
        network.deliver((flight) => {
          if (seen.length < 400) {
            const { from: _, signature: __, ...message } = flight.message;
            seen.push(message as Message);
          }
          return random.below(9) > 0;
        });
      }
      network.drop();
      for (let i = 0; i < 3000; i++) {
        const real = seen[random.below(seen.length)];
        const message =
          real === undefined || random.below(3) === 0
            ? messages.sample(random)
            : messages.mutate(real, random);
        const from = random.below(6) === 0 ? firstClient : random.below(5);
        const self = random.below(4);
        const body = decode(messages, encode(messages, message));
        const signature = network.sign(body, from).signature;
        // Past the signature checks on purpose: handlers alone must stand it.
        network.input(self, { type: 'message', message: { ...body, from, signature } });
        if (i % 50 === 0) network.drop();
        if (i % 200 === 0) network.tick(network.now + 500_000);
      }
    }
  });

  it('fills no buffer beyond its cap', () => {
    const network = new Network(pbft({ n: 4, window: 128, digest: testDigest }));
    const digest = 'f'.repeat(64);
    for (let i = 1; i < 3000; i++) {
      const body = { view: i % 500, sequence: i, digest };
      for (const kind of ['prepare', 'commit'] as const)
        network.input(1, { type: 'message', message: network.sign({ kind, ...body }, 3) });
      network.input(1, {
        type: 'message',
        message: network.sign({ kind: 'checkpoint', sequence: i * 128, digest }, 3),
      });
    }
    const state = network.state(1);
    expect(state.progress.size).toBeLessThanOrEqual(128);
    expect(state.early.get(3)?.length ?? 0).toBeLessThanOrEqual(64);
    expect(state.checkpointVotes.get(3)?.length).toBeLessThanOrEqual(2);
  });
});
