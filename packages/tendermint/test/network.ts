/** The network of the tests of this package, and groups of four that several tests begin with. */
import { ms, type Output, type Protocol } from '@quorumlab/core';
import { ByzantineNetwork, testDigest } from '@quorumlab/protocol-testing';
import { type TendermintOptions, tendermint } from '../src/index.ts';
import type { Message } from '../src/messages.ts';
import type { Tendermint } from '../src/state.ts';

/** A network of Tendermint. */
export class Network extends ByzantineNetwork<Tendermint> {
  constructor(protocol: Protocol<Tendermint>) {
    super(protocol, ({ snapshot }) => snapshot);
  }
}

/** Four replicas; in round r of height h replica (h - 1 + r) mod 4 proposes. */
export const make = (more: Partial<TendermintOptions> = {}): Network =>
  new Network(
    tendermint({ n: 4, digest: testDigest, proposeTimeout: ms(1000), checkpointEvery: 4, ...more }),
  );

/** What is said to all, without who says it. */
export const saidIn = ({ sends }: Output<Tendermint>): Message[] =>
  sends.flatMap(({ to, message }) => (to === 'all' ? [message] : []));

/** The kinds of what is said, in its order. */
export const kindsOf = ({ sends }: Output<Tendermint>): string[] =>
  sends.map(({ message }) => message.kind);
