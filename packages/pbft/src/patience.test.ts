import type { Request, Signed } from '@quorumlab/core';
import { requestOf, sessionRequestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { newView, prePrepare, status, viewChange, vote } from '../test/messages.ts';
import { Network } from '../test/network.ts';
import { pbft } from './index.ts';

const members = [0, 1, 2, 3];
const groupOf = (more: object = {}) => new Network(pbft({ n: 4, digest: testDigest, ...more }));

function all(network: Network, command: Signed<Request>): void {
  for (const self of members) network.input(self, { type: 'propose', command });
}

const views = (network: Network): number[] => members.map((self) => network.state(self).view);

/** Replica 3 has just come back, and others have dropped what it has missed. */
function withLaggard(): Network {
  const network = groupOf({ checkpointEvery: 4 });
  network.stop(3);
  for (let i = 0; i < 21; i++) {
    all(network, requestOf(0, i));
    network.deliver();
  }
  network.drop();
  network.restart(3);
  return network;
}

describe('the patience of a replica (4.4, 4.5.2)', () => {
  it('is not tried by what was executed before the view began', () => {
    const network = groupOf();
    all(network, sessionRequestOf(0, 1));
    for (let i = 2; i < 6; i++) all(network, requestOf(0, i));
    network.run(400_000, () => network.executed.size === 5);
    expect(network.executed.size).toBe(5);
    network.stop(0);
    all(network, requestOf(0, 6));
    network.run(20_000_000, () => network.executed.size === 6);
    expect(views(network).slice(1)).toEqual([1, 1, 1]);
    // As many timeouts as a stuck request would need to take every primary's turn.
    network.run(60_000_000);
    expect(views(network).slice(1)).toEqual([1, 1, 1]);
    for (const self of [1, 2, 3]) expect(network.state(self).waiting.size).toBe(0);
  });

  it('begins when a quorum is there: members of a restarted group come back one by one', () => {
    const network = groupOf();
    for (let i = 0; i < 40; i++) all(network, requestOf(0, i));
    // Ordered and prepared, and on everybody's disk, when all are killed.
    network.deliver(({ message }) => message.kind !== 'commit');
    network.drop();
    for (const self of members) network.stop(self);
    for (const self of members) {
      network.restart(self);
      // Whoever is there waits for many timeouts, and cannot blame a primary that is not up.
      const alone = self < 2;
      for (const until = network.now + 5_000_000; alone && network.tick(until); )
        network.drop(({ to }) => !network.seat(to).up);
    }
    network.run(20_000_000, () => network.seats.every(({ applied }) => applied > 0));
    for (let i = 0; i < 40; i++)
      if (!network.executed.has(`65536/${i}`)) all(network, requestOf(0, i));
    network.run(20_000_000, () => network.executed.size === 40);
    expect(network.executed.size).toBe(40);
    expect(views(network)).toEqual([0, 0, 0, 0]);
  });

  it('is not lost while the state comes, however long that takes', () => {
    const network = withLaggard();
    // Its state is under way for twenty timeouts while clients ask.
    const until = network.now + 20_000_000;
    for (let i = 21; network.tick(until); ) {
      if (i < 24 && network.now > (i - 20) * 5_000_000) all(network, requestOf(0, i++));
      network.deliver();
    }
    expect(network.state(3)).toMatchObject({ active: true, lastExecuted: 0 });
    network.run(20_000_000, () => network.seat(3).applied === network.seat(0).applied);
    expect(network.seat(3).applied).toBe(network.seat(0).applied);
    expect(views(network)).toEqual([0, 0, 0, 0]);
  });

  it('ends all the same: one that has caught up replaces a silent primary', () => {
    const network = withLaggard();
    network.run(5_000_000, () => network.seat(3).applied === 21);
    network.stop(0);
    all(network, requestOf(0, 21));
    network.run(20_000_000, () => network.executed.size === 22);
    expect(network.executed.size).toBe(22);
    expect(views(network).slice(1)).toEqual([1, 1, 1]);
  });

  it('grows until it suffices for a slow group, and stays there', () => {
    const network = groupOf({ maxOutstanding: 1 });
    // Every message takes 700 ms, and a request five of them.
    const slow = (time: number, done: () => boolean): void => {
      for (const until = network.now + time; !done(); ) {
        network.deliver(({ at }) => at + 700_000 <= network.now);
        const next = Math.min(...network.flights.map(({ at }) => at + 700_000));
        if (!network.tick(Math.min(next, until))) network.now = Math.min(next, until);
        if (network.now >= until) return;
      }
    };
    let requests = 0;
    const more = (count: number): void => {
      for (const end = requests + count; requests < end; ) {
        all(network, requestOf(0, requests++));
        slow(200_000_000, () => network.executed.size === requests);
      }
    };
    more(10);
    expect(network.executed.size).toBe(10);
    const before = Math.max(...views(network));
    expect(before).toBeGreaterThan(0);
    more(20);
    expect(network.executed.size).toBe(30);
    expect(Math.max(...views(network))).toBe(before);
  });
});

describe('the timer of a request, at one replica', () => {
  const request = requestOf(5, 1);
  const fires = { type: 'timeout', timer: 'request' } as const;

  /** A backup that has heard a quorum and waits for one request since 0. */
  function waiting(): Network {
    const network = groupOf();
    for (const from of [0, 2]) network.inject(from, 1, status());
    network.input(1, { type: 'propose', command: request });
    return network;
  }

  it('is set by the first request at a backup, and by none at the primary', () => {
    const network = groupOf();
    const set = (self: number) =>
      network
        .wouldDo(self, { type: 'propose', command: requestOf(6, 1) })
        .timers.filter(({ timer }) => timer === 'request');
    expect(set(1)).toEqual([{ type: 'set', timer: 'request', after: 1_000_000 }]);
    expect(set(0)).toEqual([]);
    network.input(1, { type: 'propose', command: request });
    expect(set(1)).toEqual([]);
  });

  it('ends the view when the oldest request has waited for the whole of it', () => {
    const network = waiting();
    network.now = 999_999;
    const { sends, timers } = network.wouldDo(1, fires);
    expect([sends, timers]).toEqual([[], [{ type: 'set', timer: 'request', after: 1 }]]);
    network.now = 1_000_000;
    expect(network.wouldDo(1, fires).sends).toMatchObject([{ message: viewChange(1) }]);
    // A batch of the primary that is not executed is waited for as a request is.
    const other = groupOf();
    for (const from of [0, 2]) other.inject(from, 1, status());
    other.inject(0, 1, prePrepare(1, [request]));
    other.now = 1_000_000;
    expect(other.wouldDo(1, fires).sends).toMatchObject([{ message: viewChange(1) }]);
  });

  it('does nothing where nothing waits, or where the view is left already', () => {
    const network = waiting();
    network.deliver();
    network.now = 5_000_000;
    const idle = { sends: [], timers: [], writes: [] };
    expect(network.wouldDo(1, fires)).toMatchObject(idle);
    const other = waiting();
    for (const from of [2, 3]) other.inject(from, 1, viewChange(4));
    other.now = 5_000_000;
    expect(other.wouldDo(1, fires)).toMatchObject(idle);
  });

  it('counts no time before a quorum was heard', () => {
    const network = groupOf();
    network.input(1, { type: 'propose', command: request });
    network.inject(0, 1, status());
    network.now = 3_000_000;
    const { sends, timers } = network.wouldDo(1, fires);
    expect([sends, timers]).toEqual([[], [{ type: 'set', timer: 'request', after: 1_000_000 }]]);
    network.inject(2, 1, status());
    network.now = 3_999_999;
    expect(network.wouldDo(1, fires).sends).toEqual([]);
    network.now = 4_000_000;
    expect(network.wouldDo(1, fires).sends).toHaveLength(1);
  });

  it('doubles with each view that does not help, up to 65,536 times', () => {
    const network = groupOf();
    for (let view = 1; view <= 20; view++)
      for (const from of [2, 3]) network.inject(from, 1, viewChange(4 * view));
    expect(network.state(1)).toMatchObject({ view: 80, attempts: 20 });
    network.drop();
    network.inject(0, 1, newView(network, 80));
    const [timer] = network
      .wouldDo(1, { type: 'propose', command: request })
      .timers.filter(({ timer: name }) => name === 'request');
    expect(timer).toMatchObject({ after: 65_536 * 1_000_000 });
  });

  it('is taken back as far as twice of what a batch takes in the view that works', () => {
    for (const [took, attempts] of [
      [500_000, 0],
      [500_001, 1],
      [1_000_001, 2],
    ] as const) {
      const network = groupOf();
      for (const from of [0, 2]) network.inject(from, 1, status());
      for (const view of [4, 8, 12])
        for (const from of [2, 3]) network.inject(from, 1, viewChange(view));
      network.drop();
      network.inject(0, 1, newView(network, 12));
      expect(network.state(1)).toMatchObject({ view: 12, active: true, attempts: 3 });
      network.inject(0, 1, prePrepare(1, [request], 12));
      network.now += took;
      const [pre] = network.flights.filter(({ message }) => message.kind === 'prepare');
      const { digest = '' } = (pre?.message ?? {}) as { digest?: string };
      for (const from of [0, 2, 3]) network.inject(from, 1, vote('commit', 1, digest, 12));
      expect(network.seat(1).applied).toBe(1);
      expect(network.state(1).attempts).toBe(attempts);
    }
  });
});
