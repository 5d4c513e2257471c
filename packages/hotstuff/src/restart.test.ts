/** A crash of all replicas loses nothing that a client was told, even if nobody asks again. */
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { hotstuff, rulesNames } from './index.ts';

const members = [0, 1, 2, 3];

describe.each(rulesNames)('%s', (rules) => {
  // Long swarm, jolteon, seed 37506.
  it('what one replica executed before all crashed is executed by all, with no client left', () => {
    const network = new Network(hotstuff({ n: 4, digest: testDigest, rules }));
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.runDelayed(1000, 1, () => network.executed.size > 0);
    expect(network.executed.size).toBe(1);

    for (const self of members) network.stop(self);
    for (const self of members) network.seat(self).decisions.clear();
    network.drop();
    for (const self of members) network.restart(self);
    network.drop(); // Nobody hears that the others are back.

    const executes = (self: number): boolean =>
      [...network.seat(self).decisions.values()].flat().length > 0;
    network.run(60_000_000, () => members.every(executes));
    expect(members.filter(executes)).toEqual(members);
    expect(network.violation).toBeUndefined();
  });

  it('whoever comes back first gives up no leader that is not there yet', () => {
    const network = new Network(hotstuff({ n: 4, digest: testDigest, rules }));
    for (let i = 0; i < 8; i++) network.input(0, { type: 'propose', command: requestOf(0, i) });
    network.runDelayed(1000, 1, () => network.executed.size > 0);
    for (const self of members) network.stop(self);
    network.drop();
    for (const self of members) {
      network.restart(self);
      const alone = self < 2;
      network.input(self, { type: 'propose', command: requestOf(1, 0) });
      for (const until = network.now + 30_000_000; alone && network.tick(until); )
        network.drop(({ to }) => !network.seat(to).up);
    }
    const gaveUp = (self: number) => network.state(self).lastTimeout !== null;
    expect(members.filter(gaveUp)).toEqual([]);
    network.run(60_000_000, () => network.executed.has('65537/0'));
    expect(network.executed.has('65537/0')).toBe(true);
    expect(members.filter(gaveUp)).toEqual([]);
  });
});
