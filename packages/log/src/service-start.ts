/** How a service begins, and its state as a whole: from a disk, and as a copy. */
import { type Protocol, type ReplicaId, replica, type Snapshot, type Steps } from '@quorumlab/core';
import { clientConfigOf, emptyClient, readsWithoutOrder, settle } from './client-state.ts';
import { storedOf } from './disk-layout.ts';
import { interference } from './interference.ts';
import { maxSnapshotBytes } from './messages.ts';
import {
  loadService,
  type Run,
  type ServiceOptions,
  type StoredService,
  storeService,
} from './replica-state.ts';
import { finished, type Restarted, restarting } from './restart.ts';
import { diskRows, memoryRows } from './rows.ts';
import { usualCaps } from './session-state.ts';
import { newInstall } from './snapshot-work.ts';
import { serviceStable } from './stored.ts';
import type { LogShape, Serviced, ServiceStable } from './types.ts';

/** About how many bytes of a snapshot a step encodes or restores: a few milliseconds. */
const stepBytes = 1 << 18;

/**
 * Reads the state of a replica back from what its disk gave, in steps of one chunk, whose bytes
 * they yield: for `restarted` of {@link ServiceOptions}. Throws `SnapshotDamagedError` if the
 * newest snapshot is not what was written.
 */
export const readingBack = <S extends LogShape>(
  stable: Serviced<S>['Stable'],
  { stateMachine, digest }: Pick<ServiceOptions<S>, 'stateMachine' | 'digest'>,
): Steps<Restarted> => restarting(split<S>(stable).mine, stateMachine, digest);

/** A service with what its disk gave back. */
export function start<S extends LogShape>(
  protocol: Protocol<S>,
  self: ReplicaId,
  options: ServiceOptions<S>,
): Run<S> {
  const { digest, stateMachine, lines } = options;
  const { mine, theirs } = split<S>(options.stable ?? serviceStable(protocol));
  const settings = settle(
    {
      orderReads: protocol.read === undefined || !readsWithoutOrder(protocol.client),
      ...options.client,
    },
    protocol.members,
    protocol.client,
  );
  const found = options.restarted ?? finished(restarting(mine, stateMachine, digest));
  const run: Run<S> = {
    protocol,
    policy: protocol.client,
    self,
    digest,
    stateMachine,
    inner: replica(protocol, self, {
      digest,
      stable: theirs,
      lines: lines ?? true,
      interferes: interference(stateMachine()),
    }),
    config: clientConfigOf(self, protocol.members, protocol.client, settings),
    stepBytes: options.stepBytes ?? stepBytes,
    maxSnapshotBytes: options.maxSnapshotBytes ?? maxSnapshotBytes,
    sessionCaps: {
      ...(options.sessionCaps ?? usualCaps),
      keepsAll: protocol.claims.order === 'conflicts',
    },
    encoded: new WeakMap(),
    rows:
      options.readChunk === undefined
        ? memoryRows(mine.serviceChunks)
        : diskRows(options.readChunk),
    application: found.application,
    state: {
      next: found.next,
      meeting: Math.max(0, found.next - 1),
      hash: found.hash,
      buffered: new Map(),
      sessions: found.sessions,
      configuration: found.configuration,
      kept: [...found.kept],
      served: new Map(),
      shelf: found.shelf,
      takings: [],
      installing: undefined,
      ready: undefined,
      fetched: new Set(),
      working: false,
      sinceSnapshot: 0,
      tooLarge: false,
      transfer: undefined,
      unplaced: [],
      reads: new Map(),
      readBytes: 0,
      nextRead: 0,
      client: emptyClient(settings),
    },
  };
  return run;
}

/** Stable state in its two halves: the service's and the protocol's. */
function split<S extends LogShape>(
  stable: Serviced<S>['Stable'],
): { readonly mine: ServiceStable; readonly theirs: S['Stable'] } {
  const { serviceSnapshot, serviceOlder, serviceChunks, ...rest } = stable;
  // Without the service's fields, stable state is the protocol's.
  const theirs = rest as unknown as S['Stable'];
  return { mine: { serviceSnapshot, serviceOlder, serviceChunks }, theirs };
}

/** All of its state, as a copy. */
export function snapshotOf<S extends LogShape>({
  inner,
  state,
  application,
  rows,
}: Run<S>): Snapshot<Serviced<S>> {
  const { stable, volatile } = inner.snapshot();
  return {
    stable: Object.assign(stable, storedOf(state, rows)),
    volatile: Object.assign(volatile, { service: storeService(state, application) }),
  };
}

/** Takes over all state from a copy. */
export function restoreFrom<S extends LogShape>(
  run: Run<S>,
  snapshot: Snapshot<Serviced<S>>,
): void {
  const { service: stored, ...volatile } = snapshot.volatile;
  run.inner.restore({
    stable: split<S>(snapshot.stable).theirs,
    // Without `service`, volatile state is the protocol's.
    volatile: volatile as unknown as S['Volatile'],
  });
  // Only `snapshotOf` makes this part.
  const mine = stored as StoredService;
  run.rows = memoryRows(split<S>(snapshot.stable).mine.serviceChunks);
  run.state = loadService(mine, (manifest) => newInstall(run, manifest));
  run.application = run.stateMachine();
  run.application.restore(mine.application);
}
