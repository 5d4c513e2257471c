/** Lines 11 to 67 of Algorithm 1, one after the other: each seen in what one step would do. */
import type { Output } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  decision,
  idOf,
  one,
  other,
  polkaOf,
  precommit,
  prevote,
  proposal,
} from '../test/messages.ts';
import { make, type Network, saidIn } from '../test/network.ts';
import type { Message, Proposal } from './messages.ts';
import type { Tendermint } from './state.ts';

/** Replica 2 hears `messages`, each from whom it is said to be. */
function hear(network: Network, ...messages: readonly (readonly [number, Message])[]): void {
  for (const [from, message] of messages) network.inject(from, 2, message);
}

/** Replica 2 is locked on `one` in round 0, and in round 1, where replica 1 proposes. */
function locked(): Network {
  const network = make();
  hear(network, [0, proposal(0, one)], [2, prevote(0, one)]);
  hear(network, [0, prevote(0, one)], [1, prevote(0, one)], [2, precommit(0, one)]);
  hear(network, [0, precommit(0, null)], [1, precommit(0, null)]);
  network.fire(2, 'precommit');
  expect(network.state(2)).toMatchObject({ round: 1, locked: { round: 0, value: idOf(one) } });
  network.drop();
  return network;
}

const timersIn = ({ timers }: Output<Tendermint>): (readonly [string, unknown])[] =>
  timers.flatMap((each) => (each.type === 'set' ? [[each.timer, each.after] as const] : []));

describe('lines 11 to 21', () => {
  it('the proposer proposes what waits, written before it is said; the others wait for it', () => {
    const network = make();
    const [command] = one;
    if (command === undefined) throw new Error('it holds a request');
    const output = network.wouldDo(0, { type: 'propose', command });
    expect(saidIn(output)).toEqual([proposal(0, one)]);
    const value = idOf(one);
    expect(output.writes).toEqual([
      { type: 'save', registers: { proposed: { round: 0, value, validRound: null } } },
      { type: 'put', table: 'blocks', index: 1, row: { value, batch: one } },
    ]);
    const waits = network.wouldDo(2, { type: 'propose', command });
    expect(timersIn(waits)).toContainEqual(['propose', 1_000_000]);
    expect(waits.sends.map(({ to, message }) => [to, message.kind])).toEqual([
      [0, 'relay'],
      [1, 'relay'],
      [3, 'relay'],
    ]);
  });

  it('nobody waits, and nobody proposes, where nothing is asked for', () => {
    const network = make();
    network.run(20_000_000);
    expect([...network.sent.keys()]).toEqual(['status']);
  });

  it('a valid value is proposed again, with its polka', () => {
    const network = make();
    network.inject(0, 1, proposal(0, one));
    network.inject(3, 1, { kind: 'polka', polka: polkaOf(network, 0, one) });
    network.inject(3, 1, precommit(1, null));
    expect(saidIn(network.wouldAnswer(0, 1, precommit(1, null)))).toEqual([
      proposal(1, one, { validRound: 0, polka: polkaOf(network, 0, one) }),
    ]);
  });

  it('in later rounds an empty batch is proposed where nothing waits', () => {
    const network = make();
    network.inject(0, 1, prevote(1, null));
    expect(saidIn(network.wouldAnswer(3, 1, prevote(1, null)))).toEqual([proposal(1, [])]);
  });
});

describe('lines 22 to 27', () => {
  it('a new value has the prevote of who is locked on nothing, durable before it is said', () => {
    const network = make();
    const output = network.wouldAnswer(0, 2, proposal(0, one));
    expect(saidIn(output)).toEqual([prevote(0, one)]);
    expect(output.writes).toEqual([
      { type: 'put', table: 'said', index: 0, row: { prevote: prevote(0, one), precommit: null } },
    ]);
  });

  it('or is locked on it, and nil of who is locked on another one', () => {
    expect(saidIn(locked().wouldAnswer(1, 2, proposal(1, one)))).toEqual([prevote(1, one)]);
    expect(saidIn(locked().wouldAnswer(1, 2, proposal(1, other)))).toEqual([prevote(1, null)]);
  });

  const bad: readonly (readonly [string, number, Proposal])[] = [
    ['of another than the proposer', 1, proposal(0, one)],
    ['of height 0', 3, proposal(0, one, { height: 0 })],
    ['valid in the same round', 0, proposal(0, one, { validRound: 0 })],
    [
      'with a request that its client has not signed',
      0,
      proposal(0, [{ ...requestOf(1, 1), from: 2 }]),
    ],
  ];
  it.each(bad)('a proposal %s is nothing', (_, from, message) => {
    const network = make();
    const { writes, sends } = network.wouldDo(2, {
      type: 'message',
      message: { ...message, from, signature: new Uint8Array(4) as never },
    });
    expect([writes, sends]).toEqual([[], []]);
  });

  it('one a round: another one is proof against its proposer', () => {
    const network = make();
    hear(network, [0, proposal(0, one)]);
    const again = network.wouldAnswer(0, 2, proposal(0, other));
    expect(again.accusations.map(({ first, second }) => [first.from, second.from])).toEqual([
      [0, 0],
    ]);
    expect(network.wouldAnswer(0, 2, proposal(0, one)).accusations).toEqual([]);
  });
});

describe('lines 28 to 33', () => {
  const shown = (network: Network, round: number, validRound: number, polkaRound = validRound) =>
    proposal(round, other, { validRound, polka: polkaOf(network, polkaRound, other) });

  it('a value valid since the lock, or later, takes over; its prevote tells since when', () => {
    const network = locked();
    expect(saidIn(network.wouldAnswer(1, 2, shown(network, 1, 0)))).toEqual([prevote(1, other, 0)]);
    const published = make({ accountable: false });
    for (const from of [0, 3]) hear(published, [from, prevote(1, null)]);
    expect(saidIn(published.wouldAnswer(1, 2, shown(published, 1, 0)))).toEqual([
      prevote(1, other),
    ]);
  });

  it('one that was valid before the lock gets nil', () => {
    const network = locked();
    hear(network, [1, proposal(1, one)], [2, prevote(1, one)]);
    hear(network, [0, prevote(1, one)], [1, prevote(1, one)]);
    expect(network.state(2).locked?.round).toBe(1);
    for (const from of [0, 3]) hear(network, [from, prevote(6, null)]);
    // Replica 1 proposes in round 5, and replica 2 in round 6.
    for (const from of [0, 3]) hear(network, [from, prevote(9, null)]);
    expect(saidIn(network.wouldAnswer(1, 2, shown(network, 9, 0)))).toEqual([prevote(9, null)]);
    expect(saidIn(network.wouldAnswer(1, 2, shown(network, 9, 1)))).toEqual([prevote(9, other, 1)]);
  });

  it('without the polka of that very round nothing is said, until it comes', () => {
    const network = make();
    for (const from of [0, 3]) hear(network, [from, precommit(1, null)]);
    hear(network, [1, proposal(1, other, { validRound: 0 })]);
    expect(network.state(2).step).toBe('propose');
    const polka = polkaOf(network, 0, other);
    expect(saidIn(network.wouldAnswer(3, 2, { kind: 'polka', polka }))).toContainEqual(
      prevote(1, other, 0),
    );
    const later = locked();
    for (const from of [0, 3]) hear(later, [from, prevote(5, null)]);
    expect(saidIn(later.wouldAnswer(1, 2, shown(later, 5, 2, 1)))).toEqual([]);
    expect(saidIn(later.wouldAnswer(1, 2, { ...shown(later, 5, 2), polka: null }))).toEqual([]);
    const few = { ...shown(later, 5, 2), polka: polkaOf(later, 2, other, [0, 1]) };
    expect(saidIn(later.wouldAnswer(1, 2, few))).toEqual([]);
  });
});

describe('lines 34 to 46', () => {
  /** Replica 2 has prevoted for `one` in round 0. */
  const prevoted = (): Network => {
    const network = make();
    hear(network, [0, proposal(0, one)], [2, prevote(0, one)]);
    return network;
  };

  it('a quorum of prevotes that differ starts the timer, once', () => {
    const network = prevoted();
    hear(network, [0, prevote(0, one)]);
    expect(timersIn(network.wouldAnswer(1, 2, prevote(0, null)))).toContainEqual([
      'prevote',
      500_000,
    ]);
    hear(network, [1, prevote(0, null)]);
    const last = network.wouldAnswer(3, 2, prevote(0, null));
    expect(timersIn(last).filter(([timer]) => timer === 'prevote')).toEqual([]);
  });

  it('a polka locks the value, makes it valid and has the precommit, all in one write', () => {
    const network = prevoted();
    hear(network, [0, prevote(0, one)]);
    const output = network.wouldAnswer(1, 2, prevote(0, one));
    expect(saidIn(output)).toEqual([precommit(0, one)]);
    const saved = Object.assign(
      {},
      ...output.writes.map((each) => (each.type === 'save' ? each.registers : {})),
    );
    expect(saved.locked).toEqual({ round: 0, value: idOf(one) });
    expect(saved.valid.body).toEqual(prevote(0, one));
    expect(output.writes).toContainEqual({
      type: 'put',
      table: 'blocks',
      index: 1,
      row: { value: idOf(one), batch: one },
    });
  });

  it('prevotes of other valid rounds do not make a polka in the accountable variant', () => {
    for (const [accountable, step] of [
      [true, 'prevote'],
      [false, 'precommit'],
    ] as const) {
      const network = make({ accountable });
      for (const from of [0, 3]) hear(network, [from, precommit(1, null)]);
      hear(network, [1, proposal(1, one)], [2, prevote(1, one)], [0, prevote(1, one)]);
      // One that tells of a valid round, where that may be told.
      hear(network, [1, prevote(1, one, accountable ? 0 : null)]);
      expect(network.state(2).step).toBe(step);
    }
  });

  it('two polkas in one round prove who is in both to have voted twice', () => {
    const network = locked();
    const second = network.wouldAnswer(3, 2, { kind: 'polka', polka: polkaOf(network, 0, other) });
    expect(second.accusations.map(({ first }) => first.from)).toEqual([0, 1, 2]);
  });

  it('after the precommit a polka makes its value valid, and moves no lock', () => {
    const network = prevoted();
    for (const from of [0, 1]) hear(network, [from, prevote(0, null)]);
    network.fire(2, 'prevote');
    expect(network.state(2)).toMatchObject({ step: 'precommit', locked: null, valid: null });
    hear(network, [3, { kind: 'polka', polka: polkaOf(network, 0, one) }]);
    expect(network.state(2).locked).toBeNull();
    expect(network.state(2).valid?.body).toEqual(prevote(0, one));
  });

  it('nil of a quorum has a nil precommit at once, and leaves the lock (B-37)', () => {
    const network = locked();
    hear(network, [1, proposal(1, other)], [2, prevote(1, null)], [0, prevote(1, null)]);
    const output = network.wouldAnswer(3, 2, prevote(1, null));
    expect(saidIn(output)).toEqual([precommit(1, null)]);
    hear(network, [3, prevote(1, null)]);
    expect(network.state(2).locked).toEqual({ round: 0, value: idOf(one) });
  });
});

describe('lines 47 to 56', () => {
  it('precommits that differ start the timer in any step, and polkas are passed on', () => {
    const network = make();
    for (const from of [0, 1]) hear(network, [from, precommit(0, null)]);
    const output = network.wouldAnswer(3, 2, precommit(0, one));
    expect(timersIn(output)).toContainEqual(['precommit', 500_000]);
    expect(output.sends).toEqual([]);
    hear(network, [0, proposal(0, one)], [3, { kind: 'polka', polka: polkaOf(network, 0, one) }]);
    const passed = network.wouldAnswer(3, 2, precommit(0, one));
    expect(passed.sends.map(({ to, message }) => [to, message.kind])).toEqual([
      [0, 'polka'],
      [1, 'polka'],
      [3, 'polka'],
    ]);
  });

  it('precommits of a quorum in one round decide, also in one that is over', () => {
    const network = make();
    hear(network, [0, proposal(0, one)]);
    for (const from of [0, 3]) hear(network, [from, prevote(2, null)]);
    for (const from of [0, 1]) hear(network, [from, precommit(0, one)]);
    // Of another round it does not count (B-39).
    expect(network.wouldAnswer(3, 2, precommit(1, one)).decisions).toEqual([]);
    const { decisions } = network.wouldAnswer(3, 2, precommit(0, one));
    expect(decisions.map(({ slot, commands }) => [slot, commands])).toEqual([[0, one]]);
    hear(network, [3, precommit(0, one)]);
    expect(network.state(2)).toMatchObject({
      height: 2,
      round: 0,
      step: 'propose',
      locked: null,
      valid: null,
      said: new Map(),
    });
  });

  it('without its batch nothing is decided; it is fetched by its digest from who voted', () => {
    const network = make();
    for (const from of [0, 1]) hear(network, [from, precommit(0, one)]);
    const asks = network.wouldAnswer(3, 2, precommit(0, one));
    expect(asks.decisions).toEqual([]);
    const fetch = { kind: 'fetch-batch', height: 1, value: idOf(one) };
    const asked = asks.sends.filter(({ message }) => message.kind === 'fetch-batch');
    expect(asked.map(({ message }) => message)).toEqual([fetch, fetch]);
    hear(network, [3, precommit(0, one)], [3, { kind: 'batch', height: 1, batch: other }]);
    expect(network.state(2).height).toBe(1);
    hear(network, [3, { kind: 'batch', height: 1, batch: one }]);
    expect(network.state(2).height).toBe(2);
  });

  it('f+1 in later rounds take a replica to the one that all of them have reached', () => {
    const network = make();
    hear(network, [3, prevote(900, null)], [3, precommit(7, null)]);
    expect(network.state(2).round).toBe(0);
    hear(network, [1, precommit(5, null)]);
    expect(network.state(2).round).toBe(5);
    hear(network, [0, prevote(7, null)]);
    expect(network.state(2).round).toBe(7);
  });

  it('what is said of the next height waits for it, and of later ones shows who is ahead', () => {
    const network = make();
    hear(network, [1, proposal(0, other, { height: 2 })], [3, prevote(0, other, null, 2)]);
    hear(network, [0, prevote(0, other, null, 3)]);
    expect([...network.state(2).above]).toEqual([0]);
    const output = network.wouldAnswer(3, 2, decision(network, 1, one));
    expect(saidIn(output)).toContainEqual(prevote(0, other, null, 2));
    hear(network, [3, decision(network, 1, one)]);
    expect(network.state(2).heard.get(0)?.prevotes.votes.size).toBe(1);
    expect(network.state(2).above.size).toBe(0);
  });
});

describe('lines 57 to 67', () => {
  it('each timeout has its nil vote, or the next round, and longer timeouts with it', () => {
    const network = make();
    const [command] = one;
    if (command === undefined) throw new Error('it holds a request');
    network.input(2, { type: 'propose', command });
    network.fire(2, 'propose');
    expect(network.state(2).said.get(0)?.prevote).toEqual(prevote(0, null));
    hear(network, [2, prevote(0, null)], [0, prevote(0, one)], [1, prevote(0, one)]);
    network.fire(2, 'prevote');
    expect(network.state(2).said.get(0)?.precommit).toEqual(precommit(0, null));
    hear(network, [2, precommit(0, null)], [0, precommit(0, one)], [1, precommit(0, one)]);
    const seat = network.seat(2);
    expect((seat.due('precommit') ?? 0) - network.now).toBe(500_000);
    network.fire(2, 'precommit');
    expect(network.state(2)).toMatchObject({ round: 1, step: 'propose' });
    expect((seat.due('propose') ?? 0) - network.now).toBe(1_500_000);
  });

  it('begin again at the next height with what they were', () => {
    const network = locked();
    hear(network, [3, decision(network, 1, one)]);
    const waits = network.wouldDo(2, { type: 'propose', command: requestOf(5, 5) });
    expect(timersIn(waits)).toContainEqual(['propose', 1_000_000]);
  });
});

describe('what a liar can fill', () => {
  it('is bounded: rounds far ahead, heights far ahead, one vote a member (B-42)', () => {
    const network = make();
    for (let round = 0; round < 500; round++) {
      hear(network, [3, prevote(round, null)], [3, precommit(round, one)]);
      hear(network, [3, prevote(round, null, null, 2)], [3, precommit(round, one, 2)]);
      hear(network, [3, prevote(round, null, null, round + 3)]);
    }
    const { heard, early, above, reached } = network.state(2);
    expect(heard.size).toBe(9);
    expect(early.get(3)?.length).toBe(18);
    expect([above.size, reached.size]).toEqual([1, 1]);
  });

  it('what was said in many rounds is remembered for the last 64', () => {
    const network = make();
    for (let round = 1; round <= 100; round++) {
      for (const from of [0, 3]) hear(network, [from, prevote(round, null)]);
      network.fire(2, 'propose');
    }
    expect(network.state(2).said.size).toBe(64);
    expect(network.state(2).heard.size).toBeLessThanOrEqual(17);
  });
});
