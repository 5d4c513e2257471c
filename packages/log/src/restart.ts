/**
 * A replica comes back with what is on its disk. A state of 1 GiB takes seconds to read and hash,
 * so it is read in steps: a host has others in its process, who are not to wait for it.
 */
import type { DigestOf, Steps } from '@quorumlab/core';
import { SchemaError } from '@quorumlab/core';
import { damaged, fromDisk, type OnDisk } from './disk-layout.ts';
import { noSessions, type Sessions } from './session-state.ts';
import { decodeColophon, manifestOf, restorerOf, sessionsOf } from './snapshots.ts';
import { loadSessions } from './stored-sessions.ts';
import type { ServiceStable, StateMachine, StoredSnapshot } from './types.ts';

/** What a replica starts from. */
export interface Restarted extends OnDisk {
  /** With the newest snapshot in it. */
  readonly application: StateMachine;
  readonly next: number;
  readonly hash: number;
  readonly sessions: Sessions;
  readonly configuration: Uint8Array;
}

/**
 * Fills an empty application with the newest snapshot of `stable`. Each step takes one chunk and
 * yields its bytes. Throws `SnapshotDamagedError` if that is not what was written.
 */
export function* restarting(
  stable: ServiceStable,
  stateMachine: () => StateMachine,
  digest: DigestOf,
): Steps<Restarted> {
  const { serviceSnapshot: newest } = stable;
  const application = stateMachine();
  if (newest === null)
    return {
      ...(yield* fromDisk(stable, digest)),
      application,
      next: 0,
      hash: 0,
      sessions: noSessions(),
      configuration: new Uint8Array(),
    };
  try {
    return yield* restore(stable, newest, application, digest);
  } catch (error) {
    // Chunks are taken over before the digest of all is known: damage shows in what they say.
    if (error instanceof SchemaError) throw damaged(newest);
    throw error;
  }
}

function* restore(
  stable: ServiceStable,
  newest: StoredSnapshot,
  application: StateMachine,
  digest: DigestOf,
): Steps<Restarted> {
  const { slot, size, rows } = newest;
  const lastChunk = stable.serviceChunks.get(rows.at(-1) ?? -1);
  if (lastChunk === undefined) throw damaged(newest);
  // Only the number of chunks is looked at here; their digests are seen while they are read.
  const names = rows.map(() => '');
  const last = decodeColophon(manifestOf(slot, size, names), lastChunk);
  const pieces = rows.length - 1 - last.sessions;
  const restorer = restorerOf(application);
  const sessions: Uint8Array[] = [];
  const onDisk = yield* fromDisk(stable, digest, (index, data) => {
    if (index < pieces) restorer.add(data);
    else if (index < rows.length - 1) sessions.push(data);
  });
  restorer.finish();
  return {
    ...onDisk,
    application,
    next: slot + 1,
    hash: last.state,
    sessions: loadSessions(sessionsOf(sessions)),
    configuration: last.configuration,
  };
}

/** All steps at once. */
export function finished<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
