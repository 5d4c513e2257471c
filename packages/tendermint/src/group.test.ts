/** What a group is told, who proposes in it, and what its members weigh. */
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { one, polkaOf, precommit, prevote } from '../test/messages.ts';
import { make, Network } from '../test/network.ts';
import { groupOf, proposerOf } from './group.ts';
import { tendermint } from './index.ts';
import { rotationOf } from './rotation.ts';
import { rules } from './rules.ts';
import { isPolka } from './votes.ts';

const group = (n: number, weights?: string) =>
  groupOf({ n, digest: testDigest, ...(weights === undefined ? {} : { weights }) }, rules);

describe('a group', () => {
  it('tells hosts what it claims, and clients whom to believe', () => {
    const made = tendermint({ n: 7, digest: testDigest, checkpointEvery: 8, window: 40 });
    expect([made.name, made.version, made.f, made.claims.replicas(2)]).toEqual([
      'tendermint',
      2,
      2,
      7,
    ]);
    expect(made.client).toEqual({ matching: 3, ask: 'any', signed: true });
    expect([made.snapshotEvery, made.snapshotsKept]).toEqual([8, 6]);
    expect(make().seat(1).machine.status()).toEqual({ leader: 0, term: 1, role: 'propose' });
  });

  it.each([
    [{ n: 4, f: -1 }, 'f is -1; use an integer of 0 or more'],
    [{ n: 3, f: 1 }, 'Use n = 4 or more'],
    [{ n: 4, checkpointEvery: 8, window: 7 }, 'is full before the checkpoint at 8'],
    [{ n: 4, timeoutDelta: 0 }, 'timeoutDelta is 0; use an integer of 1 or more'],
    [{ n: 4, quorum: 2 }, 'do not survive 1 that lie'],
    [{ n: 4, weights: '1,1,1' }, 'weights names 3 members of 4'],
    [{ n: 4, weights: '1,1,1,x' }, 'a weight is NaN'],
    [{ n: 4, weights: '1,1,1,0' }, 'a weight is 0'],
    [{ n: 2, weights: '99999,2' }, 'make that 100000 or less'],
    [{ n: 4, f: 1, weights: '1,1,1,2' }, 'the 1 heaviest members weigh 2 of 5'],
  ])('that cannot be is refused with what to do: %o', (options, why) => {
    expect(() => tendermint({ digest: testDigest, ...options })).toThrow(why);
  });

  it('has quorums of which two share an honest member, for every n', () => {
    const sizes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    expect(sizes.map((n) => group(n).f)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3]);
    expect(sizes.map((n) => group(n).first.quorum)).toEqual([1, 2, 2, 3, 4, 4, 5, 6, 6, 7]);
    expect(sizes.map((n) => group(n).first.weak)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3, 4]);
  });
});

describe('proposers', () => {
  it('take turns by height and by round', () => {
    const four = group(4);
    expect([0, 1, 2, 3, 4].map((round) => proposerOf(four, [four.first.set], 1, round))).toEqual([
      0, 1, 2, 3, 0,
    ]);
    expect([1, 2, 3, 4, 5].map((height) => proposerOf(four, [four.first.set], height, 0))).toEqual([
      0, 1, 2, 3, 0,
    ]);
  });

  it('have as many turns as they weigh, evenly spread', () => {
    expect(rotationOf([1, 2, 3])).toEqual([2, 1, 0, 2, 1, 2]);
    for (const weights of [
      [5, 1, 1],
      [1, 1, 1, 1],
      [3, 7, 11, 2],
    ]) {
      const turns = rotationOf(weights);
      for (const [member, weight] of weights.entries()) {
        expect(turns.filter((each) => each === member)).toHaveLength(weight);
        // Nobody waits for more than a turn longer than its share.
        const total = turns.length;
        for (let at = 0; at < total; at++) {
          const part = Array.from({ length: at + 1 }, (_, i) => turns[i]);
          const had = part.filter((each) => each === member).length;
          expect(Math.abs(had - ((at + 1) * weight) / total)).toBeLessThan(2);
        }
      }
    }
    expect(group(4, '6,6,6,12').first.rotation).toEqual(rotationOf([1, 1, 1, 2]));
  });
});

describe('weights', () => {
  it('are what counts: of 1, 1, 1, 1 and 3 liars may weigh 2, and no single one of 3', () => {
    const some = group(5, '1,1,1,1,3');
    const { weak, quorum, matching, set } = some.first;
    expect([some.f, weak, quorum, matching]).toEqual([0, 3, 5, 3]);
    const network = new Network(tendermint({ n: 5, digest: testDigest, weights: '1,1,1,1,3' }));
    const known = { validators: [set] };
    const whole = (signers: readonly number[]) =>
      isPolka(some, known, polkaOf(network, 0, one, signers));
    expect([whole([0, 4]), whole([0, 1, 4]), whole([0, 1, 2, 3])]).toEqual([false, true, false]);
  });

  it('one of two heavy members takes others along, and two light ones do not', () => {
    const weights = '1,1,1,1,3';
    const network = new Network(tendermint({ n: 5, digest: testDigest, weights }));
    network.inject(0, 2, prevote(3, null));
    network.inject(1, 2, precommit(3, null));
    expect(network.state(2).round).toBe(0);
    network.inject(4, 2, prevote(3, null));
    expect(network.state(2).round).toBe(3);
  });

  it('a group of unequal members decides, with two light ones gone', () => {
    const weights = '2,1,2,1,2';
    const network = new Network(tendermint({ n: 5, digest: testDigest, weights }));
    for (const self of [1, 3]) network.stop(self);
    for (let i = 0; i < 6; i++) {
      for (const self of [0, 2, 4])
        network.input(self, { type: 'propose', command: requestOf(0, i) });
      network.run(60_000_000, () => network.executed.size === i + 1);
    }
    expect(network.executed.size).toBe(6);
    expect(network.violation).toBeUndefined();
  });
});
