/** After a long failure: how long the next leaders may take. */
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { hotstuff, rulesNames } from './index.ts';

const second = 1_000_000;
const members = [0, 1, 2, 3];

/** Asks all members for one request more, and lets time pass until it is executed. */
function ask(network: Network, sequence: number, delay: number): boolean {
  for (const self of members)
    network.input(self, { type: 'propose', command: requestOf(0, sequence) });
  const done = (): boolean => network.executed.has(`65536/${sequence}`);
  network.runDelayed(3000 * second, delay, done);
  return done();
}

/** The highest view that anybody has given up. */
const givenUp = (network: Network): number =>
  Math.max(...members.map((self) => network.state(self).lastTimeout?.view ?? 0));

const isTimeout: Parameters<Network['deliver']>[0] = ({ message: { kind } }) =>
  kind === 'timeout' || kind === 'new-view';

/** A group that could agree for minutes on nothing but that its leaders had failed. */
function afterFailure(rules: (typeof rulesNames)[number]): Network {
  const network = new Network(hotstuff({ n: 4, digest: testDigest, rules }));
  expect(ask(network, 0, 1000)).toBe(true);
  for (const self of members) network.input(self, { type: 'propose', command: requestOf(0, 1) });
  for (const until = network.now + 200 * second; network.tick(until); ) {
    network.deliver(isTimeout);
    network.drop();
  }
  expect(givenUp(network)).toBeGreaterThan(1000);
  return network;
}

describe.each(rulesNames)('%s, after a long failure', (rules) => {
  it('commits go on without a view change where the network stays slower than a timeout', () => {
    const network = afterFailure(rules);
    const delay = 0.4 * second;
    expect(ask(network, 1, delay)).toBe(true);
    const before = givenUp(network);
    for (let sequence = 2; sequence < 80; sequence++) {
      const asked = network.now;
      expect(ask(network, sequence, delay)).toBe(true);
      expect(network.now - asked).toBeGreaterThan(second); // A timeout, unless it has grown.
    }
    expect(givenUp(network)).toBe(before);
  });

  it('timeouts are short again after a few commits of a network that is as fast as before', () => {
    const network = afterFailure(rules);
    for (let sequence = 1; sequence < 24; sequence++) ask(network, sequence, 1000);
    expect(members.map((self) => network.state(self).patience)).toEqual([1, 1, 1, 1]);
  });
});
