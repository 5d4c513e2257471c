/**
 * Streamlet: Chan and Shi, "Streamlet: Textbook Streamlined Blockchains" (AFT 2020). Proposals and
 * votes are in `blocks.ts`, what they come to in `notarized.ts`, epochs in `epochs.ts`: that is the
 * protocol. All else is what it takes to run for ever.
 *
 * ```text
 *               n = 3f+1 replicas; a quorum is 2f+1; the leader of an epoch is its digest mod n
 *               a block names its epoch, its parent and requests; genesis is of epoch 0
 *               a chain is notarized if each of its blocks is
 *
 *               Epochs: 1, 2, 3, …
 * epoch         epoch e+1 begins once a block of epoch e is notarized, or e is over for a quorum
 * over          if nothing is notarized in its time:  e is over here; multicast ⟨CLOCK, e, tip⟩
 * join          upon ⟨CLOCK, e⟩ of f+1:               e is over here; multicast ⟨CLOCK, e, tip⟩
 *                 tip: the end of the longest notarized chain seen, with the votes for it
 *
 *               Propose, at the leader of the epoch, once
 * propose         multicast ⟨PROPOSAL, e, parent, requests⟩, and its vote
 *                 parent: the end of the longest notarized chain that it has seen; its votes
 *                 are beside it
 *
 *               Vote, once an epoch
 * vote          upon the leader's first ⟨PROPOSAL, e, parent, requests⟩ in epoch e:
 *                 if parent ends one of the longest notarized chains seen here
 *                   multicast ⟨VOTE, block⟩
 *
 *               Finalize
 * notarize      upon ⟨VOTE, block⟩ of a quorum: block is notarized
 * finalize      upon three adjacent notarized blocks of epochs e-2, e-1 and e:
 *                 the one of epoch e-1 is final, and all before it; run their requests in order
 *
 *               Echo
 * echo          upon ⟨CLOCK, e, tip⟩ of one that has seen less: send it what it lacks
 * ```
 *
 * Beyond this page: `relay` (`mempool.ts`); `repeat` (`repeat.ts`); `ask`, `catch-up`, `restart`
 * and `idle` (`catch-up.ts`); `checkpoint`, `stable`, `state-fetch` and `state-installed`
 * (`checkpoint.ts`).
 *
 * The states of a replica, which follow from the epoch:
 *
 * | from | to | when |
 * |---|---|---|
 * | | voter | it starts |
 * | | leader | it starts, in an epoch of its own |
 * | voter | leader | its epoch begins |
 * | leader | voter | the epoch of another begins |
 */
import { hasRoomFor, type Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { proposal, vote } from './blocks.ts';
import { breaches } from './breaches.ts';
import { clock, idleTimeout, missingTimeout, notarized, start } from './catch-up.ts';
import { checkpoint, snapshotInstalled, snapshotTaken, stableCheckpoint } from './checkpoint.ts';
import { epochTimeout } from './epochs.ts';
import { evidence } from './evidence.ts';
import { groupOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { propose, relay } from './mempool.ts';
import { repeatTimeout } from './repeat.ts';
import { type Rules, rules } from './rules.ts';
import { settle } from './settle.ts';
import { firstStable, firstVolatile, type Streamlet, stored } from './state.ts';
import { conflict, vows } from './vows.ts';

/** Where the sizes of its messages come from. */
const limitedBy = { proposal: 'maxBatch', notarized: 'maxBatch', relay: 'maxBatch' };

/**
 * Streamlet as in Chan and Shi 2020, for one group. Throws `OptionsError` if the group cannot
 * survive `f` Byzantine members. The second argument exists for tests of what happens when a rule
 * is wrong.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { streamlet } from '@quorumlab/streamlet';
 * import { digestOf } from '@quorumlab/wire';
 *
 * const group = streamlet({ n: 4, digest: digestOf });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function streamlet(options: Options, chosen: Partial<Rules> = {}): Protocol<Streamlet> {
  const group = groupOf(options, { ...rules, ...chosen });
  return {
    name: 'streamlet',
    version: 1,
    claims: { faults: 'byzantine', replicas: (f) => 3 * f + 1, order: 'total' },
    members: group.members,
    group,
    f: group.f,
    client: { matching: group.f + 1, ask: 'any', signed: true },
    messages: group.schemas.messages,
    limitedBy,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: firstVolatile,
    start,
    propose,
    on: {
      proposal,
      vote,
      clock,
      notarized,
      relay,
      checkpoint,
      'stable-checkpoint': stableCheckpoint,
    },
    admits: guards(group),
    passesOn: ['relay'],
    wants: hasRoomFor,
    timeout(replica, timer, ctx) {
      if (timer === 'epoch') epochTimeout(replica, ctx);
      else if (timer === 'repeat') repeatTimeout(replica, ctx);
      else if (timer === 'missing') missingTimeout(replica, ctx);
      else idleTimeout(replica, ctx);
    },
    settle,
    snapshotEvery: group.checkpointEvery,
    // The last stable one, and every later one that fits into the window above it.
    snapshotsKept: Math.floor(group.window / group.checkpointEvery) + 2,
    snapshotTaken,
    snapshotInstalled: (replica, slot, _, ctx) => snapshotInstalled(replica, slot, ctx),
    termWord: 'epoch',
    status(replica) {
      const leader = group.leaderOf(replica.epoch);
      const role = leader === replica.self ? 'leader' : 'voter';
      return { leader, term: replica.epoch, role };
    },
    evidence,
    vows: (message) => vows(group, message),
    breaches,
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant,
  };
}
