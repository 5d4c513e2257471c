/**
 * Multi-Paxos: Lamport, "Paxos Made Simple" (2001), §3. Phase 1 is in `election.ts` and
 * `phase1.ts`, phase 2 in `leader.ts`, the acceptor in `acceptor.ts`, the learner in `learner.ts`
 * and `catch-up.ts`, the membership in `configuration.ts`.
 */
import type { Protocol } from '@quorumlab/core';
import { heartbeat, onAccept, prepare } from './acceptor.ts';
import { guards } from './admits.ts';
import { counter } from './ballots.ts';
import { onCatchUp, onLearn, snapshotOffer } from './catch-up.ts';
import { electionTimeout, forward, nack, promise } from './election.ts';
import { type Group, groupOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { accepted, checkQuorum, heartbeatAck, heartbeatTimeout, onPropose } from './leader.ts';
import { catchUpTimeout } from './learner.ts';
import { read } from './read.ts';
import { ask, recall, recalled, rejoin, start } from './rejoin.ts';
import { type Rules, rules } from './rules.ts';
import { snapshotInstalled, snapshotTaken } from './snapshot.ts';
import {
  type Context,
  firstStable,
  firstVolatile,
  type MultiPaxos,
  type Replica,
  stored,
} from './state.ts';
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
  const told =
    <M>(handle: (group: Group, replica: Replica, message: M, ctx: Context) => void) =>
    (replica: Replica, message: M, ctx: Context): void =>
      handle(group, replica, message, ctx);
  return {
    name: 'multi-paxos',
    version: 3,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    f: options.f ?? Math.floor((sizeOf(group) - 1) / 2),
    client: { matching: 1, ask: 'leader', signed: false, forwards: true },
    messages: group.schemas.messages,
    limitedBy,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: (stable) => firstVolatile(stable, group.initial),
    start: (replica, ctx, incarnation) => start(group, replica, ctx, incarnation),
    rejoin: (replica, ctx, incarnation) => rejoin(group, replica, ctx, incarnation),
    propose: told(onPropose),
    read: (leader, id, ctx) => read(group, leader, id, ctx),
    on: {
      prepare: told(prepare),
      promise: told(promise),
      accept: told(onAccept),
      accepted: told(accepted),
      nack: told(nack),
      heartbeat: told(heartbeat),
      'heartbeat-ack': told(heartbeatAck),
      'catch-up': told(onCatchUp),
      learn: told(onLearn),
      'snapshot-offer': told(snapshotOffer),
      forward: told(forward),
      recall: told(recall),
      recalled: told(recalled),
    },
    admits: guards(group),
    timeout(replica, timer, ctx) {
      switch (timer) {
        case 'election':
          return electionTimeout(group, replica, ctx);
        case 'heartbeat':
          return heartbeatTimeout(group, replica, ctx);
        case 'check-quorum':
          return checkQuorum(group, replica, ctx);
        case 'catch-up':
          return catchUpTimeout(group, replica, ctx);
        case 'recall':
          return ask(group, replica, ctx);
      }
    },
    snapshotEvery,
    snapshotTaken: (replica, slot, digest, ctx, configuration) =>
      snapshotTaken(group, replica, slot, digest, ctx, configuration),
    snapshotInstalled: (replica, slot, digest, ctx, configuration) =>
      snapshotInstalled(group, replica, slot, digest, ctx, configuration),
    termWord: 'ballot',
    counter,
    status: ({ leader, promised: term, role }) =>
      leader === null ? { term, role } : { leader, term, role },
    vows,
    conflict,
    invariant: (replica) => invariant(group, replica),
  };
}

const sizeOf = ({ initial }: Group): number => initial[0]?.members.length ?? 0;
