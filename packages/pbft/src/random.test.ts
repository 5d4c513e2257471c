/**
 * Random schedules: everything may happen, agreement holds; then the network heals and all is
 * done.
 */
import { decode, encode, firstClient } from '@quorumlab/core';
import { random as dice, known, testDigest, treasons } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { expectAgreement, run as runOf } from '../test/random.ts';
import { paper, pbft } from './index.ts';
import type { Message } from './messages.ts';

/**
 * Others, and more: `PBFT_SEED=17 PBFT_SEEDS=1000 vitest run
 * packages/pbft/src/random.test.ts`.
 */
const seeds = {
  file: 'packages/pbft/src/random.test.ts',
  first: Number(process.env.PBFT_SEED ?? 1),
  count: Number(process.env.PBFT_SEEDS ?? 20),
};

const run = (kind: string, seed: number) => runOf(kind, seed, { tentative: seed % 4 < 2 });

/** The lines of the paper that ran in each schedule. */
const ran = new Map<string, ReadonlySet<string>>();

describe('random schedules with losses, repetitions, crashes and one liar', () => {
  it.each(Object.keys(treasons))('keep agreement and end well: %s', (kind) => {
    const make = (seed: number) => run(kind, seed);
    expectAgreement(seeds, kind, make, (network, seed) => {
      ran.set(`${kind} ${seed}`, network.lines);
    });
  });

  it('together go through every line of the paper', () => {
    const lines = new Set<string>();
    for (const kind of Object.keys(treasons))
      for (let seed = 1; seed <= 10; seed++)
        for (const line of ran.get(`${kind} ${seed}`) ?? run(kind, seed).lines) lines.add(line);
    // Reads are asked of services: see test/paper. Groups change in membership.test.ts, and have
    // MACs in mac.test.ts.
    const elsewhere = ['5.1.3-read', 'change', 'next-epoch', 'show-epochs', 'status-executed'];
    const own = Object.keys(paper).filter(
      (line) => !elsewhere.includes(line) && !line.startsWith('3.2.4-'),
    );
    expect([...lines].sort()).toEqual(own.sort());
  });
});

describe('whatever a stranger sends', () => {
  const ways = [
    ['signatures', 6],
    ['mac', 3],
  ] as const;
  it.each(ways)('no handler throws on any decodable message: %s', (authentication, count) => {
    for (let seed = seeds.first; seed < seeds.first + count; seed++) {
      const random = dice(seed);
      const network = new Network(pbft({ n: 4, window: 256, authentication, digest: testDigest }));
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
      const body = { epoch: 0, view: i % 500, sequence: i, digest };
      for (const kind of ['prepare', 'commit'] as const)
        network.input(1, { type: 'message', message: network.sign({ kind, ...body }, 3) });
      network.input(1, {
        type: 'message',
        message: network.sign(
          { kind: 'checkpoint', epoch: 0, group: null, sequence: i * 128, digest },
          3,
        ),
      });
    }
    const state = network.state(1);
    expect(state.progress.size).toBeLessThanOrEqual(128);
    expect(state.early.get(3)?.length ?? 0).toBeLessThanOrEqual(64);
    expect(state.checkpointVotes.get(3)?.length).toBeLessThanOrEqual(2);
  });
});
