import { maxWaitingOfClient, OptionsError } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { type Flight, Network } from '../test/network.ts';
import { paper, pbft } from './index.ts';

const group = (n: number, more: object = {}) => pbft({ n, digest: testDigest, ...more });

describe('normal case operation (4.2)', () => {
  it('executes a request at every replica, in one pre-prepare, prepare and commit', () => {
    const network = new Network(group(4));
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.deliver();
    for (const seat of network.seats) expect(seat.decisions.get(0)).toEqual([requestOf(0, 0)]);
    expect(network.violation).toBeUndefined();
  });

  it.each([4, 5, 6, 7, 8, 9, 10, 13])('sends (n-1) + (n-1)² + n(n-1) messages for n = %i', (n) => {
    const network = new Network(group(n));
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.deliver();
    expect(Object.fromEntries(network.sent)).toEqual({
      'pre-prepare': n - 1,
      prepare: (n - 1) ** 2,
      commit: n * (n - 1),
    });
    expect(network.agreed.size).toBe(1);
    // Nothing is missing: each says once a second to f+1 others where it stands, and no more.
    const before = new Map(network.sent);
    network.run(10_000_000);
    const { status = 0, ...rest } = Object.fromEntries(network.sent);
    expect(rest).toEqual(Object.fromEntries(before));
    expect(status).toBeLessThanOrEqual(10 * n * (Math.floor((n - 1) / 3) + 1));
  });

  it('works in groups without faults, down to one replica', () => {
    for (const n of [1, 2, 3]) {
      const network = new Network(group(n));
      for (let i = 0; i < 5; i++) network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.deliver();
      for (const seat of network.seats) expect(seat.applied).toBeGreaterThan(0);
      expect(network.executed.size).toBe(5);
    }
  });

  it('puts what arrives while two batches are under way into the next one', () => {
    const network = new Network(group(4));
    for (let i = 0; i < 20; i++) network.input(0, { type: 'propose', command: requestOf(i, 0) });
    network.deliver();
    expect(network.seat(3).applied).toBe(3);
    expect([0, 1, 2].map((slot) => network.seat(3).decisions.get(slot)?.length)).toEqual([
      1, 1, 18,
    ]);
  });

  it('relays a request from a backup to the primary, and orders a repeated one once', () => {
    const network = new Network(group(4));
    for (const self of [1, 2, 3, 0, 1])
      network.input(self, { type: 'propose', command: requestOf(0, 7) });
    network.deliver();
    expect(network.agreed.size).toBe(1);
    network.run(10_000_000);
    expect(network.state(1).view).toBe(0);
    expect(network.state(1).waiting.size).toBe(0);
  });

  it.each(['relay', 'propose'] as const)('keeps nobody waiting behind a flood (%s)', (way) => {
    const network = new Network(group(4, { maxBatch: 8 }));
    const flood = Array.from({ length: 8 * maxWaitingOfClient }, (_, i) => requestOf(1, i));
    if (way === 'propose')
      for (const command of flood) network.input(0, { type: 'propose', command });
    else
      for (let i = 0; i < flood.length; i += 8)
        network.post(3, 0, { kind: 'relay', requests: flood.slice(i, i + 8) });
    network.deliver(({ message }) => message.kind === 'relay');
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    const { next } = network.state(0);
    network.deliver();
    // Two batches were under way, and it is in the next one.
    expect(network.seat(0).decisions.get(next - 1)).toContainEqual(requestOf(0, 0));
    expect(network.executed.size).toBe(maxWaitingOfClient + 1);
  });

  it('asks for no other primary because of a client that keeps its own requests from it', () => {
    const network = new Network(group(4, { requestTimeout: 100_000 }));
    const withheld = requestOf(0, 1_000_000);
    for (const self of [1, 2, 3]) network.input(self, { type: 'propose', command: withheld });
    // What the backups pass on finds no room at the primary.
    const isHeard = ({ message }: Flight): boolean => message.kind !== 'relay';
    for (let i = 0; i < 10; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.deliver(isHeard);
      for (const until = network.now + 50_000; network.tick(until); ) network.deliver(isHeard);
    }
    expect(network.executed.size).toBe(10);
    expect(network.sent.has('view-change')).toBe(false);
  });

  it('takes no request that its client has not signed', () => {
    const network = new Network(group(4));
    network.input(0, { type: 'propose', command: { ...requestOf(0, 0), from: 2 } });
    network.post(3, 0, { kind: 'relay', requests: [{ ...requestOf(0, 0), from: 70_000 }] });
    network.deliver();
    expect(network.agreed.size).toBe(0);
  });

  it('explains why n = 3f is not enough', () => {
    expect(() => pbft({ n: 3, f: 1 })).toThrow(OptionsError);
    expect(() => pbft({ n: 3, f: 1 })).toThrow(/Use n = 4/);
    expect(pbft({ n: 3, f: 1, unsafe: true }).f).toBe(1);
  });

  it('takes only quorums that share an honest replica and can be formed, unless it is told', () => {
    for (const [quorum, why] of [
      [2, /share no more than 0, and 1 may lie/],
      [4, /3 cannot form one/],
      [5, /from 1 to 4/],
      [0, /from 1 to 4/],
    ] as const) {
      expect(() => pbft({ n: 4, quorum })).toThrow(why);
      if (quorum === 2 || quorum === 4) expect(pbft({ n: 4, quorum, unsafe: true }).f).toBe(1);
    }
    expect(pbft({ n: 4, quorum: 3 }).f).toBe(1);
  });
});

describe('losses', () => {
  it('come from status reports, whatever is lost', () => {
    for (const kind of ['pre-prepare', 'prepare', 'commit']) {
      const network = new Network(group(4));
      network.input(0, { type: 'propose', command: requestOf(0, 0) });
      network.deliver((flight) => flight.message.kind !== kind || flight.from === flight.to);
      network.drop();
      network.run(900_000, () => network.seats.every(({ applied }) => applied === 1));
      expect(network.seats.map(({ applied }) => applied)).toEqual([1, 1, 1, 1]);
    }
  });

  it('leave a replica that heard nothing at all able to catch up with the next batch', () => {
    const network = new Network(group(4));
    for (let i = 0; i < 6; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.deliver((flight) => flight.to !== 3);
    }
    network.drop();
    network.input(0, { type: 'propose', command: requestOf(0, 6) });
    network.run(3_000_000);
    expect(network.seat(3).applied).toBe(7);
    expect(network.violation).toBeUndefined();
  });
});

describe('the list of lines', () => {
  it('names the lines that ran', () => {
    const network = new Network(group(4));
    network.input(1, { type: 'propose', command: requestOf(0, 0) });
    network.deliver();
    for (const line of network.lines) expect(paper).toHaveProperty(line);
    expect(network.lines).toContain('4.2-committed-local');
  });
});
