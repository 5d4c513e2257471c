/** The network of the tests of this package, and a group of three that several tests begin with. */
import { ms, type Protocol } from '@quorumlab/core';
import { ByzantineNetwork, testDigest } from '@quorumlab/protocol-testing';
import { type MinBft, type MinBftOptions, minbft } from '../src/index.ts';

/** A network of MinBFT. */
export class Network extends ByzantineNetwork<MinBft> {
  constructor(protocol: Protocol<MinBft>) {
    super(protocol, ({ snapshot }) => snapshot);
  }
}

/** Three replicas. */
export const make = (more: Partial<MinBftOptions> = {}): Network =>
  new Network(
    minbft({ n: 3, digest: testDigest, requestTimeout: ms(1000), checkpointEvery: 4, ...more }),
  );
