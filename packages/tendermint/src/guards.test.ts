/** What is asked before signatures are checked: what could come to something passes, once. */
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  checkpoint,
  decision,
  idOf,
  one,
  other,
  polkaOf,
  precommit,
  prevote,
  proposal,
  stable,
  status,
  strange,
} from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import type { Message } from './messages.ts';

const half = 250_000;
const unsigned = [{ ...requestOf(1, 1), from: 2 }];

/** Whether replica 2 would look at the signatures of what `from` says. */
const passes = (network: Network, from: number, message: Message) =>
  network.seat(2).machine.admits?.(network.sign(message, from), network.now);

describe('a proposal passes', () => {
  it('if it is of the proposer of a round that is near, whole, and signed by clients', () => {
    const network = make();
    const polka = polkaOf(network, 0, one);
    for (const [from, message, may] of [
      [0, proposal(0, one), true],
      [1, proposal(0, one), false],
      [0, proposal(0, unsigned), false],
      [1, proposal(1, one, { validRound: 0, polka }), true],
      [1, proposal(1, one, { validRound: 1, polka: null }), false],
      [1, proposal(1, one, { validRound: null, polka }), false],
      [2, proposal(2, one, { validRound: 1, polka }), false],
      [1, proposal(1, one, { validRound: 0, polka: polkaOf(network, 0, one, [0, 1]) }), false],
      [1, proposal(0, one, { height: 2 }), true],
      [3, proposal(0, one, { height: 0 }), false],
    ] as const)
      expect([from, passes(network, from, message)]).toEqual([from, may]);
  });

  it('once, unless it differs', () => {
    const network = make();
    network.inject(0, 2, proposal(0, one));
    expect(passes(network, 0, proposal(0, one))).toBe(false);
    expect(passes(network, 0, proposal(0, other))).toBe(true);
  });
});

describe('a vote passes', () => {
  it('once, unless it differs, of a height that is not decided', () => {
    const network = make();
    for (const vote of [prevote, precommit]) {
      expect(passes(network, 3, vote(0, one))).toBe(true);
      network.inject(3, 2, vote(0, one));
      expect(passes(network, 3, vote(0, one))).toBe(false);
      expect(passes(network, 3, vote(0, other))).toBe(true);
      expect(passes(network, 1, vote(0, one))).toBe(true);
    }
    expect(passes(network, 3, prevote(2, one, 2))).toBe(false);
    expect(passes(network, 3, prevote(2, one, 1))).toBe(true);
    network.inject(3, 2, decision(network, 1, one));
    expect(passes(network, 1, prevote(0, one))).toBe(false);
    expect(passes(network, 1, prevote(0, one, null, 2))).toBe(true);
    expect(passes(network, 1, precommit(0, one, 9))).toBe(true);
  });

  it('of a round far ahead if it says that its sender has got further', () => {
    const network = make();
    expect(passes(network, 3, prevote(9, null))).toBe(true);
    network.inject(3, 2, prevote(9, null));
    expect(passes(network, 3, prevote(9, null))).toBe(false);
    expect(passes(network, 3, prevote(10, null))).toBe(true);
  });
});

describe('a certificate passes', () => {
  it('if it is whole and new', () => {
    const network = make();
    const told = (polka: ReturnType<typeof polkaOf>): Message => ({ kind: 'polka', polka });
    expect(passes(network, 3, told(polkaOf(network, 0, one)))).toBe(true);
    expect(passes(network, 3, told(polkaOf(network, 0, one, [0, 1])))).toBe(false);
    expect(passes(network, 3, told(polkaOf(network, 1, one, [0, 1, 2], 1)))).toBe(false);
    network.inject(3, 2, told(polkaOf(network, 0, one)));
    expect(passes(network, 3, told(polkaOf(network, 0, one, [1, 2, 3])))).toBe(false);
    // Another value in the same round is proof against those who are in both.
    expect(passes(network, 3, told(polkaOf(network, 0, other)))).toBe(true);
    expect(passes(network, 3, decision(network, 1, one))).toBe(true);
    expect(passes(network, 3, decision(network, 1, one, [0, 1]))).toBe(false);
    expect(passes(network, 3, { ...decision(network, 1, one), batch: unsigned })).toBe(false);
    expect(passes(network, 3, decision(network, 9, one))).toBe(true);
    expect(passes(network, 3, decision(network, 10, one))).toBe(false);
    network.inject(3, 2, decision(network, 1, one));
    expect(passes(network, 3, decision(network, 1, one))).toBe(false);
    expect(passes(network, 3, told(polkaOf(network, 0, one)))).toBe(false);
  });

  it('of a checkpoint if a quorum has signed it, and words for it one by one', () => {
    const network = make();
    const ask = (message: Message) => passes(network, 3, message);
    expect([stable(network, 8), stable(network, 8, [0, 1]), stable(network, 5)].map(ask)).toEqual([
      true,
      false,
      false,
    ]);
    expect([checkpoint(8), checkpoint(5), checkpoint(0)].map(ask)).toEqual([true, false, false]);
    network.inject(3, 2, checkpoint(8));
    expect([checkpoint(8), checkpoint(8, strange('d')), checkpoint(12)].map(ask)).toEqual([
      false,
      true,
      true,
    ]);
    network.inject(3, 2, stable(network, 8));
    expect([stable(network, 8), checkpoint(8), checkpoint(12)].map(ask)).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('a question, or its answer, passes', () => {
  it('as often as it is answered', () => {
    const network = make();
    expect(passes(network, 2, status())).toBe(false);
    expect(passes(network, 3, status())).toBe(true);
    network.inject(3, 2, status());
    expect(passes(network, 3, status())).toBe(false);
    expect(passes(network, 1, status())).toBe(true);
    network.now += half;
    expect(passes(network, 3, status())).toBe(true);
    network.inject(0, 2, proposal(0, one));
    const fetch = { kind: 'fetch-batch', height: 1, value: idOf(one) } as const;
    for (let i = 0; i < 16; i++) {
      expect(passes(network, 3, fetch)).toBe(true);
      network.inject(3, 2, fetch);
    }
    expect([passes(network, 1, fetch), passes(network, 3, fetch)]).toEqual([true, false]);
    expect(passes(network, 2, fetch)).toBe(false);
  });

  it('if the batch is wanted', () => {
    const network = make();
    const told = (batch: typeof one): Message => ({ kind: 'batch', height: 1, batch });
    expect(passes(network, 3, told(one))).toBe(false);
    for (const from of [0, 1, 3]) network.inject(from, 2, precommit(0, one));
    expect([passes(network, 3, told(one)), passes(network, 3, told(other))]).toEqual([true, false]);
    expect(passes(network, 3, { kind: 'batch', height: 2, batch: one })).toBe(false);
  });

  it('if a relay has something new that its client has signed', () => {
    const network = make();
    const relay = (requests: typeof one): Message => ({ kind: 'relay', requests });
    expect([passes(network, 3, relay(one)), passes(network, 3, relay(unsigned))]).toEqual([
      true,
      false,
    ]);
    network.inject(3, 2, relay(one));
    expect(passes(network, 3, relay(one))).toBe(false);
    expect(passes(network, 3, relay([...one, ...other]))).toBe(true);
  });
});
