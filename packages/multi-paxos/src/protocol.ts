/**
 * Multi-Paxos: Lamport, "Paxos Made Simple" (2001), §3. Phase 1 is in `election.ts` and
 * `phase1.ts`, phase 2 in `leader.ts`, the acceptor in `acceptor.ts`, the learner in `learner.ts`
 * and `catch-up.ts`, the membership in `configuration.ts`.
 *
 * ```text
 *                   an acceptor has on disk: promised, the highest ballot, and accepted[slot], its
 *                   votes; firstUnchosen is the first slot not known to be chosen
 *
 *                   Phase 1, once for all slots (§3)
 * elect             upon an election timeout without a word of a leader (§2.4): be a candidate
 *                     ballot ← one above all seen; keep it
 * phase-1a            send ⟨prepare, ballot, firstUnchosen⟩ to all
 * loyal             upon ⟨prepare⟩ at a replica that hears a leader: ignore it
 * nack              upon ⟨prepare⟩ or ⟨accept⟩ with ballot < promised: answer ⟨nack, promised⟩
 * phase-1b          upon ⟨prepare, ballot, slot⟩: promised ← ballot
 *                     answer ⟨promise, ballot, all votes from slot on, and what is chosen⟩
 *                   upon a promise at its candidate:
 * learn-promised      execute what it knows to be chosen
 * phase-1-behind      if others know more to be chosen: get it from them first
 * lead              upon promises of a quorum: be the leader; for each slot up to the last vote:
 * propose-again       propose again the value of the highest ballot that was reported for it
 * fill-no-op          or a no-op if nobody voted there
 * phase-1-each      before a slot of another configuration: phase 1 with its members too
 * step-down         upon ⟨nack⟩, or any message, of a higher ballot: be a follower
 *
 *                   Phase 2, for each slot
 * forward           upon a command at a replica that does not lead: pass it to the leader
 * forwarded         upon a command that was passed on, at the leader: take it
 * phase-2a            propose it at the next slot: send ⟨accept, ballot, slot, value⟩ to all
 * phase-2b          upon ⟨accept, ballot, slot, value⟩, ballot ≥ promised: promised ← ballot
 *                     accepted[slot] ← (ballot, value); answer ⟨accepted, ballot, slot⟩
 * accuse              if it voted for another value in ballot at slot: a proof against the leader
 * chosen            upon ⟨accepted, ballot, slot⟩ of a quorum at the leader: it is chosen
 * execute             execute it once all slots before are executed
 *
 * heartbeat         each heartbeat: the leader says what is chosen: ⟨heartbeat, firstUnchosen⟩
 * learn-by-ballot   upon that: slots below, with own votes of its ballot, are chosen
 * heartbeat-ack       if nothing higher is promised: answer
 * check-quorum      upon an election timeout in which no quorum answered: be a follower
 * read-1            upon a read at the leader: note firstUnchosen; send a round of heartbeats
 * read-2            upon answers to it that meet every phase 1 quorum: the read may go there
 *
 *                   With master leases ("Paxos Made Live", 5.2)
 * lease-1           upon start: promise nothing for an election timeout, as if a leader was heard
 * lease-2           upon a read at the leader, while grants of a quorum last: it may go
 *
 *                   The configuration is part of the state (§3)
 * change            execute a change at slot: its members govern from slot + α on
 * refuse-change       unless it would leave no group, or one is under way
 * fill-alpha          the leader proposes no-ops up to there
 * leave               a leader that is no member then: be a follower
 * ```
 *
 * Beyond this page: `catch-up`, `teach` and `learn` (`catch-up.ts`), `snapshot-take`,
 * `snapshot-offer`, `snapshot-fetch` and `snapshot-install` (`snapshot.ts`), and `recall` and
 * `rejoin` of a replica that lost its disk (`rejoin.ts`).
 *
 * The roles of a replica, which is always an acceptor and a learner too, unless it is rejoining:
 *
 * | from | to | when |
 * |---|---|---|
 * | | follower | it starts |
 * | follower | candidate | an election timeout |
 * | candidate | leader | promises of a quorum |
 * | candidate | follower | a higher ballot |
 * | leader | follower | a higher ballot, no quorum answers, or it is no member any more |
 * | | rejoining | it starts, and its disk was lost |
 * | rejoining | follower | all others have told what they know |
 */
import type { Protocol } from '@quorumlab/core';
import { heartbeat, onAccept, prepare } from './acceptor.ts';
import { expectations, guards } from './admits.ts';
import { counter } from './ballots.ts';
import { onCatchUp, onLearn, snapshotOffer } from './catch-up.ts';
import { electionTimeout, forward, nack, promise } from './election.ts';
import { type Group, groupOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import {
  accepted,
  checkQuorum,
  heartbeatAck,
  heartbeatTimeout,
  onPropose,
  settle,
} from './leader.ts';
import { catchUpTimeout } from './learner.ts';
import { read } from './read.ts';
import { askToRejoin, recall, recalled, rejoin, start } from './rejoin.ts';
import { type Rules, rules } from './rules.ts';
import { snapshotInstalled, snapshotTaken } from './snapshot.ts';
import { firstStable, firstVolatile, type MultiPaxos, roster, stored } from './state.ts';
import { conflict, vows } from './vows.ts';

const slotOption = 'maxBytesPerSlot';
const limitedBy = {
  accept: slotOption,
  promise: slotOption,
  learn: slotOption,
  recalled: slotOption,
};

/**
 * Multi-Paxos for a group. Throws `OptionsError` if it is too small for `f`, ConfigurationError for
 * members that it cannot have, and core's QuorumError if its quorums need not meet. The second
 * argument exists for tests of what happens when a rule is wrong.
 *
 * @example
 * ```ts
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 * import { multiPaxos } from '@quorumlab/multi-paxos';
 *
 * const group = multiPaxos({ n: 3 });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function multiPaxos(options: Options, chosen: Partial<Rules> = {}): Protocol<MultiPaxos> {
  const group = groupOf(options, { ...rules, ...chosen });
  const { snapshotEvery = 10_000 } = options;
  return {
    name: 'multi-paxos',
    version: 3,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    group,
    f: options.f ?? Math.floor((sizeOf(group) - 1) / 2),
    client: { matching: 1, ask: 'leader', signed: false, forwards: true },
    messages: group.schemas.messages,
    limitedBy,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable) => firstVolatile(stable, group.initial),
    start,
    rejoin,
    propose: onPropose,
    read,
    on: {
      prepare: prepare,
      promise: promise,
      accept: onAccept,
      accepted: accepted,
      nack: nack,
      heartbeat: heartbeat,
      'heartbeat-ack': heartbeatAck,
      'catch-up': onCatchUp,
      learn: onLearn,
      'snapshot-offer': snapshotOffer,
      forward: forward,
      recall: recall,
      recalled: recalled,
    },
    admits: guards(group),
    expects: expectations,
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'election':
          return electionTimeout(replica, ctx);
        case 'heartbeat':
          return heartbeatTimeout(replica, ctx);
        case 'check-quorum':
          return checkQuorum(replica, ctx);
        case 'catch-up':
          return catchUpTimeout(replica, ctx);
        case 'recall':
          return askToRejoin(replica, ctx);
      }
    },
    settle,
    snapshotEvery,
    snapshotTaken,
    snapshotInstalled,
    termWord: 'ballot',
    counter,
    status: ({ leader, promised: term, role }) =>
      leader === null ? { term, role } : { leader, term, role },
    roster: (replica) => roster(group.known, replica),
    vows,
    conflict,
    invariant: (replica) => invariant(group, replica),
  };
}

const sizeOf = ({ initial }: Group): number => initial[0]?.members.length ?? 0;
