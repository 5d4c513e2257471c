/** Checkpoints: what replaces blocks has the word of f+1 members, whoever brings it. */
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { type Checkpoint, hotstuff } from './index.ts';
import { certify } from './state.ts';

const every = 4;
const lie: Checkpoint = {
  kind: 'checkpoint',
  height: 4 * every,
  view: 4 * every,
  block: 'b'.repeat(64),
  state: 'c'.repeat(64),
};

describe('a stable checkpoint from another replica', () => {
  // Replica 3 may lie; f = 1.
  it.each([
    ['nobody', []],
    ['its sender alone', [3]],
  ])('that %s signed changes nothing', (_, signers) => {
    const network = new Network(hotstuff({ n: 4, digest: testDigest, checkpointEvery: every }));
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.deliver();
    const before = JSON.stringify(Object.entries(network.state(1)));
    const checkpoint = certify(
      lie,
      signers.map((self) => network.sign(lie, self)),
    );
    network.post(3, 1, { kind: 'stable-checkpoint', checkpoint });
    network.deliver();
    expect(JSON.stringify(Object.entries(network.state(1)))).toBe(before);
    expect(network.seat(1).fetches).toEqual([]);
    // The others' order goes on.
    network.input(0, { type: 'propose', command: requestOf(0, 1) });
    network.run(5_000_000, () => network.executed.size === 2 && network.seat(1).applied > 1);
    expect(network.executed.size).toBe(2);
  });

  it('that f+1 signed is believed: its state is asked for', () => {
    const network = new Network(hotstuff({ n: 4, digest: testDigest, checkpointEvery: every }));
    const signed = [2, 3].map((self) => network.sign(lie, self));
    network.post(3, 1, { kind: 'stable-checkpoint', checkpoint: certify(lie, signed) });
    network.deliver();
    expect(network.state(1).stableCheckpoint?.body.height).toBe(lie.height);
    expect(network.seat(1).fetches).toMatchObject([{ slot: lie.height - 1, digest: lie.state }]);
  });
});
