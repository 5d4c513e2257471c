import { hasRoomFor, type PrincipalId, type Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { checkpoint, snapshotInstalled, snapshotTaken, stableCheckpoint } from './checkpoint.ts';
import { evidence } from './evidence.ts';
import { type Group, groupOf, type Options, primaryOf } from './group.ts';
import { invariant } from './invariant.ts';
import { commit, prePrepare, prepare, propose, relay } from './normal-case.ts';
import { noteHeard, requestTimeout } from './patience.ts';
import { fetchProofs } from './proofs.ts';
import {
  batch,
  committed,
  fetchBatch,
  idleTimeout,
  start,
  status,
  statusTimeout,
} from './recovery.ts';
import { type Rules, rules } from './rules.ts';
import {
  type Context,
  firstStable,
  firstVolatile,
  type Pbft,
  type Replica,
  stored,
} from './state.ts';
import { maybeBegin, newView, newViewTimeout, proofs, viewChange } from './view-change.ts';
import { conflict, vows } from './vows.ts';

/** Where the sizes of its messages come from. */
const limitedBy = {
  'pre-prepare': 'maxBatch',
  relay: 'maxBatch',
  committed: 'maxBatch',
  batch: 'maxBatch',
  'view-change': 'window',
  'new-view': 'window',
};

/**
 * PBFT with signatures, as in OSDI '99, for one group. Throws `OptionsError` if the group cannot
 * survive `f` Byzantine members. The second argument exists for tests of what happens when a rule
 * is wrong.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { pbft } from '@quorumlab/pbft';
 *
 * const group = pbft({ n: 4 });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function pbft(options: Options, chosen: Partial<Rules> = {}): Protocol<Pbft> {
  const group = groupOf(options, { ...rules, ...chosen });
  const heard =
    <M extends { readonly from: PrincipalId }>(
      handle: (group: Group, replica: Replica, message: M, ctx: Context) => void,
    ) =>
    (replica: Replica, message: M, ctx: Context): void => {
      noteHeard(group, replica, message.from, ctx);
      handle(group, replica, message, ctx);
    };
  return {
    name: 'pbft',
    version: 4,
    claims: { faults: 'byzantine', replicas: (f) => 3 * f + 1, order: 'total' },
    members: group.members,
    f: group.f,
    client: { matching: group.weak, ask: 'any', signed: true },
    messages: group.schemas.messages,
    limitedBy,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: firstVolatile,
    start: (replica, ctx) => start(group, replica, ctx),
    propose: (replica, command, ctx) => propose(group, replica, command, ctx),
    on: {
      relay: heard(relay),
      'pre-prepare': heard(prePrepare),
      prepare: heard(prepare),
      commit: heard(commit),
      checkpoint: heard(checkpoint),
      'view-change': heard(viewChange),
      'new-view': heard(newView),
      status: heard(status),
      committed: heard(committed),
      'stable-checkpoint': heard((_, replica, message, ctx) => {
        stableCheckpoint(group, replica, message, ctx);
        maybeBegin(group, replica, ctx);
      }),
      'fetch-batch': heard(fetchBatch),
      batch: heard(batch),
      'fetch-proofs': heard(fetchProofs),
      proofs: heard(proofs),
    },
    admits: guards(group),
    passesOn: ['relay'],
    wants: hasRoomFor,
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'request':
          return requestTimeout(group, replica, ctx);
        case 'new-view':
          return newViewTimeout(group, replica, ctx);
        case 'status':
          return statusTimeout(group, replica, ctx);
        case 'idle':
          return idleTimeout(group, replica, ctx);
      }
    },
    snapshotEvery: group.checkpointEvery,
    // Section 4.3: the last stable one, and every later one that fits between the watermarks.
    snapshotsKept: Math.floor(group.window / group.checkpointEvery) + 1,
    snapshotTaken: (replica, slot, digest, ctx) => snapshotTaken(group, replica, slot, digest, ctx),
    snapshotInstalled: (replica, slot, _, ctx) => snapshotInstalled(group, replica, slot, ctx),
    termWord: 'view',
    status(replica) {
      const leader = primaryOf(group, replica.view);
      const role = leader === replica.self ? 'primary' : 'backup';
      return { leader, term: replica.view, role: replica.active ? role : 'view change' };
    },
    evidence,
    vows,
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant: (replica) => invariant(group, replica),
  };
}
