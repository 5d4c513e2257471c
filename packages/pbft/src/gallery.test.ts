/**
 * Known mistakes of PBFT implementations as schedules: the right protocol survives each, the mutant
 * that has the mistake does not. r0 is the primary of view 0; numbers start at 1, slots at 0.
 */
import type { Batch, Protocol } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { type Flight, Network } from '../test/network.ts';
import { pbft } from './index.ts';
import { codec, type Message } from './messages.ts';
import { type Mutant, mutant } from './mutants.ts';
import type { Pbft } from './state.ts';

const { content } = codec({ n: 4, window: 256, maxBatch: 256 });
const digestOf = (batch: Batch) => testDigest(content, batch);
const a = requestOf(0, 0, 'a');
const b = requestOf(1, 0, 'b');

type Script = (protocol: Protocol<Pbft>) => Network;

/** Runs `script` with the right protocol and with the mutant. */
function compare(name: Mutant, script: Script, n = 4): { right: Network; wrong: Network } {
  const options = { n, f: 1, digest: testDigest };
  return { right: script(pbft(options)), wrong: script(mutant(name, options)) };
}

function forks(name: Mutant, script: Script, n = 4): void {
  const { right, wrong } = compare(name, script, n);
  expect(right.violation).toBeUndefined();
  expect(wrong.violation).toMatch(/^slot 0: /);
}

const among =
  (...seats: number[]) =>
  ({ from, to }: Flight) =>
    seats.includes(from) && seats.includes(to);

const kinds =
  (...names: Message['kind'][]) =>
  ({ message }: Flight) =>
    names.includes(message.kind);

const both =
  (...filters: ((flight: Flight) => boolean)[]) =>
  (flight: Flight) =>
    filters.every((each) => each(flight));

/** Replica `self` lies from now on: its own machine stands still, the test speaks for it. */
function liar(network: Network, self: number): void {
  network.seat(self).treason = () => [];
  network.seat(self).up = false;
}

const say = (network: Network, from: number, to: readonly number[], message: Message): void => {
  for (const each of to) network.post(from, each, message);
};

const vote = (kind: 'prepare' | 'commit', view: number, digest: string, sequence = 1): Message => ({
  kind,
  view,
  sequence,
  digest,
});

const propose = (network: Network, seats: readonly number[], command = b): void => {
  for (const self of seats) network.input(self, { type: 'propose', command });
};

/** `a` is number 1: pre-prepared and prepared at `seats`, committed as far as `commits` lets it. */
function order(network: Network, seats: number[], commits: (flight: Flight) => boolean): void {
  propose(network, [0], a);
  network.deliver(both(among(...seats), kinds('pre-prepare', 'prepare')));
  network.deliver(both(among(...seats), kinds('commit'), commits));
  network.drop();
}

describe('mistakes that break agreement', () => {
  it('B-01: a view-change is believed without proof', () => {
    forks('viewchange-no-proof', (protocol) => {
      const network = new Network(protocol);
      liar(network, 3);
      order(network, [0, 1, 2], ({ to }) => to === 0);
      expect(network.seat(0).applied).toBe(1);
      network.stop(0);
      propose(network, [1, 2]);
      for (const self of [1, 2]) network.fire(self, 'request');
      const claim = { kind: 'prepare', view: 7, sequence: 1, digest: digestOf([b]) } as const;
      const prepared = [{ body: claim, seals: [] }];
      say(network, 3, [1], { kind: 'view-change', view: 1, checkpoint: null, prepared });
      say(network, 3, [1], { kind: 'batch', sequence: 1, batch: [b] });
      network.deliver(({ to }) => to !== 0 && to !== 3);
      say(network, 3, [1], { kind: 'batch', sequence: 1, batch: [b] });
      for (const kind of ['prepare', 'commit'] as const)
        say(network, 3, [1, 2], vote(kind, 1, digestOf([b])));
      network.deliver(({ to }) => to !== 0 && to !== 3);
      return network;
    });
  });

  it('B-02: the orders of a new primary are believed', () => {
    forks('newview-unchecked', (protocol) => {
      const network = new Network(protocol);
      order(network, [0, 1, 2], ({ to }) => to === 0);
      network.stop(0);
      liar(network, 1);
      propose(network, [2, 3]);
      for (const self of [2, 3]) network.fire(self, 'request');
      const viewChanges = network.flights
        .filter(({ to, message }) => to === 1 && message.kind === 'view-change')
        .map(({ message }) => message as Extract<typeof message, { kind: 'view-change' }>);
      const own = { kind: 'view-change', view: 1, checkpoint: null, prepared: [] } as const;
      const orders = [{ sequence: 1, digest: digestOf([]) }];
      const all = [network.sign(own, 1), ...viewChanges];
      say(network, 1, [2, 3], { kind: 'new-view', view: 1, viewChanges: all, orders });
      for (const kind of ['prepare', 'commit'] as const)
        say(network, 1, [2, 3], vote(kind, 1, digestOf([])));
      network.deliver(({ to }) => to > 1);
      return network;
    });
  });

  it('B-04: a quorum is 2f+1 at n = 5', () => {
    forks(
      'hard-coded-2f+1',
      (protocol) => {
        const network = new Network(protocol);
        liar(network, 0);
        for (const [batch, half] of [
          [[a], [1, 2]],
          [[b], [3, 4]],
        ] as const) {
          const digest = digestOf(batch);
          const prePrepare = { kind: 'pre-prepare', view: 0, sequence: 1, digest, batch } as const;
          say(network, 0, half, prePrepare);
          say(network, 0, half, vote('commit', 0, digest));
          network.deliver(among(0, ...half));
        }
        return network;
      },
      5,
    );
  });

  it('B-05: a batch is executed when it is prepared', () => {
    forks('skip-commit-phase', (protocol) => {
      const network = new Network(protocol);
      propose(network, [0], a);
      network.deliver(kinds('pre-prepare'));
      network.deliver(both(kinds('prepare'), ({ to, from }) => to === 2 || from === to));
      network.drop();
      network.stop(2);
      propose(network, [0, 1, 3]);
      for (const self of [0, 1, 3]) network.fire(self, 'request');
      network.deliver(({ to }) => to !== 2);
      expect(network.seat(1).applied).toBe(1);
      return network;
    });
  });

  it('B-06: a view-change is silent about what is prepared', () => {
    forks('prepared-not-carried', (protocol) => {
      const network = new Network(protocol);
      order(network, [0, 1, 2], ({ to }) => to === 2);
      expect(network.seat(2).applied).toBe(1);
      network.stop(2);
      propose(network, [0, 1, 3]);
      for (const self of [0, 1, 3]) network.fire(self, 'request');
      network.deliver(({ to }) => to !== 2);
      expect(network.seat(1).applied).toBeGreaterThan(0);
      return network;
    });
  });

  it('B-07: the oldest certificate wins', () => {
    forks('older-certificate-wins', (protocol) => {
      const network = new Network(protocol);
      liar(network, 0);
      const digest = digestOf([a]);
      const first = { kind: 'pre-prepare', view: 0, sequence: 1, digest, batch: [a] } as const;
      const empty = { kind: 'view-change', checkpoint: null, prepared: [] } as const;
      say(network, 0, [1, 2, 3], first);
      network.deliver(kinds('pre-prepare'));
      network.deliver(both(kinds('prepare'), ({ to, from }) => to === 2 || from === to));
      network.drop();
      expect(network.state(2).prepared.size).toBe(1);
      // View 1 begins without r2; what it orders is executed by r3 only.
      propose(network, [1, 3]);
      for (const self of [1, 3]) network.fire(self, 'request');
      say(network, 0, [1, 3], { ...empty, view: 1 });
      network.deliver(both(among(0, 1, 3), ({ to }) => to !== 0, kinds('view-change', 'new-view')));
      network.deliver(both(among(1, 3), kinds('pre-prepare', 'prepare')));
      const second = network.state(3).prePrepares.get(1)?.digest as string;
      expect(second).not.toBe(digest);
      for (const kind of ['prepare', 'commit'] as const)
        say(network, 0, [1, 3], vote(kind, 1, second));
      network.deliver(both(among(0, 1, 3), ({ to }) => to === 1, kinds('prepare')));
      network.deliver(both(among(0, 1, 3), ({ to }) => to === 3));
      expect(network.seat(3).applied).toBe(1);
      network.stop(3);
      network.drop();
      // View 2: r2 is its primary and hears r0 and r1.
      network.fire(1, 'request');
      say(network, 0, [1, 2], { ...empty, view: 2 });
      network.deliver(({ to }) => to === 1 || to === 2);
      const chosen = network.state(2).newView?.orders[0]?.digest as string;
      for (const kind of ['prepare', 'commit'] as const)
        say(network, 0, [1, 2], vote(kind, 2, chosen));
      network.deliver(({ to }) => to === 1 || to === 2);
      expect(network.seat(1).applied).toBeGreaterThan(0);
      return network;
    });
  });

  it('field A1: votes are counted without their digest', () => {
    forks('no-digest-match', (protocol) => {
      const network = new Network(protocol);
      liar(network, 0);
      for (const [batch, part] of [
        [[a], [1]],
        [[b], [2, 3]],
      ] as const) {
        const digest = digestOf(batch);
        say(network, 0, part, { kind: 'pre-prepare', view: 0, sequence: 1, digest, batch });
        say(network, 0, part, vote('commit', 0, digest));
      }
      network.deliver(({ to }) => to !== 0);
      return network;
    });
  });

  it('B-58: a replica executes the copy that the client sent to it', () => {
    forks('local-copy-executes', (protocol) => {
      const network = new Network(protocol);
      propose(network, [2, 3], requestOf(0, 0, 'other'));
      network.drop();
      propose(network, [0], a);
      network.deliver();
      expect(network.seat(2).applied).toBe(1);
      return network;
    });
  });
});

describe('mistakes that stop the group', () => {
  it('B-03: n = 3f', () => {
    const network = new Network(pbft({ n: 3, f: 1, unsafe: true }));
    network.stop(2);
    propose(network, [0, 1]);
    network.run(30_000_000);
    expect(network.executed.size).toBe(0);
  });

  it('B-13: a primary may use any number', () => {
    const { right, wrong } = compare('no-watermarks', (protocol) => {
      const network = new Network(protocol);
      liar(network, 0);
      const digest = digestOf([a]);
      const sequence = 2 ** 40;
      say(network, 0, [1], { kind: 'pre-prepare', view: 0, sequence, digest, batch: [a] });
      network.deliver(({ to }) => to === 1);
      return network;
    });
    expect(right.state(1).prePrepares.size).toBe(0);
    expect(wrong.state(1).prePrepares.size).toBe(1);
  });

  it('B-15: a primary does a little just before each timeout', () => {
    const { right, wrong } = compare('timer-restarts', (protocol) => {
      const network = new Network(protocol);
      for (let i = 0; i < 12; i++) propose(network, [0, 1, 2, 3], requestOf(i, 0));
      network.drop();
      for (let i = 0; i < 12; i++) {
        // One request every 0.9 s; the timeout is 1 s.
        const until = network.now + 900_000;
        while (network.tick(until));
        network.now = until;
        network.drop(({ message }) => message.kind !== 'view-change');
        const [batch] = [[requestOf(i, 0)]];
        const digest = digestOf(batch);
        const sequence = i + 1;
        const order = { kind: 'pre-prepare', view: 0, sequence, digest, batch } as const;
        for (const self of [1, 2, 3]) network.post(0, self, order);
        for (const self of [1, 2, 3]) network.post(0, self, vote('commit', 0, digest, sequence));
        network.deliver(({ to }) => to !== 0);
      }
      return network;
    });
    expect(right.state(1).view).toBeGreaterThan(0);
    expect(wrong.state(1).view).toBe(0);
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

  it('B-17: timeouts that do not grow', () => {
    const { right, wrong } = compare('fixed-timeouts', (protocol) => {
      const network = new Network(protocol);
      network.stop(0);
      propose(network, [1, 2, 3]);
      network.runDelayed(90_000_000, 1_500_000, () => network.executed.size === 1);
      return network;
    });
    expect(right.executed.size).toBe(1);
    expect(wrong.executed.size).toBe(0);
    expect(wrong.state(1).view).toBeGreaterThan(10);
  });

  it('B-18a: one replica makes everybody change views', () => {
    const { right, wrong } = compare('join-rule-one', (protocol) => {
      const network = new Network(protocol);
      liar(network, 3);
      for (let view = 1; view < 20; view++)
        say(network, 3, [0, 1, 2], { kind: 'view-change', view, checkpoint: null, prepared: [] });
      network.deliver(({ to }) => to !== 3);
      return network;
    });
    expect(right.state(0).view).toBe(0);
    expect(wrong.state(0).view).toBeGreaterThan(0);
  });

  it('B-18b: nobody joins those who want another view', () => {
    const { right, wrong } = compare('join-rule-none', (protocol) => {
      const network = new Network(protocol);
      network.stop(0);
      propose(network, [1, 2]);
      network.run(60_000_000, () => network.executed.size === 1);
      return network;
    });
    expect(right.executed.size).toBe(1);
    expect(wrong.executed.size).toBe(0);
  });
});

describe('mistakes that signatures prevent', () => {
  it('B-08: Prepares do not prove anything in another view, number or phase', () => {
    const network = new Network(pbft({ n: 4 }));
    order(network, [0, 1, 2, 3], () => true);
    const proof = network.state(1).prepared.get(1)?.proof;
    if (proof === undefined) throw new Error('nothing is prepared');
    const claim = (body: typeof proof.body) =>
      network.check(
        network.sign(
          { kind: 'view-change', view: 9, checkpoint: null, prepared: [{ ...proof, body }] },
          3,
        ),
      );
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
