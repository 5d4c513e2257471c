/** Whom a replica tells of requests, when, and which of them it proposes. */
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { block, clock, follower, leader, notarized, proposal } from '../test/messages.ts';
import { make, Network } from '../test/network.ts';
import { streamlet } from './index.ts';

const self = follower(1);
const others = [0, 1, 2, 3].filter((each) => each !== self);
const request = (turn: number) => requestOf(turn, 1);
const ask = (network: Network, turn: number, at = self): void =>
  network.input(at, { type: 'propose', command: request(turn) });

/** Clients of the requests that `network` has been told of since it was last asked. */
function told(network: Network): readonly (readonly [to: number, clients: readonly number[]])[] {
  const said = network.flights.flatMap(({ to, message }) =>
    message.kind === 'relay'
      ? [[to, message.requests.map(({ client }) => client - request(0).client)] as const]
      : [],
  );
  network.drop();
  return said;
}

function enter(network: Network, epoch: number): void {
  for (const from of others) network.inject(from, self, clock({ over: epoch - 1 }));
}

const toAll = (...clients: readonly number[]) => others.map((to) => [to, clients]);
/** The next epoch after 1 that `self` does not lead. */
const next = [2, 3, 4, 5, 6, 7, 8, 9].find((epoch) => leader(epoch) !== self) ?? 2;

describe('a request', () => {
  it('is told to all others at once, and the next ones in the next epoch', () => {
    const network = make();
    ask(network, 1);
    expect(told(network)).toEqual(toAll(1));
    ask(network, 2);
    ask(network, 3);
    expect(told(network)).toEqual([]);
    enter(network, next);
    expect(told(network)).toEqual(toAll(2, 3));
    enter(network, next + 1);
    expect(told(network)).toEqual([]);
  });

  it('is proposed, and not told, by who leads', () => {
    const network = make();
    ask(network, 1, leader(1));
    const kinds = new Set(network.flights.map(({ message }) => message.kind));
    expect(kinds).toEqual(new Set(['proposal', 'vote']));
    // Its own block is out: what comes later is told.
    network.drop();
    ask(network, 2, leader(1));
    expect(network.flights.map(({ message }) => message.kind)).toEqual(['relay', 'relay', 'relay']);
  });

  it('that others have told is not told again, nor one that is under way in a block', () => {
    const network = make();
    network.inject(others[0] as number, self, { kind: 'relay', requests: [request(1)] });
    expect(told(network)).toEqual([]);
    ask(network, 2);
    expect(told(network)).toEqual(toAll(2));
    ask(network, 3);
    network.inject(leader(1), self, proposal(block(1, { batch: [request(3)] })));
    enter(network, next);
    expect(told(network)).toEqual([]);
  });

  it('that has waited for an epoch is told to all again, whoever told it first', () => {
    const network = make();
    network.inject(others[0] as number, self, { kind: 'relay', requests: [request(1)] });
    ask(network, 2);
    network.drop();
    network.fire(self, 'epoch');
    expect(told(network)).toEqual(toAll(1, 2));
    // And so it goes on, as long as the epoch does.
    network.fire(self, 'epoch');
    expect(told(network)).toEqual(toAll(1, 2));
  });

  it('is told in messages of as many as fit into a block', () => {
    const network = make({ maxBatch: 2 });
    for (const turn of [1, 2, 3, 4]) ask(network, turn);
    network.drop();
    enter(network, next);
    expect(told(network)).toEqual(toAll(2, 3));
    network.fire(self, 'epoch');
    expect(told(network)).toEqual(toAll(1, 2));
  });

  it('of a stranger is passed on by nobody', () => {
    const network = make();
    network.inject(4, self, { kind: 'relay', requests: [request(1)] });
    expect(network.state(self).waiting.size).toBe(0);
  });

  it('in a group of one is told to nobody', () => {
    const network = new Network(streamlet({ n: 1, digest: testDigest }));
    ask(network, 1, 0);
    network.run(1_000_000);
    expect(network.executed.size).toBe(1);
    expect([...network.sent.keys()]).toEqual([]);
  });
});

describe('a block', () => {
  /** What `leader(2)` proposes once block 1 is notarized. */
  function proposed(before: (network: Network, at: number) => void) {
    const at = leader(2);
    const network = make({ maxBatch: 2 });
    before(network, at);
    network.drop();
    const batch = [request(1)];
    network.inject((at + 1) % 4, at, notarized(network, block(1, { batch })));
    const [found] = network.flights.flatMap(({ message }) =>
      message.kind === 'proposal' ? [message] : [],
    );
    return found;
  }
  const clients = (found: ReturnType<typeof proposed>) =>
    found?.block.batch.map(({ client }) => client - request(0).client);

  it('has the waiting requests that its chain has not, as many as fit', () => {
    const relay = (network: Network, at: number, ...turns: readonly number[]) =>
      network.inject((at + 1) % 4, at, { kind: 'relay', requests: turns.map(request) });
    expect(clients(proposed((network, at) => relay(network, at, 1)))).toEqual([]);
    expect(clients(proposed((network, at) => relay(network, at, 1, 2)))).toEqual([2]);
    const many = proposed((network, at) => {
      relay(network, at, 1, 2);
      relay(network, at, 3, 4);
    });
    expect(clients(many)).toHaveLength(2);
    expect(clients(many)).not.toContain(1);
  });

  it('is proposed with the votes for its parent, as long as that is not final', () => {
    const found = proposed(() => undefined);
    expect(found?.block).toMatchObject({ epoch: 2, height: 2, batch: [] });
    expect(found?.notarization?.body.id).toBe(found?.block.parent.id);
  });
});

describe('an epoch', () => {
  it('lasts longer the longer nothing becomes final', () => {
    const network = make();
    ask(network, 1);
    const lasts = () => (network.seat(self).due('epoch') ?? 0) - network.now;
    const second = 1_000_000;
    expect(lasts()).toBe(second);
    for (const [epoch, times] of [
      [8, 2],
      [15, 2],
      [16, 3],
      [8 * 63, 64],
      [8 * 100, 64],
    ] as const) {
      enter(network, epoch);
      expect([epoch, lasts()]).toEqual([epoch, times * second]);
    }
  });

  it('in which nothing waits ends without a word', () => {
    const network = make();
    network.inject(others[0] as number, self, { kind: 'relay', requests: [request(1)] });
    expect(network.seat(self).due('epoch')).toBeDefined();
    network.drop();
    network.fire(self, 'epoch');
    expect(network.flights.map(({ message }) => message.kind)).toContain('clock');
    expect(make().seat(self).due('epoch')).toBeUndefined();
  });

  it('of long ago is forgotten', () => {
    const network = make();
    network.inject(leader(1), self, proposal(block(1)));
    enter(network, 9);
    expect(network.state(self).heard.has(1)).toBe(true);
    enter(network, 10);
    expect(network.state(self).heard.has(1)).toBe(false);
  });
});
