/**
 * Known mistakes of PBFT implementations that need no mutant: a group that is too small, and what
 * signatures prevent. The mutants have their schedules in `exhibits.ts`.
 */
import type { Batch } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { pbft } from './index.ts';
import { type Message, schemas } from './messages.ts';

const { content } = schemas({ n: 4, window: 256, maxBatch: 256 });
const digestOf = (batch: Batch) => testDigest(content, batch);
const a = requestOf(0, 0, 'a');
const b = requestOf(1, 0, 'b');

/** Replica `self` lies from now on: its own machine stands still, the test speaks for it. */
function liar(network: Network, self: number): void {
  network.seat(self).treason = () => [];
  network.seat(self).up = false;
}

const say = (network: Network, from: number, to: readonly number[], message: Message): void => {
  for (const each of to) network.post(from, each, message);
};

const propose = (network: Network, seats: readonly number[], command = b): void => {
  for (const self of seats) network.input(self, { type: 'propose', command });
};

describe('what a group of n = 3f, and one backup, cannot do', () => {
  it('B-03: n = 3f', () => {
    const network = new Network(pbft({ n: 3, f: 1, unsafe: true }));
    network.stop(2);
    propose(network, [0, 1]);
    network.run(30_000_000);
    expect(network.executed.size).toBe(0);
  });

  it('B-16a: a primary leaves one backup out, which gets the batch elsewhere', () => {
    const network = new Network(pbft({ n: 4 }));
    network.seat(0).treason = ({ to, message }) =>
      to === 3 && message.kind === 'pre-prepare' ? [] : [{ to, message }];
    for (let i = 0; i < 5; i++) propose(network, [0], requestOf(0, i));
    network.deliver();
    expect(network.seat(3).applied).toBe(network.seat(1).applied);
    expect(network.executed.size).toBe(5);
  });
});

/**
 * How many honest replicas can answer for a request: the primary leaves replica 3 out and answers
 * nobody. Whether 3 is told later what was decided is up to `tells`.
 */
function answersOf(tells: boolean): number {
  const network = new Network(pbft({ n: 4 }));
  network.seat(0).treason = ({ to, message }) => (to === 3 ? [] : [{ to, message }]);
  propose(network, [0, 1, 2, 3], a);
  do {
    network.deliver(({ to, message }) => tells || to !== 3 || message.kind !== 'committed');
    network.drop();
  } while (network.tick(900_000));
  return [1, 2, 3].filter((self) => network.seat(self).applied > 0).length;
}

describe('B-09: where reads make clients wait for 2f+1 replies to writes', () => {
  it('one that is left out and told nothing keeps them waiting', () => {
    expect(answersOf(false)).toBeLessThan(3);
  });

  it('f+1 replies are there, which is all that it takes here', () => {
    const { client, f } = pbft({ n: 4, readOnly: true });
    expect([client.matching, client.reads]).toEqual([f + 1, 2 * f + 1]);
    expect(answersOf(false)).toBeGreaterThanOrEqual(client.matching);
  });

  it('and who is left out is told what was decided', () => {
    expect(answersOf(true)).toBe(3);
  });
});

/**
 * The views that a group of four goes through because of one client, whose requests pass for
 * genuine at those who `believe` them: what an authenticator, one code for each, makes possible.
 */
function viewsBecauseOf(believe: (self: number, primary: number) => boolean): number {
  const network = new Network(pbft({ n: 4 }));
  const bad = requestOf(2, 0, 'bad');
  for (let round = 0; round < 12; round++) {
    propose(network, [network.state(1).view % 4], bad);
    propose(network, [0, 1, 2, 3], requestOf(0, round));
    for (let i = 0; i < 8; i++) {
      network.deliver(({ to, message }) => {
        const asked = message.kind === 'pre-prepare' && message.batch.some(isSame(bad));
        return !asked || believe(to, message.view % 4);
      });
      network.drop();
      network.tick(network.now + 1_000_000);
    }
  }
  return network.state(1).view;
}

const isSame =
  (one: { readonly client: number }) =>
  (other: { readonly client: number }): boolean =>
    other.client === one.client;

describe('B-14: a client whose requests only the primary can verify', () => {
  it('has every primary replaced, if each can be told another code', () => {
    expect(viewsBecauseOf((self, primary) => self === primary)).toBeGreaterThanOrEqual(4);
  });

  it('costs nothing where requests are signed: all of them believe it, or nobody', () => {
    expect(viewsBecauseOf(() => true)).toBe(0);
  });
});

describe('mistakes that signatures prevent', () => {
  it('B-08: Prepares do not prove anything in another view, number or phase', () => {
    const network = new Network(pbft({ n: 4 }));
    propose(network, [0], a);
    network.deliver();
    const proof = network.state(1).prepared.get(1)?.proof;
    if (proof === undefined) throw new Error('nothing is prepared');
    const claim = (body: typeof proof.body) =>
      network.check(network.sign({ kind: 'proofs', proofs: [{ ...proof, body }] }, 3));
    expect(claim(proof.body)).toBe(true);
    expect(claim({ ...proof.body, view: 3 })).toBe(false);
    expect(claim({ ...proof.body, sequence: 7 })).toBe(false);
    const commit = { ...proof.body, kind: 'commit' } as const;
    const committed = {
      kind: 'committed',
      batch: [a],
      commit: { ...proof, body: commit },
    } as const;
    expect(network.check(network.sign(committed, 3))).toBe(false);
  });

  it('B-20: a primary cannot invent a request', () => {
    const network = new Network(pbft({ n: 4 }));
    liar(network, 0);
    const forged = [{ ...b, operations: a.operations }];
    const digest = digestOf(forged);
    const prePrepare = {
      kind: 'pre-prepare',
      epoch: 0,
      view: 0,
      sequence: 1,
      digest,
      batch: forged,
    } as const;
    say(network, 0, [1, 2, 3], prePrepare);
    network.deliver();
    expect(network.refused.length).toBe(3);
    expect(network.sent.has('prepare')).toBe(false);
  });
});
