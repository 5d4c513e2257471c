import { hasRoomFor, type PrincipalId, type Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { checkpoint, snapshotInstalled, snapshotTaken, stableCheckpoint } from './checkpoint.ts';
import { conflict, evidence, vows } from './evidence.ts';
import { group as configure, type Group, type PbftOptions } from './group.ts';
import { noteHeard, requestTimeout } from './patience.ts';
import { commit, prePrepare, prepare, propose, relay } from './pbft.ts';
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
import { type Rules, rules as rightRules } from './rules.ts';
import {
  type Ctx,
  firstStable,
  firstVolatile,
  lowWatermark,
  type Pbft,
  type PbftReplica,
  primaryOf,
} from './state.ts';
import { maybeBegin, newView, newViewTimeout, proofs, viewChange } from './view-change.ts';

/**
 * PBFT with signatures, as in OSDI '99, for one group. Throws `OptionsError` if the group cannot
 * survive `f` Byzantine members.
 */
export const pbft = (options: PbftOptions): Protocol<Pbft> => withRules(options, rightRules);

/** Where the sizes of its messages come from. */
const limitedBy = {
  'pre-prepare': 'maxBatch',
  relay: 'maxBatch',
  committed: 'maxBatch',
  batch: 'maxBatch',
  'view-change': 'window',
  'new-view': 'window',
};

/** PBFT by other `rules`: for the mutants. Its claims are those of the real one. */
export function withRules(options: PbftOptions, rules: Rules): Protocol<Pbft> {
  const group = configure(options, rules);
  const heard =
    <M extends { readonly from: PrincipalId }>(
      handle: (group: Group, replica: PbftReplica, message: M, ctx: Ctx) => void,
    ) =>
    (replica: PbftReplica, message: M, ctx: Ctx): void => {
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
    messages: group.messages,
    limitedBy,
    stored: group.stored,
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

/**
 * What must hold after every step. Constant time: each rule about one number is kept where it is
 * written.
 */
function invariant(group: Group, replica: PbftReplica): string | undefined {
  if (replica.viewChange !== null && replica.viewChange.view > replica.view)
    return `is in view ${replica.view} after its view-change for ${replica.viewChange.view}`;
  if (!group.rules.keepsWatermarks) return undefined;
  const { prePrepares, prepared, progress, committed } = replica;
  const most = Math.max(
    prePrepares.size,
    prepared.size,
    progress.size,
    Math.ceil(committed.size / 2),
  );
  if (most > group.window) return `logs ${most} numbers, more than the window of ${group.window}`;
  if (replica.next > lowWatermark(replica) + group.window + 1)
    return `would order ${replica.next}, which is above the high watermark`;
  return undefined;
}
