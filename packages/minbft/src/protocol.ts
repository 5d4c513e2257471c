/**
 * MinBFT: Veronese, Correia, Bessani, Lung and Verissimo, "Efficient Byzantine Fault Tolerance"
 * (IEEE Transactions on Computers 62, 2013). The counter is in `counter.ts`, the normal case in
 * `normal-case.ts`, view changes in `view-change.ts`, checkpoints in `checkpoint.ts`.
 *
 * ```text
 *                  n = 2f+1 replicas; a quorum is f+1; p is the primary: p = v mod n
 *                  UI: the next number of its sender's trusted counter, bound to the message;
 *                  statements with a UI are taken in its order, without a gap, and each after
 *                  those that it names
 *
 *                  Normal case (§5.1)
 * relay            upon ⟨REQUEST, m⟩ at a backup: pass m to p; wait with a timer
 * prepare          upon ⟨REQUEST, m⟩ at p: multicast ⟨PREPARE, v, sequence, D(m), UI⟩
 * commit           upon ⟨PREPARE, v, sequence, d, UI⟩ of p in view v, and its batch:
 *                    multicast ⟨COMMIT, PREPARE, UI⟩
 * execute          upon votes of f+1 for d at a sequence in one view, once all before is executed:
 *                    execute it; reply. A PREPARE is its primary's vote
 *
 *                  Checkpoints (§5.3)
 * checkpoint       upon a state after each K: multicast ⟨CHECKPOINT, sequence, digest, UI⟩;
 *                    vote above it only after that
 * stable           upon the same of f+1: let go of all that was said before it
 * state-fetch      upon such a proof, if the state is not here: get it
 * state-installed  upon a state with its digest: go on after it
 *
 *                  View changes (§5.2)
 * req-view-change  upon the end of a request's time: multicast ⟨REQ-VIEW-CHANGE, v+1⟩
 * view-change      upon f+1 that ask for later views, or have left for them:
 *                    v ← the view that f+1 want; multicast ⟨VIEW-CHANGE, v, proof of stable, UI⟩
 * new-view         upon VIEW-CHANGEs of f+1 for v, V, at its primary:
 *                    multicast ⟨NEW-VIEW, v, V, UI⟩
 * enter            upon ⟨NEW-VIEW, v, V, UI⟩ of p: S ← at each position above the stable one what
 *                    members of V have voted for in the highest view; p prepares S first
 * ```
 *
 * Beyond this page: `restart`, `restored`, `status` and `idle` (`catch-up.ts`), `jump`
 * (`checkpoint.ts`).
 *
 * The states of a replica, whose role in a view follows from the number of the view:
 *
 * | from | to | when |
 * |---|---|---|
 * | | backup | it starts |
 * | | primary | it starts, and its number is that of the view |
 * | | view change | it starts, and it had left its view |
 * | backup | view change | f+1 want a later view |
 * | primary | view change | f+1 want a later view |
 * | view change | backup | a good NEW-VIEW |
 * | view change | primary | its own NEW-VIEW |
 * | primary | backup | f+1 want a later view, and its NEW-VIEW is here (rare) |
 * | backup | primary | its own statements come back after its disk was lost (rare) |
 */
import { hasRoomFor, type Protocol } from '@quorumlab/core';
import { expectations, guards } from './admits.ts';
import { fetchBatch, idleTimeout, said, start, status, tickTimeout } from './catch-up.ts';
import { snapshotInstalled, snapshotTaken, stableCheckpoint } from './checkpoint.ts';
import { hear } from './counter.ts';
import { evidence } from './evidence.ts';
import { groupOf, type Options, primaryOf } from './group.ts';
import { invariant } from './invariant.ts';
import { batch, propose, relay } from './normal-case.ts';
import { type Rules, rules } from './rules.ts';
import { settle } from './settle.ts';
import { firstStable, firstVolatile, heardOf, type MinBft, stored } from './state.ts';
import { reqViewChange } from './view-change.ts';
import { conflict, numberOf, vows } from './vows.ts';

/** Where the sizes of its messages come from. */
const limitedBy = { batch: 'maxBatch', relay: 'maxBatch', 'stable-checkpoint': 'window' };

/**
 * MinBFT for one group. Throws `OptionsError` if the group cannot survive `f` Byzantine members.
 * What it survives rests on the hosts' trusted counters. The second argument exists for tests of
 * what happens when a rule is wrong.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { minbft } from '@quorumlab/minbft';
 * import { digestOf } from '@quorumlab/wire';
 *
 * const group = minbft({ n: 3, digest: digestOf });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function minbft(options: Options, chosen: Partial<Rules> = {}): Protocol<MinBft> {
  const group = groupOf(options, { ...rules, ...chosen });
  return {
    name: 'minbft',
    version: 1,
    claims: { faults: 'byzantine', replicas: (f) => 2 * f + 1, order: 'total' },
    members: group.members,
    group,
    f: group.f,
    client: { matching: group.f + 1, ask: 'any', signed: true },
    messages: group.schemas.messages,
    limitedBy,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable, self) => firstVolatile(group.n, stable, self),
    start,
    propose,
    on: {
      prepare: hear,
      commit: hear,
      checkpoint: hear,
      'view-change': hear,
      'new-view': hear,
      batch,
      relay,
      'req-view-change': reqViewChange,
      status,
      said,
      'stable-checkpoint': stableCheckpoint,
      'fetch-batch': fetchBatch,
    },
    admits: guards(group),
    expects: expectations(group),
    passesOn: ['relay'],
    wants: hasRoomFor,
    timeout(replica, timer, ctx) {
      if (timer === 'tick') tickTimeout(replica, ctx);
      else idleTimeout(replica, ctx);
    },
    settle,
    snapshotEvery: group.checkpointEvery,
    // The last stable one, and every later one that fits into the window above it.
    snapshotsKept: Math.floor(group.window / group.checkpointEvery) + 2,
    snapshotTaken,
    snapshotInstalled,
    termWord: 'view',
    status(replica) {
      const leader = primaryOf(group, replica.view);
      const { begun, view } = heardOf(replica, leader);
      const role = leader === replica.self ? 'primary' : 'backup';
      const isBegun = begun && view === replica.view;
      return { leader, term: replica.view, role: isBegun ? role : 'view change' };
    },
    numbered: numberOf,
    evidence,
    vows,
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant,
  };
}
