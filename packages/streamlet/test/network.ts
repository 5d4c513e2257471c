/** The network of the tests of this package, and a group of four that several tests begin with. */
import { ms, type Protocol } from '@quorumlab/core';
import { ByzantineNetwork, testDigest } from '@quorumlab/protocol-testing';
import { type Streamlet, type StreamletOptions, streamlet } from '../src/index.ts';

/** A network of Streamlet. */
export class Network extends ByzantineNetwork<Streamlet> {
  constructor(protocol: Protocol<Streamlet>) {
    super(protocol, ({ snapshot }) => snapshot.height);
  }
}

/** Four replicas. */
export const make = (more: Partial<StreamletOptions> = {}): Network =>
  new Network(
    streamlet({ n: 4, digest: testDigest, epochTime: ms(1000), checkpointEvery: 4, ...more }),
  );
