/** When a leader is given up, and what moves all to one view: each seen in what one step does. */
import { firstClient, type Output } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { kindsOf, make } from '../test/group.ts';
import {
  batchOf,
  certificate,
  certified,
  chainOf,
  hashOf,
  newView,
  on,
  oneOfEach,
  proposal,
  status,
  timeouts,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { HotStuff } from './index.ts';
import type { Message, TimeoutCertificate } from './messages.ts';

const timeout = (view: number, highView = 0) =>
  ({ kind: 'timeout', set: 1, view, highView }) as const;
const stateOf = (network: Network, self: number) => network.seat(self).machine.snapshot();
const saved = (view: number, highView = 0) => ({
  type: 'save',
  registers: { lastTimeout: timeout(view, highView) },
});

describe('a timeout', () => {
  it('of f+1 members is joined, by the highest certificate and the own timeout', () => {
    const network = make();
    const first = on(network, null, 1);
    network.inject(0, 2, newView(certified(network, first)));
    network.inject(1, 2, timeout(3));
    expect(network.state(2).lastTimeout).toBeNull();
    const { writes, sends } = network.wouldAnswer(3, 2, timeout(3));
    expect(writes).toEqual([saved(3, 1)]);
    expect(sends).toEqual([
      { to: 'all', message: newView(certified(network, first)) },
      { to: 'all', message: timeout(3, 1) },
    ]);
  });

  it('of later views is joined in the last one that f+1 have left', () => {
    const network = make({ n: 7 });
    for (const [from, view] of [
      [1, 11],
      [3, 7],
    ] as const)
      network.inject(from, 2, timeout(view));
    expect(network.wouldAnswer(4, 2, timeout(15)).writes).toEqual([saved(7)]);
    expect(network.wouldAnswer(4, 2, timeout(3)).writes).toEqual([saved(3)]);
  });

  it.each<[string, number, Message]>([
    ['of a stranger', firstClient, timeout(3)],
    ['that knows a later certificate than its view', 3, timeout(3, 3)],
    ['within a reign', 3, timeout(2)],
    ['eleven reigns ahead', 3, timeout(47)],
  ])('does not count: %s', (_, from, message) => {
    const network = make();
    network.inject(1, 2, timeout(3));
    network.inject(from, 2, message);
    expect([...network.state(2).timeoutVotes.keys()]).toEqual([1]);
    expect(network.state(2).lastTimeout).toBeNull();
  });

  it('counts ten reigns ahead, and is replaced by a later one of its sender only', () => {
    const network = make();
    const kept = () => network.state(2).timeoutVotes.get(3)?.view;
    network.inject(3, 2, timeout(7));
    network.inject(3, 2, timeout(3));
    expect(kept()).toBe(7);
    network.inject(3, 2, timeout(43));
    expect(kept()).toBe(43);
  });

  it('with two highest views is proof against its sender', () => {
    const network = make();
    network.inject(3, 2, timeout(3, 0));
    expect(network.wouldAnswer(3, 2, timeout(3, 1)).accusations).toMatchObject([
      { second: { from: 3, highView: 1 } },
    ]);
    expect(network.wouldAnswer(3, 2, timeout(3, 0)).accusations).toEqual([]);
  });

  it('that is said again is answered with the own one, once in half a period', () => {
    const network = make({ n: 7 });
    for (const from of [1, 3, 4]) network.inject(from, 2, timeout(3));
    expect(network.wouldAnswer(5, 2, timeout(3))).toMatchObject({ writes: [], sends: [] });
    expect(kindsOf(network.wouldAnswer(3, 2, timeout(3)))).toEqual(['new-view', 'timeout']);
    network.inject(3, 2, timeout(3));
    network.now += 249_999;
    expect(kindsOf(network.wouldAnswer(3, 2, timeout(3)))).toEqual([]);
    network.now += 1;
    expect(kindsOf(network.wouldAnswer(3, 2, timeout(3)))).toEqual(['new-view', 'timeout']);
    // It hears itself as well, and needs no answer.
    network.inject(2, 2, timeout(3));
    expect(kindsOf(network.wouldAnswer(2, 2, timeout(3)))).toEqual([]);
  });

  it('for a view that is over is answered with what ended it', () => {
    const network = make();
    network.inject(0, 2, newView(null, timeouts(network, 3)));
    network.drop();
    const { sends } = network.wouldAnswer(3, 2, timeout(3));
    expect(sends).toMatchObject([
      { to: 3, message: { kind: 'new-view', justify: null, timeouts: [{}, {}, {}] } },
    ]);
    expect(network.wouldAnswer(2, 2, timeout(3)).sends).toEqual([]);
  });
});

describe('timeouts of a quorum', () => {
  it('end the view once every certificate that they tell of is known', () => {
    const network = make();
    const first = on(network, null, 1);
    for (const [from, highView] of [
      [3, 0],
      [1, 1],
      [0, 1],
    ] as const)
      network.inject(from, 2, timeout(3, highView));
    network.deliver(
      ({ from, to, message }) => from === 2 && to === 2 && message.kind === 'timeout',
    );
    expect(network.state(2)).toMatchObject({ view: 1, timeoutVotes: { size: 4 } });
    const { writes, sends } = network.wouldAnswer(0, 2, newView(certified(network, first)));
    const whole = timeouts(network, 3, { 0: 1, 1: 1, 2: 0 });
    expect(writes).toContainEqual({ type: 'save', registers: { timeouts: whole } });
    expect(sends).toContainEqual({
      to: 1,
      message: newView(certified(network, first), whole),
    });
    network.inject(0, 2, newView(certified(network, first)));
    expect(network.seat(2).machine.status()).toEqual({ leader: 1, term: 4, role: 'replica' });
  });

  it('make no certificate if they are of different views', () => {
    const network = make();
    for (const [from, view] of [
      [0, 3],
      [1, 3],
      [3, 7],
    ] as const)
      network.inject(from, 2, timeout(view));
    expect(network.state(2).view).toBe(1);
    network.inject(3, 2, timeout(11));
    network.deliver(({ from, to }) => from === 2 && to === 2);
    expect(network.state(2).view).toBe(4);
  });

  it.each<[string, (network: Network) => TimeoutCertificate]>([
    ['one short', (at) => timeouts(at, 3, { 0: 0, 1: 0 })],
    [
      'one of another view',
      (at) => [...timeouts(at, 3, { 0: 0, 1: 0 }), ...timeouts(at, 7, { 2: 0 })],
    ],
    [
      'one member twice',
      (at) => [...timeouts(at, 3, { 0: 0, 1: 0 }), ...timeouts(at, 3, { 1: 0 })],
    ],
    ['signers out of order', (at) => [...timeouts(at, 3)].reverse()],
    ['one that contradicts itself', (at) => timeouts(at, 3, { 0: 0, 1: 0, 2: 3 })],
    ['none', () => []],
  ])('are no certificate with %s', (_, made) => {
    const network = make();
    const before = stateOf(network, 2);
    network.inject(3, 2, newView(null, made(network)));
    expect({ ...stateOf(network, 2), heard: 0 }).toEqual({ ...before, heard: 0 });
    expect(network.state(2).view).toBe(1);
  });

  it('of a view that is over change nothing', () => {
    const network = make();
    network.inject(0, 2, newView(null, timeouts(network, 7)));
    expect(network.state(2).view).toBe(8);
    const { writes, sends } = network.wouldAnswer(0, 2, newView(null, timeouts(network, 3)));
    expect([writes, sends]).toEqual([[], []]);
  });

  it('are passed on to the next leader, who is not told by itself', () => {
    const network = make();
    const word = newView(null, timeouts(network, 3));
    expect(network.wouldAnswer(0, 2, word).sends).toEqual([{ to: 1, message: word }]);
    expect(kindsOf(network.wouldAnswer(0, 1, word))).toEqual(['proposal']);
  });
});

describe('a certificate of votes', () => {
  it('moves to the view after it, if it is later than the highest', () => {
    const network = make();
    const [first, , third] = chainOf(network, 1, 2, 3);
    if (first === undefined || third === undefined) throw new Error('a chain has its blocks');
    network.inject(3, 2, newView(certified(network, third)));
    expect(network.state(2)).toMatchObject({ view: 4, high: { body: { view: 3 } } });
    expect(network.wouldAnswer(3, 2, newView(certified(network, first))).writes).toEqual([]);
    for (const signers of [[0, 1], []])
      expect(make().wouldAnswer(3, 2, newView(certified(network, first, signers))).writes).toEqual(
        [],
      );
    const zero = certificate(network, vote(0, hashOf(first.block), 0));
    expect(make().wouldAnswer(3, 2, newView(zero)).writes).toEqual([]);
  });

  it('that is no good leaves the timeouts beside it unread', () => {
    const network = make();
    const bad = certified(network, on(network, null, 1), [0, 1]);
    network.inject(3, 2, newView(bad, timeouts(network, 3)));
    expect(network.state(2).view).toBe(1);
  });

  it('lets go of what was kept for views that are over', () => {
    const network = make();
    const links = chainOf(network, 1, 2, 3, 4, 5);
    for (const view of [1, 2])
      network.inject(3, 0, vote(view, hashOf(batchBlock(links, view)), view - 1));
    network.inject(3, 0, timeout(3));
    network.inject(0, 0, proposal(links[0] as never));
    network.inject(1, 0, newView(certified(network, links[3] as never)));
    const { votes, timeoutVotes, proposals, view } = network.state(0);
    expect([view, votes.size, timeoutVotes.size, proposals.size]).toEqual([5, 0, 0, 0]);
  });

  const batchBlock = (links: ReturnType<typeof chainOf>, view: number) =>
    (links[view - 1] as (typeof links)[number]).block;
});

describe('the timer of a request, at one replica', () => {
  const request = requestOf(5, 1);
  const propose = { type: 'propose', command: request } as const;
  const fires = { type: 'timeout', timer: 'pacemaker' } as const;
  const set = (after: number) => [{ type: 'set', timer: 'pacemaker', after }];
  const pacemaker = ({ timers }: Output<HotStuff>) =>
    timers.filter(({ timer }) => timer === 'pacemaker');

  it('is set by the first one, and ends the reign when that has waited for all of it', () => {
    const network = make();
    expect(pacemaker(network.wouldDo(2, propose))).toEqual(set(1_000_000));
    network.input(2, propose);
    const more = { type: 'propose', command: requestOf(6, 1) } as const;
    expect(pacemaker(network.wouldDo(2, more))).toEqual([]);
    network.now = 999_999;
    expect(network.wouldDo(2, fires)).toMatchObject({ sends: [], timers: set(1) });
    network.now = 1_000_000;
    expect(network.wouldDo(2, fires).writes).toEqual([saved(3)]);
  });

  it('begins again with each reign, and does nothing where nothing waits', () => {
    const network = make();
    network.input(2, propose);
    network.now = 600_000;
    network.inject(0, 2, newView(null, timeouts(network, 3)));
    network.now = 1_000_000;
    expect(network.wouldDo(2, fires)).toMatchObject({ writes: [], timers: set(600_000) });
    const idle = make();
    idle.now = 5_000_000;
    expect(idle.wouldDo(2, fires)).toMatchObject({ writes: [], sends: [], timers: [] });
  });

  it('doubles with each reign that fails, from f+1 on', () => {
    const network = make();
    for (const [view, factor] of [
      [3, 1],
      [7, 2],
      [11, 2],
      [15, 4],
      [400 * 4 - 1, 2 ** 16],
    ] as const) {
      const some = make();
      some.inject(0, 2, newView(null, timeouts(network, view)));
      expect(pacemaker(some.wouldDo(2, propose))).toEqual(set(factor * 1_000_000));
    }
  });

  it('is not set in a view that is left, and waits for a quorum after a restart', () => {
    const network = make();
    for (const from of [1, 3]) network.inject(from, 2, timeout(3));
    expect(pacemaker(network.wouldDo(2, propose))).toEqual([]);
    network.input(2, propose);
    network.now = 5_000_000;
    expect(network.wouldDo(2, fires)).toMatchObject({ writes: [], timers: [] });
    const back = make();
    back.inject(0, 2, proposal(on(back, null, 1, batchOf(9))));
    back.stop(2);
    back.restart(2);
    back.drop();
    back.input(2, propose);
    back.now = 5_000_000;
    expect(back.wouldDo(2, fires)).toMatchObject({ writes: [], timers: set(1_000_000) });
    for (const from of [0, 3]) back.inject(from, 2, status());
    back.now += 1_000_000;
    expect(back.wouldDo(2, fires).writes).toEqual([saved(3)]);
  });
});

describe('who is no member', () => {
  it.each([4, firstClient])('is not heard: principal %i', (from) => {
    for (const self of [0, 2]) {
      const network = make();
      network.inject(0, self, proposal(on(network, null, 1)));
      network.drop();
      const before = stateOf(network, self);
      for (const message of oneOfEach(network)) {
        const { sends, writes } = network.wouldAnswer(from, self, message);
        expect([message.kind, sends, writes]).toEqual([message.kind, [], []]);
        network.inject(from, self, message);
        expect(stateOf(network, self)).toEqual(before);
      }
    }
  });
});
