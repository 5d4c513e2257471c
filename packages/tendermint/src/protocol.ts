/**
 * Tendermint: Buchman, Kwon and Milosevic, "The latest gossip on BFT consensus" (arXiv 1807.04938),
 * Algorithm 1. Proposals are in `proposals.ts`, prevotes in `polkas.ts`, precommits in
 * `decisions.ts`, rounds in `rounds.ts`, timeouts in `timeouts.ts`; how what was lost is said again
 * is in `recovery.ts`. Each "upon" rule is a function that `settle.ts` tries.
 *
 * ```text
 *                       n = 3f+1 replicas; a quorum is 2f+1; proposer(h, round) takes turns
 *                       h is the height, a slot of the log; at each h: round 0, 1, …, until decided
 *                       locked: what this replica has precommitted last; valid: what had a polka
 *                         last; of none of them a round is -1
 *
 * 11-start-round        StartRound(round): step ← propose
 *
 *                       Propose
 * 14-propose            at proposer(h, round), once there is something to propose:
 *                         v ← the valid value, or else requests that wait
 *                         multicast ⟨PROPOSAL, h, round, v, validRound⟩, and the polka beside it
 * 20-timeout-propose    at the others: start timeoutPropose(round)
 *
 *                       Prevote
 * 22-prevote            upon ⟨PROPOSAL, h, round, v, -1⟩ in step propose: step ← prevote
 *                         multicast ⟨PREVOTE, h, round, id(v)⟩ if valid(v), not locked or on v
 * 26-nil                  or else ⟨PREVOTE, h, round, nil⟩
 * 28-prevote            upon ⟨PROPOSAL, h, round, v, vr⟩, and a quorum's PREVOTEs for v in vr,
 *                       0 ≤ vr < round, in step propose: step ← prevote
 *                         multicast ⟨PREVOTE, h, round, id(v)⟩ if valid(v), lockedRound ≤ vr or
 *                         locked on v
 * 32-nil                  or else ⟨PREVOTE, h, round, nil⟩
 *
 *                       Precommit
 * 34-timeout-prevote    upon PREVOTEs of a quorum in this round, in step prevote:
 *                         start timeoutPrevote(round)
 * 36-lock               upon a polka: a quorum's ⟨PREVOTE, h, round, id(v)⟩, and v is here,
 *                       in step prevote: step ← precommit; lock v in round
 *                         multicast ⟨PRECOMMIT, h, round, id(v)⟩
 * 42-valid                in that step and after it: v is the valid value, of round
 * 44-nil                upon a quorum's ⟨PREVOTE, h, round, nil⟩ in step prevote: step ← precommit
 *                         multicast ⟨PRECOMMIT, h, round, nil⟩; the lock stays
 *
 *                       Decide
 * 47-timeout-precommit  upon PRECOMMITs of a quorum in this round: start timeoutPrecommit(round)
 * gossip-polka            and pass the polka of the valid value on
 * 49-decide             upon a quorum's ⟨PRECOMMIT, h, r, id(v)⟩ of any one round r, and v is here:
 *                         decide v; h ← h + 1; nothing locked, nothing valid; StartRound(0)
 * 55-skip               upon members of f+1 in later rounds: StartRound(the one all have reached)
 *
 *                       Timeouts, each of which is longer by a constant in every round of a height
 * 57-on-timeout-propose    in step propose: step ← prevote; multicast ⟨PREVOTE, h, round, nil⟩
 * 61-on-timeout-prevote    in step prevote: step ← precommit; multicast ⟨PRECOMMIT, h, round, nil⟩
 * 65-on-timeout-precommit  StartRound(round + 1)
 * ```
 *
 * Beyond this page: `relay` (`mempool.ts`); `fetch-batch`, `batch` and `sync-decision` (what is
 * missing);
 * `checkpoint`, `stable`, `state-fetch` and `state-installed` (`checkpoint.ts`); `next-set`
 * (`membership.ts`); `show-sets`, `restart`, `status` and `idle` (`recovery.ts`).
 *
 * The states of a replica; who proposes follows from height and round:
 *
 * | from | to | when |
 * |---|---|---|
 * | | propose | it starts |
 * | | prevote | it starts, and had prevoted in its round |
 * | | precommit | it starts, and had precommitted in its round |
 * | propose | prevote | a proposal, or timeoutPropose |
 * | propose | precommit | a proposal, of whose round a quorum has prevoted already |
 * | prevote | precommit | a polka, nil prevotes of a quorum, or timeoutPrevote |
 * | prevote | propose | a decision, or f+1 in later rounds |
 * | precommit | propose | a decision, timeoutPrecommit, or f+1 in later rounds |
 * | precommit | prevote | one of these, and the next proposal was here before |
 */
import { hasRoomFor, type Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { breachesOf, hides } from './breaches.ts';
import { checkpoint, snapshotInstalled, snapshotTaken, stableCheckpoint } from './checkpoint.ts';
import { precommit } from './decisions.ts';
import { evidence } from './evidence.ts';
import { groupOf, type Options, proposerOf } from './group.ts';
import { invariant } from './invariant.ts';
import { roster } from './membership.ts';
import { propose, relay } from './mempool.ts';
import { polka, prevote } from './polkas.ts';
import { proposal } from './proposals.ts';
import {
  batch,
  decision,
  fetchBatch,
  idleTimeout,
  start,
  status,
  statusTimeout,
} from './recovery.ts';
import { type Rules, rules } from './rules.ts';
import { settle } from './settle.ts';
import { firstStable, firstVolatile, stored, type Tendermint } from './state.ts';
import { onTimeout } from './timeouts.ts';
import { conflict, vows } from './vows.ts';

/** Where the sizes of its messages come from. */
const limitedBy = {
  proposal: 'maxBatch',
  decision: 'maxBatch',
  relay: 'maxBatch',
  batch: 'maxBatch',
};

/**
 * Tendermint as in arXiv 1807.04938, for one group. Throws `OptionsError` if the group cannot
 * survive `f` Byzantine members. The second argument exists for tests of what happens when a rule
 * is wrong.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { tendermint } from '@quorumlab/tendermint';
 * import { digestOf } from '@quorumlab/wire';
 *
 * const group = tendermint({ n: 4, digest: digestOf });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function tendermint(options: Options, chosen: Partial<Rules> = {}): Protocol<Tendermint> {
  const group = groupOf(options, { ...rules, ...chosen });
  return {
    name: 'tendermint',
    version: 2,
    claims: { faults: 'byzantine', replicas: (f) => 3 * f + 1, order: 'total' },
    members: group.members,
    group,
    f: group.f,
    client: { matching: group.first.matching, ask: 'any', signed: true },
    messages: group.schemas.messages,
    limitedBy,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable, self) => firstVolatile(stable, self, group.first.set),
    start,
    propose,
    on: {
      proposal,
      prevote,
      precommit,
      polka,
      decision,
      relay,
      status,
      'fetch-batch': fetchBatch,
      batch,
      checkpoint,
      'stable-checkpoint': stableCheckpoint,
    },
    admits: guards(group),
    passesOn: ['relay'],
    wants: hasRoomFor,
    timeout(replica, timer, ctx) {
      if (timer === 'status') statusTimeout(replica, ctx);
      else if (timer === 'idle') idleTimeout(replica, ctx);
      else onTimeout(replica, timer, ctx);
    },
    settle,
    snapshotEvery: group.checkpointEvery,
    // The last stable one, and every later one that fits into the window above it.
    snapshotsKept: Math.floor(group.window / group.checkpointEvery) + 1,
    snapshotTaken,
    snapshotInstalled: (replica, slot, _, ctx) => snapshotInstalled(replica, slot, ctx),
    termWord: 'height',
    status: ({ height, round, step, validators }) => ({
      leader: proposerOf(group, validators, height, round),
      term: height,
      role: step,
    }),
    roster: (replica) => roster(group, replica),
    evidence,
    vows: (message) => vows(group, message),
    breaches: breachesOf(group),
    ...(group.accountable ? {} : { hides }),
    conflict: (message, fork, known) => conflict(group, message, fork, known),
    invariant,
  };
}
