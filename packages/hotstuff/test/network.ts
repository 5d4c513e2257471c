/** The network of the tests of this package. */
import type { Protocol } from '@quorumlab/core';
import { ByzantineNetwork, type Flight as FlightOf } from '@quorumlab/protocol-testing';
import type { HotStuff } from '../src/state.ts';

/** A message on its way. */
export type Flight = FlightOf<HotStuff>;

/** A network of HotStuff. */
export class Network extends ByzantineNetwork<HotStuff> {
  constructor(protocol: Protocol<HotStuff>) {
    super(protocol, ({ snapshot }) => snapshot.height);
  }
}
