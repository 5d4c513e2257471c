/**
 * The HotStuff family: Yin et al., "HotStuff" (PODC '19), §4 and §5, with the pacemaker of
 * Gelashvili et al., "Jolteon" (FC '22), figure 2. The pipeline is in `pipeline.ts`, certificates
 * in `certificates.ts`, commits in `commit.ts`, the pacemaker in `pacemaker.ts`; what the members
 * of the family differ in is in `rules/`: basic and chained HotStuff, Jolteon and HotStuff-2.
 *
 * ```text
 *               n = 3f+1 replicas; a quorum is 2f+1; a leader has some views in a row, its reign
 *               qcHigh is the certificate of the highest view that is known here
 *
 *               The pipeline (§5)
 * propose       at the leader of a new view v, once it holds the QC or the TC of v - 1:
 *                 b ← a block of v, with qcHigh's block as its parent, and requests that wait
 *                 multicast ⟨PROPOSAL, b, qcHigh, the TC if that is why v began⟩
 * vote          upon ⟨PROPOSAL, b, qc, tc⟩ of the leader of this view, b.parent = qc.block,
 *               if not voted in v, v not given up, and mayVote:
 *                 send ⟨VOTE, v, b⟩ to the leader of v + 1
 * qc            upon VOTEs of a quorum for b: they are the QC of b
 *               upon a QC, in whichever message:
 * qc-high         if its view is the highest: qcHigh ← it
 * lock            lock on what the rules name, if that is of a higher view
 * advance-qc      if its view is v or later: v ← its view + 1
 * commit          if the rules commit b: execute b and its ancestors, oldest first
 *
 *               The phases of basic HotStuff (§4): votes are of a phase, and go to the leader of v
 * phase-pre-commit  upon PREPARE votes of a quorum: multicast ⟨PRE-COMMIT, prepareQC⟩
 * vote-pre-commit   upon the prepareQC of this view: send a PRE-COMMIT vote
 * phase-commit      upon PRE-COMMIT votes of a quorum: multicast ⟨COMMIT, precommitQC⟩
 * vote-commit       upon the precommitQC of this view: lock on it, send a COMMIT vote
 * phase-decide      upon COMMIT votes of a quorum: multicast ⟨DECIDE, commitQC⟩, which ends v
 *
 *               The rules        may vote for b, if         lock on          commit
 *               chained          b extends the lock, or     the parent of    the first of three
 *                                qc.view > lock.view        the certified    in consecutive views
 *               basic            as chained         precommitQC      what a commitQC is of
 *               HotStuff-2       qc.view ≥ lock.view        the certified    the first of two
 *               Jolteon          qc.view = v - 1, or        nothing          the first of two
 *                                tc, and qc.view ≥ all
 *                                views in tc
 *
 *               The pacemaker (Jolteon, figure 2)
 * timeout       upon a request that waits too long: no vote any more up to the end of the reign, e
 *                 multicast ⟨TIMEOUT, e, qcHigh.view⟩, and qcHigh beside it
 * timeout-join  upon TIMEOUTs of f+1 members for later views: the same, for the highest view that
 *               f+1 of them have given up
 * tc            upon TIMEOUTs of a quorum for e whose QCs are all known here: they are the TC of e
 * advance-tc    upon a TC of e ≥ v: v ← e + 1; send ⟨NEW-VIEW, qcHigh, TC⟩ to the leader of v
 *                 in HotStuff-2 that leader waits for Δ before it proposes
 * ```
 *
 * Beyond this page: `next-set` and `show-sets` (`epochs.ts`: changes of who votes); `sync-fetch`,
 * `sync-park` and `sync-block` (blocks that are missing);
 * `checkpoint`, `stable`, `state-fetch` and `state-installed` (`checkpoint.ts`); `restart`,
 * `status` and `idle` (`recovery.ts`).
 *
 * The states of a replica, whose role in a view follows from the number of the view:
 *
 * | from | to | when |
 * |---|---|---|
 * | | replica | it starts |
 * | | leader | it starts, and the view is its own |
 * | | view change | it starts, and it had given its view up |
 * | replica | leader | a QC or a TC begins a view of its own |
 * | leader | replica | a QC or a TC begins a view of another one |
 * | replica | view change | a request waits too long, or f+1 have given up |
 * | leader | view change | the same |
 * | view change | leader | a QC or a TC begins a later view, of its own |
 * | view change | replica | a QC or a TC begins a later view |
 */
import { hasRoomFor, type PrincipalId, type Protocol } from '@quorumlab/core';
import { expectations, guards } from './admits.ts';
import { breachesOf, contents } from './breaches.ts';
import { checkpoint, snapshotInstalled, snapshotTaken, stableCheckpoint } from './checkpoint.ts';
import { epochChange } from './epochs.ts';
import { evidence } from './evidence.ts';
import { groupOf, isMember, leaderOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { roster } from './membership.ts';
import { propose, relay } from './mempool.ts';
import { newView, pacemakerTimeout, timeout } from './pacemaker.ts';
import { onShown } from './phases.ts';
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
  /** A handler, which notes whom this replica hears. */
  const told =
    <M extends { readonly from: PrincipalId }>(
      handler: (replica: Replica, message: M, ctx: Context) => void,
    ) =>
    (replica: Replica, message: M, ctx: Context): void => {
      if (isMember(group, message.from)) replica.heard.add(message.from);
      handler(replica, message, ctx);
    };
  return {
    name: 'hotstuff',
    version: 4,
    claims: { faults: 'byzantine', replicas: (f) => 3 * f + 1, order: 'total' },
    members: group.members,
    group,
    f: group.f,
    client: { matching: group.weak, ask: 'any', signed: true },
    messages: group.schemas.messages,
    limitedBy: {
      proposal: 'maxBatch',
      relay: 'maxBatch',
      blocks: 'maxBatch',
      'epoch-change': 'maxBatch',
    },
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable, self) => firstVolatile(stable, self, group),
    start,
    propose: told(propose),
    on: {
      proposal: told(proposal),
      vote: told(onVote),
      timeout: told(timeout),
      'new-view': told(newView),
      relay: told(relay),
      'fetch-blocks': told(fetchBlocks),
      blocks: told(blocks),
      status: told(status),
      checkpoint: told(checkpoint),
      'stable-checkpoint': told(stableCheckpoint),
      'epoch-change': told(epochChange),
      'pre-commit': told(onShown),
      commit: told(onShown),
      decide: told(onShown),
    },
    admits: guards(group),
    expects: expectations,
    passesOn: ['relay'],
    wants: hasRoomFor,
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'pacemaker':
          return pacemakerTimeout(replica, ctx);
        case 'propose':
          return proposeTimeout(replica);
        case 'status':
          return statusTimeout(replica, ctx);
        case 'idle':
          return idleTimeout(replica, ctx);
      }
    },
    settle,
    snapshotEvery: group.checkpointEvery,
    // The stable one, and every later one: committed blocks reach two windows above it.
    snapshotsKept: Math.floor((2 * group.window) / group.checkpointEvery) + 1,
    snapshotTaken,
    snapshotInstalled: (replica, slot, _, ctx) => snapshotInstalled(replica, slot, ctx),
    termWord: 'view',
    status(replica) {
      const leader = leaderOf(group, replica, replica.view);
      const role = leader === replica.self ? 'leader' : 'replica';
      return {
        leader,
        term: replica.view,
        role: hasLeft(replica, replica.view) ? 'view change' : role,
      };
    },
    roster: (replica) => roster(group, replica),
    evidence,
    vows: (message) => vows(group, message),
    breaches: breachesOf(group),
    contents: (message) => contents(group, message),
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant,
  };
}
