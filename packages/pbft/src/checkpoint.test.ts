import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { viewChange } from '../test/messages.ts';
import { Network } from '../test/network.ts';
import { pbft } from './index.ts';
import { schemas } from './messages.ts';

const { content } = schemas({ n: 4, window: 8, maxBatch: 1 });

const small = (more: object = {}) =>
  pbft({ n: 4, checkpointEvery: 4, digest: testDigest, ...more });

function propose(network: Network, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    network.input(0, { type: 'propose', command: requestOf(0, i) });
    network.deliver(({ to: receiver }) => network.seat(receiver).up);
  }
}

describe('checkpoints (4.3)', () => {
  it('discard the log up to what a quorum has', () => {
    const network = new Network(small());
    propose(network, 0, 30);
    for (const self of [0, 1, 2, 3]) {
      const state = network.state(self);
      expect(state.stableCheckpoint?.body.sequence).toBe(28);
      expect([...state.prePrepares.keys()]).toEqual([29, 30]);
      expect([...state.prepared.keys()]).toEqual([29, 30]);
      expect(state.committed.size).toBe(2);
      expect(state.progress.size).toBe(0);
      expect(state.checkpoints.size).toBe(0);
    }
    const answers = network.sent.get('stable-checkpoint') ?? 0;
    network.run(10_000_000);
    expect(network.sent.get('stable-checkpoint') ?? 0).toBe(answers);
  });

  it('stop the primary at the high watermark until one is stable', () => {
    const network = new Network(small());
    const noCheckpoints = (kind: string) => kind !== 'checkpoint';
    for (let i = 0; i < 20; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.deliver(({ message }) => noCheckpoints(message.kind));
    }
    expect(network.seat(3).applied).toBe(8);
    network.deliver();
    expect(network.executed.size).toBe(20);
  });

  it('come also where little has room between them: empty batches lead there', () => {
    // Two requests, of 132 bytes each, fill an interval.
    const network = new Network(small({ maxBatch: 1, windowBytes: 400 }));
    for (let i = 0; i < 9; i++) network.input(0, { type: 'propose', command: requestOf(i, 0) });
    network.deliver();
    const sizes = Array.from({ length: 17 }, (_, n) => network.seat(3).decisions.get(n)?.length);
    expect(sizes.join('')).toBe('11001100110011001');
    expect(network.state(3).stableCheckpoint?.body.sequence).toBe(16);
  });

  it('are not kept away by a primary that adds to what is filled: nobody prepares that', () => {
    const network = new Network(small({ maxBatch: 1, windowBytes: 400 }));
    propose(network, 0, 2);
    const batch = [requestOf(0, 9)];
    for (const body of [batch, []]) {
      const digest = testDigest(content, body);
      const message = {
        kind: 'pre-prepare',
        epoch: 0,
        view: 0,
        sequence: 3,
        digest,
        batch: body,
      } as const;
      for (const self of [1, 2, 3]) network.post(0, self, message);
      network.deliver();
      expect(network.state(1).prePrepares.has(3)).toBe(body.length === 0);
    }
  });

  it('bring the state to a replica that was away too long for messages', () => {
    const network = new Network(small());
    propose(network, 0, 2);
    network.stop(3);
    propose(network, 2, 21);
    network.drop();
    network.restart(3);
    network.run(5_000_000, () => network.seat(3).applied === 21);
    expect(network.seat(3).applied).toBe(21);
    expect(network.lines).toContain('4.3-installed');
    expect(network.seat(3).state).toBe(network.seat(0).state);
    propose(network, 21, 40);
    expect(network.seat(3).applied).toBe(40);
  });

  it('bring the state to a replica that begins late, once it hears anything', () => {
    const network = new Network(small());
    network.stop(3);
    propose(network, 0, 21);
    network.drop();
    network.restart(3);
    propose(network, 21, 22);
    network.run(5_000_000, () => network.seat(3).applied === 22);
    expect(network.seat(3).applied).toBe(22);
  });

  it('bring the state to a replica that was cut off and never restarted', () => {
    const network = new Network(small());
    for (let i = 0; i < 18; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.deliver(({ to }) => to !== 3);
    }
    network.drop();
    for (let i = 18; i < 26; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.run(2_000_000);
    }
    expect(network.seat(3).applied).toBe(26);
    expect(network.seat(3).state).toBe(network.seat(0).state);
  });

  it('come again after their messages were lost', () => {
    const network = new Network(small());
    for (let i = 0; i < 4; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.deliver(({ message }) => message.kind !== 'checkpoint');
    }
    network.drop();
    network.run(2_000_000);
    for (const self of [0, 1, 2, 3])
      expect(network.state(self).stableCheckpoint?.body.sequence).toBe(4);
  });

  it('start the numbers of a new view above the stable one', () => {
    const network = new Network(small());
    propose(network, 0, 9);
    network.stop(0);
    for (const self of [1, 2, 3])
      network.input(self, { type: 'propose', command: requestOf(0, 9) });
    network.run(20_000_000, () => network.executed.size === 10);
    expect(network.executed.size).toBe(10);
    expect(network.violation).toBeUndefined();
    expect(network.state(1).view).toBe(1);
  });

  it.each([
    { checkpointEvery: 4, window: 4, maxOutstanding: 1 },
    { checkpointEvery: 4, window: 4, maxOutstanding: 16 },
    { checkpointEvery: 4, window: 8, maxOutstanding: 8 },
    { checkpointEvery: 1, window: 1, maxOutstanding: 2 },
  ])(
    'may come a window later at one replica, which asks nobody and blames nobody: %o',
    (options) => {
      const network = new Network(small({ maxBatch: 1, ...options }));
      const isLate: Parameters<Network['deliver']>[0] = ({ to, message }) =>
        to === 1 && message.kind === 'checkpoint';
      const { window } = options;
      for (let i = 0; i < 6 * window; i++) {
        const late = i % window === 0 ? new Set(network.flights) : new Set();
        network.input(0, { type: 'propose', command: requestOf(0, i) });
        network.deliver((flight) => !isLate(flight));
        network.deliver((flight) => late.has(flight) || !isLate(flight));
      }
      network.deliver();
      for (const { applied } of network.seats) expect(applied).toBe(6 * window);
      expect(network.state(1).view).toBe(0);
      expect(network.sent.has('status')).toBe(false);
    },
  );

  it('that are slow do not count against the primary, whose log they keep full', () => {
    const network = new Network(small({ window: 4, maxBatch: 1 }));
    for (const self of [0, 1, 2, 3])
      for (let i = 0; i < 10; i++)
        network.input(self, { type: 'propose', command: requestOf(0, i) });
    const fast: Parameters<Network['deliver']>[0] = ({ message }) => message.kind !== 'checkpoint';
    network.deliver(fast);
    // Ten times the request timeout.
    for (const until = network.now + 10_000_000; network.tick(until); ) network.deliver(fast);
    expect(network.executed.size).toBe(4);
    network.run(900_000, () => network.executed.size === 10);
    expect(network.executed.size).toBe(10);
    expect(network.seats.map((_, self) => network.state(self).view)).toEqual([0, 0, 0, 0]);
    // Once the log has room, silence counts again.
    for (const self of [1, 2, 3])
      network.input(self, { type: 'propose', command: requestOf(0, 10) });
    network.stop(0);
    network.run(2_000_000, () => network.executed.size === 11);
    expect(network.state(1).view).toBe(1);
  });

  it('are not waited for from who has left the view, and executes nothing more of it', () => {
    const network = new Network(small({ window: 4, maxBatch: 1 }));
    network.stop(3);
    for (const self of [0, 1, 2])
      for (let i = 0; i < 5; i++)
        network.input(self, { type: 'propose', command: requestOf(0, i) });
    network.deliver(({ message }) => message.kind !== 'checkpoint');
    expect(network.executed.size).toBe(4);
    // Of the quorum that executed all of the log one is gone, and with it what it said.
    network.drop();
    network.stop(2);
    for (const self of [0, 1]) network.inject(3, self, viewChange(1));
    network.run(3_000_000, () => network.state(1).view > 0);
    expect([0, 1].map((self) => network.state(self).view)).toEqual([1, 1]);
  });
});
