/** A replica comes back with what is on its disk. */
import type { DigestOf } from '@quorumlab/core';
import { SchemaError } from '@quorumlab/core';
import { damaged, fromDisk, type OnDisk } from './disk-layout.ts';
import { loadSessions, noSessions, type Sessions } from './sessions.ts';
import { decodeColophon, manifestOf, restorerOf, sessionsOf } from './snapshots.ts';
import type { ServiceStable, StateMachine, StoredSnapshot } from './types.ts';

/** What a replica starts from, beside its application. */
export interface Restarted extends OnDisk {
  readonly next: number;
  readonly hash: number;
  readonly sessions: Sessions;
  readonly configuration: Uint8Array;
}

/**
 * Fills `application`, which is empty, with the newest snapshot, chunk by chunk. Throws
 * `SnapshotDamagedError` if that is not what was written.
 */
export function restart(
  stable: ServiceStable,
  application: StateMachine,
  digest: DigestOf,
): Restarted {
  const { serviceSnapshot: newest } = stable;
  if (newest === null)
    return {
      ...fromDisk(stable, digest),
      next: 0,
      hash: 0,
      sessions: noSessions(),
      configuration: new Uint8Array(),
    };
  try {
    return restore(stable, newest, application, digest);
  } catch (error) {
    // Chunks are taken over before the digest of all is known: damage shows in what they say.
    if (error instanceof SchemaError) throw damaged(newest);
    throw error;
  }
}

function restore(
  stable: ServiceStable,
  newest: StoredSnapshot,
  application: StateMachine,
  digest: DigestOf,
): Restarted {
  const { slot, size, rows } = newest;
  const lastChunk = stable.serviceChunks.get(rows.at(-1) ?? -1);
  if (lastChunk === undefined) throw damaged(newest);
  // Only the number of chunks is looked at here; their digests are seen while they are read.
  const names = rows.map(() => '');
  const last = decodeColophon(manifestOf(slot, size, names), lastChunk);
  const pieces = rows.length - 1 - last.sessions;
  const restorer = restorerOf(application);
  const sessions: Uint8Array[] = [];
  const onDisk = fromDisk(stable, digest, (index, data) => {
    if (index < pieces) restorer.add(data);
    else if (index < rows.length - 1) sessions.push(data);
  });
  restorer.finish();
  return {
    ...onDisk,
    next: slot + 1,
    hash: last.state,
    sessions: loadSessions(sessionsOf(sessions)),
    configuration: last.configuration,
  };
}
