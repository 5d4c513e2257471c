/**
 * What no mutant is needed for: one key in two places, and more liars than there may be. Where a
 * group breaks, two signatures of each who lied are there. The mutants have their schedules in
 * `exhibits.ts`.
 */
import type { Batch } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { decision, one, other, polkaOf, precommit, prevote, proposal } from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import type { Message } from './messages.ts';

/** These lie from now on: their machines stand still, and the test speaks for them. */
function liars(network: Network, ...members: readonly number[]): void {
  for (const self of members) {
    network.seat(self).treason = () => [];
    network.seat(self).up = false;
  }
}

/** `from` proposes `batch` in round 0 to `to` alone, and votes for it. */
function tell(network: Network, members: readonly number[], to: number, batch: Batch): void {
  network.post(0, to, proposal(0, batch));
  for (const from of members)
    for (const vote of [prevote(0, batch), precommit(0, batch)]) network.post(from, to, vote);
}

/** Who signed two things, one of which breaks a vow of the other, among what is under way. */
function convicted(network: Network, messages: readonly (readonly [number, Message])[]): number[] {
  const vows = new Map<string, string>();
  const found = new Set<number>();
  for (const [from, message] of messages)
    for (const [about, what] of network.protocol.vows?.(message) ?? []) {
      const key = `${from} ${about}`;
      if ((vows.get(key) ?? what) !== what) found.add(from);
      vows.set(key, what);
    }
  return [...found].sort();
}

describe('one key in two places', () => {
  it('B-43: two copies of one of four agree with nobody but the others', () => {
    const network = make();
    // Copy A of replica 0 speaks with 1 and 2, copy B with 3: each votes for its own proposal.
    liars(network, 0);
    tell(network, [0], 1, one);
    tell(network, [0], 2, one);
    tell(network, [0], 3, other);
    network.deliver();
    network.run(60_000_000);
    expect(network.violation).toBeUndefined();
    const applied = [1, 2, 3].map((self) => network.seat(self).applied);
    expect(Math.min(...applied)).toBeGreaterThan(0);
  });
});

describe('more liars than there may be', () => {
  it('B-44: two of four fork the others, and each of them has signed twice', () => {
    const network = make();
    liars(network, 0, 3);
    tell(network, [0, 3], 1, one);
    tell(network, [0, 3], 2, other);
    const said = network.flights.map(({ from, message }) => [from, message] as const);
    network.deliver(({ from, to }) => from === 0 || from === 3 || from === to);
    expect(network.violation).toContain('slot 0');
    expect(convicted(network, said)).toEqual([0, 3]);
  });

  it('B-45: who forgets a lock has signed what shows it: the valid round of the prevote', () => {
    const network = make();
    liars(network, 1, 3);
    network.post(0, 0, proposal(0, one));
    for (const from of [1, 3]) {
      network.post(from, 0, prevote(0, one));
      network.post(from, 0, precommit(0, one));
    }
    network.input(0, { type: 'propose', command: one[0] ?? requestOf(1, 1) });
    network.deliver(({ to }) => to === 0);
    expect(network.seat(0).applied).toBe(1);
    // Round 1: replica 2 has heard nothing of it, and the liars forget.
    network.drop();
    for (const from of [1, 3]) network.post(from, 2, precommit(1, null));
    network.post(1, 2, proposal(1, other));
    const forgot = prevote(1, other);
    for (const from of [1, 3]) {
      network.post(from, 2, forgot);
      network.post(from, 2, precommit(1, other));
    }
    network.deliver(({ to }) => to === 2);
    // No two votes of one round: what speaks against them is -1 where they were locked in round 0.
    expect(forgot.validRound).toBeNull();
    const commit = decision(network, 1, one, [0, 1, 3]).commit;
    const polka = polkaOf(network, 1, other, [1, 2, 3]);
    const both = commit.seals.filter(({ from }) => polka.seals.some((seal) => seal.from === from));
    expect(both.map(({ from }) => from)).toEqual([1, 3]);
    expect(polka.body.validRound ?? -1).toBeLessThan(commit.body.round);
  });

  it('B-46: two silent ones of four stop it, and nothing can be held against them', () => {
    const network = make();
    liars(network, 1, 3);
    for (const self of [0, 2]) network.input(self, { type: 'propose', command: requestOf(0, 0) });
    network.run(120_000_000);
    expect([network.executed.size, network.accused.size]).toEqual([0, 0]);
    expect(network.violation).toBeUndefined();
  });
});
