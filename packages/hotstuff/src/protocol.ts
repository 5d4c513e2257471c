import { hasRoomFor, type PrincipalId, type Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { checkpoint, snapshotInstalled, snapshotTaken, stableCheckpoint } from './checkpoint.ts';
import { commit } from './commit.ts';
import { conflict, evidence, vows } from './evidence.ts';
import { group as configure, type Group, type HotStuffOptions } from './group.ts';
import { maybePropose, onVote, proposal, proposeTimeout, retryParked } from './hotstuff.ts';
import { handOver, propose, relay } from './mempool.ts';
import {
  armPacemaker,
  maybeTimeoutCertificate,
  newView,
  pacemakerTimeout,
  timeout,
} from './pacemaker.ts';
import { blocks, fetchBlocks, idleTimeout, start, status, statusTimeout } from './recovery.ts';
import type { Rules } from './rules.ts';
import {
  type Ctx,
  firstStable,
  firstVolatile,
  type HotStuff,
  type HotStuffReplica,
  hasLeft,
  highViewOf,
  isMember,
  leaderOf,
  noteExcuses,
} from './state.ts';

/**
 * A member of the HotStuff family for one group. Throws `OptionsError` if the group cannot survive
 * `f` Byzantine members, or could never commit.
 */
export const hotstuff = (options: HotStuffOptions): Protocol<HotStuff> => withRules(options, {});

/** HotStuff with some rules changed: for the mutants. Its claims are those of the real one. */
export function withRules(options: HotStuffOptions, changed: Partial<Rules>): Protocol<HotStuff> {
  const group = configure(options, changed);
  /** A handler that says what it does, and then whatever follows from what was learned. */
  const then =
    <M extends { readonly from: PrincipalId }>(
      handler: (group: Group, replica: HotStuffReplica, message: M, ctx: Ctx) => void,
    ) =>
    (replica: HotStuffReplica, message: M, ctx: Ctx): void => {
      if (isMember(group, message.from)) replica.heard.add(message.from);
      handler(group, replica, message, ctx);
      settle(group, replica, ctx);
    };
  return {
    name: 'hotstuff',
    version: 3,
    claims: { faults: 'byzantine', replicas: (f) => 3 * f + 1, order: 'total' },
    members: group.members,
    f: group.f,
    client: { matching: group.weak, ask: 'any', signed: true },
    messages: group.messages,
    limitedBy: { proposal: 'maxBatch', relay: 'maxBatch', blocks: 'maxBatch' },
    stored: group.stored,
    stable: firstStable,
    volatile: firstVolatile,
    start(replica, ctx) {
      start(group, replica, ctx);
      settle(group, replica, ctx);
    },
    propose: then(propose),
    on: {
      proposal: then(proposal),
      vote: then(onVote),
      timeout: then(timeout),
      'new-view': then(newView),
      relay: then(relay),
      'fetch-blocks': then(fetchBlocks),
      blocks: then(blocks),
      status: then(status),
      checkpoint: then(checkpoint),
      'stable-checkpoint': then(stableCheckpoint),
    },
    admits: guards(group),
    passesOn: ['relay'],
    wants: hasRoomFor,
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'pacemaker':
          pacemakerTimeout(group, replica, ctx);
          break;
        case 'propose':
          proposeTimeout(replica);
          break;
        case 'status':
          statusTimeout(group, replica, ctx);
          break;
        case 'idle':
          idleTimeout(group, replica, ctx);
          break;
      }
      settle(group, replica, ctx);
    },
    snapshotEvery: group.checkpointEvery,
    // The stable one, and every later one: committed blocks reach two windows above it.
    snapshotsKept: Math.floor((2 * group.window) / group.checkpointEvery) + 1,
    snapshotTaken(replica, slot, digest, ctx) {
      snapshotTaken(group, replica, slot, digest, ctx);
      settle(group, replica, ctx);
    },
    snapshotInstalled(replica, slot, _, ctx) {
      snapshotInstalled(group, replica, slot, ctx);
      settle(group, replica, ctx);
    },
    termWord: 'view',
    status(replica) {
      const leader = leaderOf(group, replica.view);
      const role = leader === replica.self ? 'leader' : 'replica';
      return {
        leader,
        term: replica.view,
        role: hasLeft(replica, replica.view) ? 'view change' : role,
      };
    },
    evidence,
    vows: (message) => vows(group, message),
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant,
  };
}

/** What follows from what a handler has learned. */
function settle(group: Group, replica: HotStuffReplica, ctx: Ctx): void {
  // Each round learns something: a certificate, or a block whose parent was missing.
  while (replica.news) {
    replica.news = false;
    maybeTimeoutCertificate(group, replica, ctx);
    const complete = commit(group, replica, ctx);
    retryParked(group, replica, complete, ctx);
  }
  noteExcuses(group, replica, ctx);
  maybePropose(group, replica, ctx);
  handOver(group, replica, ctx);
  armPacemaker(group, replica, ctx);
}

/**
 * What must hold after every step. Constant time: each rule about one block is kept where it is
 * written.
 */
function invariant(replica: HotStuffReplica): string | undefined {
  const { view, lastVoted, locked, committed, snapshot } = replica;
  if (lastVoted > view) return `voted in view ${lastVoted} and is in view ${view}`;
  if (highViewOf(replica) >= view) return `is in view ${view}, which a certificate has ended`;
  if (locked.view > highViewOf(replica)) return `is locked on view ${locked.view} without proof`;
  if (snapshot.height > committed.height) return `has a snapshot at ${snapshot.height} too early`;
  return undefined;
}
