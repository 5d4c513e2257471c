/**
 * PBFT: Castro and Liskov, "Practical Byzantine Fault Tolerance" (OSDI '99), with signatures. The
 * normal case (§4.2) is in `normal-case.ts`, checkpoints (§4.3) in `checkpoint.ts`, view changes
 * (§4.4) in `view-change.ts` and `leave-view.ts`, timers in `patience.ts`; how replicas catch up,
 * which the paper leaves open, is in `recovery.ts`.
 *
 * ```text
 *                      n = 3f+1 replicas; a quorum is 2f+1; p is the primary: p = v mod n
 *                      h is the last stable checkpoint; numbers are between h and h + window
 *
 *                      The client (§4.1)
 * 4.1-relay            upon ⟨REQUEST, m⟩ at a backup: pass m to p
 *                        a timer runs while a request waits
 *
 *                      Normal case (§4.2)
 * 4.2-pre-prepare      upon ⟨REQUEST, m⟩ at p, which is in view v: n ← the next number
 *                        log and multicast ⟨PRE-PREPARE, v, n, d, m⟩
 * 4.2-prepare          upon ⟨PRE-PREPARE, v, n, d, m⟩ of p at a backup that is in view v,
 *                      with d = D(m), and no other d accepted for v and n:
 *                        log it; multicast ⟨PREPARE, v, n, d, i⟩
 * 4.2-commit           prepared(m, v, n, i): the pre-prepare and 2f PREPAREs of backups match it:
 *                        keep them as its proof; multicast ⟨COMMIT, v, n, d, i⟩
 * 4.2-committed-local  committed-local(m, v, n, i): 2f+1 COMMITs match it:
 * 4.2-execute            execute m once all lower numbers are executed; reply to its client
 *
 *                      Checkpoints (§4.3)
 * 4.3-checkpoint       upon a state after n, n mod K = 0: multicast ⟨CHECKPOINT, n, d, i⟩
 * 4.3-stable           upon 2f+1 CHECKPOINTs with the same n and d: they are the proof;
 *                        h ← n; discard the log up to n
 * 4.3-fetch              if n was not executed here: get the state d from the others
 * 4.3-installed          upon a state whose digest is d: go on after n
 *
 *                      View changes (§4.4)
 * 4.4-timeout          upon the end of the timer of a request that waits:
 * 4.4-view-change        v ← v + 1; take part in nothing but checkpoints and view changes
 *                        C ← the stable checkpoint; P ← what is prepared above it
 *                        multicast ⟨VIEW-CHANGE, v, C, P, i⟩
 *                        wait for ⟨NEW-VIEW, v⟩ with a timer, twice as long each time
 * 4.5.2-join           upon VIEW-CHANGEs of f+1 replicas for later views:
 *                        the same with the smallest of these views
 * 4.4-new-view         upon VIEW-CHANGEs of a quorum V for v at the primary of v:
 *                        min-s ← the latest stable checkpoint in V
 *                        max-s ← the highest number prepared in V
 *                        O ← for each n in (min-s, max-s]: what is prepared in the highest view,
 *                          or the null request
 *                        multicast ⟨NEW-VIEW, v, V, O⟩; enter v
 * 4.4-enter            upon ⟨NEW-VIEW, v, V, O⟩ at a backup that finds V valid and computes
 *                      the same O: enter v; multicast PREPAREs for O
 * 4.4-batch            upon the batch of a digest in O that was not here: prepare it
 * 4.4-proofs           if proofs of what O orders are not here: ask the primary of v for them
 *
 *                      Tentative execution (TOCS 2002, §5.1.2), if the group is told so
 * 5.1.2-tentative      once n is prepared in v and all lower numbers are executed: reply with what
 *                        m gives, tentatively; a client believes 2f+1 of the same n and v
 *
 *                      Reads (TOCS 2002, §5.1.3), if the group is told so: a client asks all, and
 *                      believes 2f+1 equal answers; if it does not get them, it sends a REQUEST
 * 5.1.3-read           upon a read: answer it once all that is prepared here has been executed
 * ```
 *
 * Beyond this page: `restart`, `status`, `idle` and `status-committed` (`recovery.ts`): what was
 * lost is said again. `change` and `next-epoch` (`membership.ts`), `show-epochs` (`recovery.ts`):
 * the group changes, and each epoch begins as this page does. With MACs instead of signatures views
 * change in another way, which is on the page of `mac-view-change.ts`: `3.2.4-ack`,
 * `3.2.4-new-view`, `3.2.4-fetch`, `3.2.4-vouched`, `3.2.4-checkpoint`, `3.2.4-enter`, and
 * `status-executed` (`mac-recovery.ts`).
 *
 * The states of a replica, whose role in a view follows from the number of the view:
 *
 * | from | to | when |
 * |---|---|---|
 * | | backup | it starts |
 * | | primary | it starts, and its number is that of the view |
 * | | view change | it starts, and it had left its view |
 * | | learner | it starts, and has no vote |
 * | backup | view change | a request waits too long, a primary that lies, or others have left |
 * | primary | view change | f+1 others have left the view |
 * | view change | backup | a valid NEW-VIEW, or the epoch is over |
 * | view change | primary | VIEW-CHANGEs of a quorum, or the epoch is over |
 * | primary | backup | a valid NEW-VIEW of a later view, of whose VIEW-CHANGEs none came (rare) |
 * | backup | primary | the next epoch begins, and its number is that of view 0 |
 * | backup | learner | the next epoch begins without it |
 * | primary | learner | the same |
 * | learner | backup | the next epoch begins with it |
 * | learner | primary | the same, and its number is that of view 0 |
 */
import { type ClientPolicy, hasRoomFor, type PrincipalId, type Protocol } from '@quorumlab/core';
import { expectations, guards } from './admits.ts';
import { breaches } from './breaches.ts';
import {
  checkpoint,
  epochs,
  snapshotInstalled,
  snapshotTaken,
  stableCheckpoint,
} from './checkpoint.ts';
import { evidence } from './evidence.ts';
import { type Group, groupOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { executed } from './mac-recovery.ts';
import {
  fetchViewChange,
  macNewView,
  macViewChange,
  viewChangeAck,
  vouched,
} from './mac-view-change.ts';
import { roster } from './membership.ts';
import { commit, prePrepare, prepare, propose, relay } from './normal-case.ts';
import { noteHeard, requestTimeout } from './patience.ts';
import { fetchProofs } from './proofs.ts';
import { read } from './reads.ts';
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
import { isVoter, primaryOf } from './votes.ts';
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

/** The same of those that have MACs. */
const macLimitedBy = {
  'pre-prepare': 'maxBatch',
  relay: 'maxBatch',
  batch: 'maxBatch',
  executed: 'maxBatch',
  'mac-view-change': 'window',
  'mac-new-view': 'window',
  vouched: 'window',
};

const deniable =
  'its replicas sign nothing, and what a MAC shows to its receiver it shows to nobody else';

const clientOf = (group: Group): ClientPolicy => ({
  matching: group.weak,
  ...(group.tentative ? { tentative: tentativeOf(group) } : {}),
  ...(group.readOnly ? { reads: readsOf(group) } : {}),
  ask: 'any',
  signed: true,
});

function tentativeOf({ first, weak, rules, votersOf }: Group): number {
  return rules.tentativeQuorum(votersOf(first.epoch).quorum, weak);
}

function readsOf({ first, weak, rules, votersOf }: Group): number {
  return rules.readQuorum(votersOf(first.epoch).quorum, weak);
}

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
      handle: (replica: Replica, message: M, ctx: Context) => void,
    ) =>
    (replica: Replica, message: M, ctx: Context): void => {
      noteHeard(replica, message.from, ctx);
      handle(replica, message, ctx);
    };
  return {
    name: 'pbft',
    version: 5,
    claims: { faults: 'byzantine', replicas: (f) => 3 * f + 1, order: 'total' },
    members: group.members,
    group,
    f: group.f,
    client: clientOf(group),
    messages: group.schemas.messages,
    limitedBy: group.mac ? macLimitedBy : limitedBy,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable, self) => firstVolatile(stable, self, group.first),
    start,
    propose,
    ...(group.readOnly ? { read } : {}),
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
      'stable-checkpoint': heard((replica, message, ctx) => {
        stableCheckpoint(replica, message, ctx);
        maybeBegin(replica, ctx);
      }),
      'fetch-batch': heard(fetchBatch),
      batch: heard(batch),
      'fetch-proofs': heard(fetchProofs),
      proofs: heard(proofs),
      epochs: heard(epochs),
      'mac-view-change': heard(macViewChange),
      'view-change-ack': heard(viewChangeAck),
      'mac-new-view': heard(macNewView),
      'fetch-view-change': heard(fetchViewChange),
      vouched: heard(vouched),
      executed: heard(executed),
    },
    admits: guards(group),
    expects: expectations(group),
    passesOn: ['relay'],
    wants: hasRoomFor,
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'request':
          return requestTimeout(replica, ctx);
        case 'new-view':
          return newViewTimeout(replica, ctx);
        case 'status':
          return statusTimeout(replica, ctx);
        case 'idle':
          return idleTimeout(replica, ctx);
      }
    },
    snapshotEvery: group.checkpointEvery,
    // Section 4.3: the last stable one, and every later one that fits between the watermarks.
    snapshotsKept: Math.floor(group.window / group.checkpointEvery) + 1,
    snapshotTaken: (replica, slot, digest, ctx, configuration) =>
      snapshotTaken(replica, slot, digest, configuration, ctx),
    snapshotInstalled: (replica, slot, digest, ctx, configuration) =>
      snapshotInstalled(replica, slot, digest, configuration, ctx),
    termWord: 'view',
    status(replica) {
      const leader = primaryOf(replica, replica.view);
      const backup = isVoter(group, replica, replica.self) ? 'backup' : 'learner';
      const role = leader === replica.self ? 'primary' : backup;
      return { leader, term: replica.view, role: replica.active ? role : 'view change' };
    },
    roster: (replica) => roster(group, replica),
    evidence,
    vows,
    ...(group.mac ? { deniable } : { breaches }),
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant: (replica) => invariant(group, replica),
  };
}
