/** The network of the tests of this package. */
import type { Protocol } from '@quorumlab/core';
import {
  ByzantineNetwork,
  type Flight as FlightOf,
  type Treason as TreasonOf,
} from '@quorumlab/protocol-testing';
import type { Pbft } from '../src/state.ts';

/** A message on its way. */
export type Flight = FlightOf<Pbft>;

/** What a traitor does to one of its outgoing messages. */
export type Treason = TreasonOf<Pbft>;

/** A network of PBFT. */
export class Network extends ByzantineNetwork<Pbft> {
  constructor(protocol: Protocol<Pbft>) {
    super(protocol, ({ snapshot }) => snapshot);
  }
}
