/** What a replica with a service keeps on its disk: the protocol's fields and the service's. */
import type { Field, Protocol, Slot, StoredFields } from '@quorumlab/core';
import { bytes, digest, integer, large, list, nullable, record, word } from '@quorumlab/core';
import { chunkBytes, maxChunks } from './messages.ts';
import type { LogShape, Serviced, StoredSnapshot } from './types.ts';

const storedSnapshot: Field<StoredSnapshot> = record({
  slot: integer(),
  digest,
  size: integer(),
  state: integer(2 ** 32 - 1),
  origin: word('taken', 'installed'),
  rows: list(integer(), maxChunks),
});

const stored: StoredFields<Serviced<LogShape>> = {
  serviceSnapshot: nullable(storedSnapshot),
  serviceOlder: storedSnapshot,
  serviceChunks: large(bytes(chunkBytes)),
};

/** Stable state of a service that has never run: what a disk starts from. */
export const serviceStable = <S extends LogShape>(protocol: Protocol<S>): Serviced<S>['Stable'] =>
  Object.assign(protocol.stable(), {
    serviceSnapshot: null,
    serviceOlder: new Map<Slot, StoredSnapshot>(),
    serviceChunks: new Map<number, Uint8Array>(),
  });

/** The codec of a service's stable state, for disks. */
export const serviceStored = <S extends LogShape>(
  protocol: Protocol<S>,
): StoredFields<Serviced<S>> =>
  // Both halves have just the keys that the combined type asks for.
  ({ ...protocol.stored, ...stored }) as unknown as StoredFields<Serviced<S>>;
