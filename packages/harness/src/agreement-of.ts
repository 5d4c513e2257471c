import {
  agreement,
  type Describe,
  type Interferes,
  type Observer,
  relativeOrder,
} from '@quorumlab/checker';
import type { Claims } from '@quorumlab/core';
import { interference, keyValueStore } from '@quorumlab/log';

/** Which requests to the store of the simulator and of clusters interfere. */
const ofTheStore: Interferes = interference(keyValueStore());

/**
 * What replicas of a protocol with these claims have to agree on: all positions, or the order of
 * what interferes. That is asked of the key-value store unless told.
 */
export const agreementOf = (
  { order }: Pick<Claims, 'order'>,
  describe?: Describe,
  interferes: Interferes = ofTheStore,
): Observer => (order === 'conflicts' ? relativeOrder(interferes, describe) : agreement(describe));
