import { hasRoomFor, type PrincipalId, type Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { checkpoint, snapshotInstalled, snapshotTaken, stableCheckpoint } from './checkpoint.ts';
import { evidence } from './evidence.ts';
import { type Group, groupOf, isMember, leaderOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { propose, relay } from './mempool.ts';
import { newView, pacemakerTimeout, timeout } from './pacemaker.ts';
import { onVote, proposal, proposeTimeout } from './pipeline.ts';
import { blocks, fetchBlocks, idleTimeout, start, status, statusTimeout } from './recovery.ts';
import type { Rules } from './rules.ts';
import { settle } from './settle.ts';
import {
  type Context,
  firstStable,
  firstVolatile,
  type HotStuff,
  hasLeft,
  type Replica,
  stored,
} from './state.ts';
import { conflict, vows } from './vows.ts';

/**
 * A member of the HotStuff family for one group. Throws `OptionsError` if the group cannot survive
 * `f` Byzantine members, or could never commit. The second argument exists for tests of what
 * happens when a rule is wrong.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { hotstuff } from '@quorumlab/hotstuff';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { digestOf } from '@quorumlab/wire';
 *
 * const group = hotstuff({ n: 4, rules: 'jolteon', digest: digestOf });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function hotstuff(options: Options, chosen: Partial<Rules> = {}): Protocol<HotStuff> {
  const group = groupOf(options, chosen);
  /** A handler that says what it does, and then whatever follows from what was learned. */
  const then =
    <M extends { readonly from: PrincipalId }>(
      handler: (group: Group, replica: Replica, message: M, ctx: Context) => void,
    ) =>
    (replica: Replica, message: M, ctx: Context): void => {
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
    messages: group.schemas.messages,
    limitedBy: { proposal: 'maxBatch', relay: 'maxBatch', blocks: 'maxBatch' },
    stored: stored(group.schemas),
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
