/**
 * Basic Paxos: Lamport, "Paxos Made Simple" (2001), §2, one decision. All of it is in `synod.ts`;
 * which value a proposer may propose is in `rules.ts`, the numbers of proposals in `ballots.ts`.
 *
 * ```text
 *            every replica is proposer, acceptor and learner
 *            an acceptor has on disk: the highest number it promised, the last proposal it accepted
 *
 *            Phase 1 (§2.2)
 * 1a         upon a value to propose, or a read: choose a number above all seen, and keep it
 *              send ⟨prepare, number⟩ to all acceptors
 * 1b         upon ⟨prepare, number⟩ at an acceptor, if it promised no higher number:
 *              promise to accept nothing below number, and keep that
 *              answer ⟨promise, number, the proposal accepted last, or nothing⟩
 *
 *            Phase 2 (§2.2)
 * 2a         upon promises of a majority at the proposer of the number:
 *              value ← that of the highest-numbered proposal in them, or else the own
 *              send ⟨accept, number, value⟩ to all acceptors
 * 2b         upon ⟨accept, number, value⟩ at an acceptor, if it promised no higher number:
 *              accept, and keep that; send ⟨accepted, number, value⟩ to all learners
 *
 *            Learning (§2.3)
 * learn      upon ⟨accepted, number, value⟩ of a majority: value is chosen, for ever
 * ask        upon a timeout of a learner that may have missed something: ask all
 * told       upon the word of a learner that knows the chosen value: it is chosen
 *
 *            Progress (§2.4)
 * nack       upon ⟨prepare⟩ or ⟨accept⟩ below the promise: tell its proposer of the promise
 * back-off   upon such an answer: give the number up; wait at random, longer each time; go to 1a
 *
 * read       upon promises of a majority that report nothing, or once a value is chosen:
 *              the reads that waited may be answered
 * ```
 *
 * Beyond this page: `rejoin`, of an acceptor whose promises are lost with its disk.
 *
 * The roles, each of which is shown while it is the most that a replica is:
 *
 * | from | to | when |
 * |---|---|---|
 * | | acceptor | it starts |
 * | | learner | it starts, and its disk was lost, now or before |
 * | acceptor | proposer | a client wants a value to be chosen, or to read |
 * | proposer | acceptor | a value is chosen, or all that waited were reads, which are answered |
 */
import { ballotOwner, type Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { counter } from './ballots.ts';
import { groupOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { type Rules, rules } from './rules.ts';
import { type BasicPaxos, firstStable, firstVolatile, stored } from './state.ts';
import {
  accept,
  accepted,
  decided,
  nack,
  onAsk,
  onPrepare,
  promise,
  propose,
  read,
  rejoin,
  start,
  timeout,
} from './synod.ts';
import { conflict, vows } from './vows.ts';

/**
 * Basic Paxos for a group of `n`: a log of one slot. Throws `OptionsError` if the group is too
 * small for `f`, and core's QuorumError if a phase 1 quorum need not meet a phase 2 quorum; both
 * can be forced with `unsafe`. The second argument exists for tests of what happens when a rule is
 * wrong.
 *
 * @example
 * ```ts
 * import { basicPaxos } from '@quorumlab/basic-paxos';
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 *
 * const group = basicPaxos({ n: 3 });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * console.log(kv.result(submit(kv.put('leader', 'Ann')))); // { kind: 'stored' }
 * try {
 *   submit(kv.put('leader', 'Bob'));
 * } catch (error) {
 *   console.log(error); // The one slot is taken, for good.
 * }
 * ```
 */
export function basicPaxos(options: Options, chosen: Partial<Rules> = {}): Protocol<BasicPaxos> {
  const group = groupOf(options, { ...rules, ...chosen });
  return {
    name: 'basic-paxos',
    version: 3,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    group,
    f: options.f ?? Math.floor((group.n - 1) / 2),
    length: 1,
    client: { matching: 1, ask: 'any', signed: false },
    messages: group.schemas.messages,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: firstVolatile,
    start,
    rejoin,
    propose,
    read,
    on: {
      prepare: onPrepare,
      promise,
      accept,
      accepted,
      nack,
      ask: onAsk,
      decided,
    },
    admits: guards(group),
    timeout,
    termWord: 'ballot',
    counter,
    // There is no leader; whoever's ballot was promised last comes nearest to one.
    status({ promised, ballot, phase, rejoined }) {
      const role = rejoined ? 'learner' : phase === 'idle' ? 'acceptor' : 'proposer';
      const term = phase === 'idle' ? promised : ballot;
      return term === 0 ? { term, role } : { leader: ballotOwner(term, group.n), term, role };
    },
    vows,
    conflict,
    invariant,
  };
}
