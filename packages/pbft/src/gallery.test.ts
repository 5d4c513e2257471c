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
