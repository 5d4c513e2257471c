import { certify, type Signed } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { type Prepare, pbft, type ViewChange } from './index.ts';

const group = (n = 4, more: object = {}) => pbft({ n, digest: testDigest, ...more });
const all = (network: Network, command = requestOf(0, 0)) => {
  for (const self of network.protocol.members) network.input(self, { type: 'propose', command });
};

/** All hear from a quorum, as they do within a second after they have started. */
function meet(network: Network): void {
  for (const self of network.protocol.members) network.fire(self, 'idle');
  network.deliver();
}

describe('view changes (4.4)', () => {
  it('replace a silent primary', () => {
    const network = new Network(group());
    network.stop(0);
    all(network);
    network.run(20_000_000, () => network.executed.size === 1 && network.seat(3).applied === 1);
    expect(network.seats.slice(1).map(({ applied }) => applied)).toEqual([1, 1, 1]);
    expect(network.state(1).view).toBe(1);
    expect(network.lines).toContain('4.4-enter');
  });

  it('replace several silent primaries in a row, with more patience each time', () => {
    const network = new Network(group(7));
    network.stop(0);
    network.stop(1);
    all(network);
    network.run(60_000_000, () => network.seat(6).applied === 1);
    expect(network.seat(6).applied).toBe(1);
    expect(network.state(6).view).toBe(2);
  });

  it('never fork and go on when the primary equivocates', () => {
    const network = new Network(group());
    const known = [requestOf(0, 0, 'a'), requestOf(1, 0, 'b')];
    network.seat(0).treason = ({ to, message }) =>
      message.kind === 'pre-prepare' && to > 1
        ? [{ to, message: network.protocol.conflict?.(message, to, known) ?? message }]
        : [{ to, message }];
    for (const command of known) all(network, command);
    network.run(60_000_000, () => network.executed.size === 2);
    expect(network.violation).toBeUndefined();
    expect(network.executed.size).toBe(2);
    expect(network.seat(1).applied).toBeGreaterThan(0);
  });

  it('accuse a primary that sends two batches under one number to one replica', () => {
    const network = new Network(group());
    network.seat(0).treason = ({ to, message }) => {
      const other = network.protocol.conflict?.(message, 0, []) ?? message;
      return message.kind === 'pre-prepare'
        ? [
            { to, message },
            { to, message: other },
          ]
        : [{ to, message }];
    };
    all(network);
    network.run(60_000_000, () => network.seat(3).applied > 0 && network.seat(1).applied > 0);
    expect([...network.accused]).toEqual([0]);
    expect(network.violation).toBeUndefined();
    expect(network.executed.size).toBe(1);
  });

  it('fill the numbers below what was prepared with null requests', () => {
    const network = new Network(group(4, { maxOutstanding: 8 }));
    for (let i = 0; i < 3; i++) network.input(0, { type: 'propose', command: requestOf(0, i) });
    // Numbers 1 and 2 are lost; 3 is prepared everywhere and committed nowhere.
    const third = (flight: { message: object }) =>
      (flight.message as { sequence?: number }).sequence === 3;
    network.deliver((flight) => third(flight) && flight.message.kind !== 'commit');
    network.drop();
    network.stop(0);
    for (let i = 0; i < 3; i++) all(network, requestOf(0, i));
    network.run(60_000_000, () => network.executed.size === 3);
    expect(network.executed.size).toBe(3);
    expect(network.seat(2).decisions.get(0)).toEqual([]);
    expect(network.seat(2).decisions.get(1)).toEqual([]);
    expect(network.seat(2).decisions.get(2)).toEqual([requestOf(0, 2)]);
  });

  it('write no batch again that is prepared, and go on from that after a crash of all', () => {
    const network = new Network(group());
    for (let i = 0; i < 5; i++) all(network, requestOf(0, i));
    network.deliver();
    network.stop(0);
    all(network, requestOf(0, 5));
    network.run(20_000_000, () => network.executed.size === 6);
    for (const self of [1, 2, 3]) {
      const { prePrepares, prepared } = network.seat(self).disk;
      expect(prePrepares.get(1)).toMatchObject({ view: 1, batch: null });
      expect(prepared.get(1)?.batch).toEqual([requestOf(0, 0)]);
    }
    for (const self of [1, 2, 3]) network.restart(self);
    network.drop();
    all(network, requestOf(0, 6));
    network.run(20_000_000, () => network.executed.size === 7);
    expect(network.executed.size).toBe(7);
    expect(network.violation).toBeUndefined();
  });

  it('fetch a batch that the new primary never saw', () => {
    const network = new Network(group());
    network.input(0, { type: 'propose', command: requestOf(0, 0, 'a') });
    // Replica 1 is left out; 0, 2 and 3 prepare; nobody commits.
    network.deliver(({ to, message }) => to !== 1 && message.kind !== 'commit');
    network.drop();
    network.stop(0);
    all(network, requestOf(1, 0, 'b'));
    network.run(60_000_000, () => network.executed.size === 2);
    expect(network.violation).toBeUndefined();
    expect(network.lines).toContain('4.4-batch');
    expect(network.seat(1).decisions.get(0)).toEqual([requestOf(0, 0, 'a')]);
  });

  it('are left out by a primary that works, and the timeout falls back', () => {
    const network = new Network(group());
    network.stop(0);
    all(network);
    network.run(20_000_000, () => network.seat(3).applied === 1);
    for (let i = 1; i < 20; i++) all(network, requestOf(0, i));
    network.run(20_000_000, () => network.executed.size === 20);
    expect(network.executed.size).toBe(20);
    expect(network.state(3).attempts).toBe(0);
    expect(network.state(3).view).toBe(1);
  });

  it('move no proof that its receiver has, however full the log is', () => {
    const window = 16;
    const more = { window, checkpointEvery: window, maxOutstanding: window, maxBatch: 1 };
    const network = new Network(group(7, more));
    for (let i = 0; i < window; i++) all(network, requestOf(0, i));
    network.deliver(({ message }) => message.kind !== 'commit');
    network.drop();
    expect(network.state(6).prepared.size).toBe(window);
    network.stop(0);
    network.run(20_000_000, () => network.executed.size === window);
    expect(network.executed.size).toBe(window);
    expect(network.violation).toBeUndefined();
    expect(network.sent.has('proofs')).toBe(false);
  });

  it('bring proofs to a new primary and to a backup that lack them', () => {
    const network = new Network(group());
    meet(network);
    network.input(0, { type: 'propose', command: requestOf(0, 0, 'a') });
    // Only replica 2 hears the others' Prepares.
    network.deliver(({ message }) => message.kind === 'pre-prepare');
    network.deliver(({ to, message }) => to === 2 && message.kind === 'prepare');
    network.drop();
    expect([1, 2, 3].map((self) => network.state(self).prepared.size)).toEqual([0, 1, 0]);
    network.stop(0);
    all(network, requestOf(1, 0, 'b'));
    network.drop();
    for (const self of [1, 2, 3]) network.fire(self, 'request');
    network.run(60_000_000, () => network.executed.size === 2);
    expect(network.lines).toContain('4.4-proofs');
    expect(network.seat(3).decisions.get(0)).toEqual([requestOf(0, 0, 'a')]);
    expect(network.violation).toBeUndefined();
    expect(network.state(1).view).toBe(1);
    expect(network.state(3).proofs.size + network.state(3).asked.size).toBeLessThan(3);
  });

  it('begin for one that asks after the view has prepared the same numbers again', () => {
    const network = new Network(group());
    meet(network);
    network.input(0, { type: 'propose', command: requestOf(0, 0, 'a') });
    network.deliver(({ message }) => message.kind === 'pre-prepare');
    network.deliver(({ to, message }) => to === 1 && message.kind === 'prepare');
    network.drop();
    for (const self of [1, 2, 3]) network.fire(self, 'request');
    network.deliver(({ message }) => message.kind !== 'new-view');
    // The new view begins at 0 and 2, and their Prepares are a certificate without replica 3.
    network.deliver(({ to, message }) => to !== 3 && message.kind !== 'commit');
    expect(network.state(1).prepared.get(1)?.proof.body.view).toBe(1);
    expect(network.state(3).active).toBe(false);
    network.deliver(({ message }) => message.kind !== 'commit');
    expect(network.state(3)).toMatchObject({ view: 1, active: true });
  });

  it('are not given up by the timer of the view before', () => {
    const network = new Network(group(7));
    // Each tells three others at a time.
    for (let i = 0; i < 2; i++) meet(network);
    network.stop(0);
    all(network);
    for (const self of [2, 3, 4, 5, 6]) network.fire(self, 'request');
    network.deliver(({ message }) => message.kind === 'view-change');
    expect(network.state(2)).toMatchObject({ view: 1, active: false });
    // The timer of this view was armed a moment ago: what fires now was armed for another.
    network.input(2, { type: 'timeout', timer: 'new-view' });
    expect(network.state(2).view).toBe(1);
    network.fire(2, 'new-view');
    expect(network.state(2).view).toBe(2);
  });

  it('do not begin a view with what nobody can prove', () => {
    const network = new Network(group());
    meet(network);
    network.stop(0);
    all(network);
    for (const self of [2, 3]) network.fire(self, 'request');
    const heard = network.flights
      .filter(({ to, message }) => to === 1 && message.kind === 'view-change')
      .map(({ message }) => message as Signed<ViewChange>);
    network.drop();
    // However many beginnings its primary thinks of, the first is the one that is asked about.
    for (const digit of ['b', 'c', 'd']) {
      const digest = digit.repeat(64);
      const claim = { view: 0, sequence: 1, digest };
      const own = {
        kind: 'view-change',
        epoch: 0,
        view: 1,
        checkpoint: null,
        prepared: [claim],
      } as const;
      const viewChanges = [network.sign(own, 1), ...heard];
      const orders = [{ sequence: 1, digest }];
      for (const to of [2, 3])
        network.post(1, to, {
          kind: 'new-view',
          epoch: 0,
          view: 1,
          checkpoint: null,
          configuration: null,
          viewChanges,
          orders,
        });
      network.deliver(({ from }) => from === 1);
    }
    for (const self of [2, 3]) {
      expect(network.state(self)).toMatchObject({ view: 1, active: false });
      expect([...network.state(self).asked]).toHaveLength(1);
      // Nor does it wait for ever.
      network.fire(self, 'new-view');
      expect(network.state(self).view).toBe(2);
    }
  });
});

describe('what a view begins with is proven (4.4)', () => {
  it('and never by a Prepare of the primary, whose vote is its pre-prepare', () => {
    const network = new Network(group());
    meet(network);
    network.seat(0).treason = ({ to, message }) =>
      message.kind === 'pre-prepare' && to !== 2 ? [] : [{ to, message }];
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.deliver(({ message }) => message.kind === 'pre-prepare');
    const prepares = network.flights.map(({ message }) => message as Signed<Prepare>);
    const vote = prepares.find(({ kind }) => kind === 'prepare') as Signed<Prepare>;
    const { from: _, signature: __, ...body } = vote;
    network.drop();
    // The primary could say the same of another batch, with the Prepare of another backup.
    const own = network.sign(body, 0);
    const proof = certify(body, [own, vote]);
    const { view, sequence, digest } = body;
    const prepared = [{ view, sequence, digest }];
    network.post(0, 1, { kind: 'view-change', epoch: 0, view: 1, checkpoint: null, prepared });
    all(network, requestOf(1, 0));
    network.drop(({ message }) => message.kind !== 'view-change');
    for (const self of [1, 2]) network.fire(self, 'request');
    network.deliver(({ from, to }) => to === 1 && from <= 2);
    const asked = network.flights.filter(({ message }) => message.kind === 'fetch-proofs');
    expect(asked.map(({ to }) => to)).toEqual([0]);
    network.post(0, 1, { kind: 'proofs', proofs: [proof] });
    network.post(0, 1, { kind: 'batch', sequence, batch: [requestOf(0, 0)] });
    network.deliver(({ from, to }) => from === 0 && to === 1);
    expect(network.state(1)).toMatchObject({ view: 1, active: false });
    expect(network.state(1).proofs.size).toBe(0);
    network.fire(3, 'request');
    network.deliver(({ from, to }) => from === 3 && to === 1);
    expect(network.state(1)).toMatchObject({ view: 1, active: true });
    expect(
      network.flights.find(({ message }) => message.kind === 'new-view')?.message,
    ).toMatchObject({ orders: [], viewChanges: [{ from: 1 }, { from: 2 }, { from: 3 }] });
  });

  it('and begins at no checkpoint of which a signature is wrong', () => {
    const network = new Network(group(4, { checkpointEvery: 4 }));
    for (let i = 0; i < 4; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.deliver();
    }
    expect(network.state(1).stableCheckpoint?.body.sequence).toBe(4);
    all(network, requestOf(1, 0));
    network.drop();
    network.seat(1).treason = ({ to, message }) => {
      if (message.kind !== 'new-view' || message.checkpoint === null) return [{ to, message }];
      const { body, seals } = message.checkpoint;
      const forged = seals.map((each, i) => (i === to - 1 ? seals[0] : each));
      const checkpoint = {
        body,
        seals: seals.map((each, i) => ({ ...each, signature: (forged[i] ?? each).signature })),
      };
      return [{ to, message: { ...message, checkpoint } }];
    };
    for (const self of [1, 2, 3]) network.fire(self, 'request');
    network.deliver(({ from, to }) => from !== 0 && to !== 0);
    expect(network.state(1)).toMatchObject({ view: 1, active: true });
    const forged = network.refused.map(
      ({ from, to, message }) => `${from} to ${to}: ${message.kind}`,
    );
    expect(forged).toEqual(['1 to 2: new-view', '1 to 3: new-view']);
    for (const self of [2, 3]) expect(network.state(self).active).toBe(false);
  });
});
