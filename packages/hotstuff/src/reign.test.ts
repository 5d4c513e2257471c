/** A reign ends in good order: no request waits for a timer because its leader's turn was over. */
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { hotstuff, type RulesName } from './index.ts';

const cases = (['jolteon', 'hotstuff-2', 'chained', 'basic'] satisfies RulesName[]).flatMap(
  (rules) =>
    (['sticky', 'round-robin', 'every-view'] as const).map((leaders) => ({ rules, leaders })),
);

describe.each(cases)('$rules, $leaders leaders', ({ rules, leaders }) => {
  const start = () =>
    new Network(hotstuff({ n: 9, digest: testDigest, rules, leaders, reign: 4, maxBatch: 1 }));
  const sequences = Array.from({ length: 40 }, (_, sequence) => sequence);

  it('requests that wait at a leader when its reign ends go to the next one', () => {
    const network = start();
    for (const sequence of sequences)
      network.input(0, { type: 'propose', command: requestOf(0, sequence) });
    network.deliver();
    expect(network.executed.size).toBe(sequences.length);
    expect(network.now).toBe(0);
  });

  it('a request that comes after a reign has ended goes to the next leader', () => {
    const network = start();
    for (const sequence of sequences) {
      network.input(0, { type: 'propose', command: requestOf(0, sequence) });
      network.deliver();
      expect(network.executed.size).toBe(sequence + 1);
    }
    expect(network.now).toBe(0);
  });
});
