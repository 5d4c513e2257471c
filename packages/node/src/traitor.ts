/** What a node lends to a behaviour of the adversary. */
import { randomInt } from 'node:crypto';
import type { Power } from '@quorumlab/adversary';
import type { Machine } from '@quorumlab/core';
import type { LogShape, Serviced, ServicedProtocol } from '@quorumlab/log';

/** A behaviour's power over one node. Its dice are the operating system's. */
export const powerOf = <S extends LogShape>(
  group: ServicedProtocol<S>,
  make: (stable: Serviced<S>['Stable'] | undefined) => Machine<Serviced<S>>,
  fire: (what: string) => void,
): Power<Serviced<S>> => ({
  protocol: group,
  members: group.members,
  random: { below: (limit) => (limit <= 1 ? 0 : randomInt(limit)) },
  make,
  fire,
});
