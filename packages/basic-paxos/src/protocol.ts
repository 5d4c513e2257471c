import { ballotOwner, type Protocol } from '@quorumlab/core';
import { guards } from './admits.ts';
import { counter } from './ballots.ts';
import { type Group, groupOf, type Options } from './group.ts';
import { invariant } from './invariant.ts';
import { type Rules, rules } from './rules.ts';
import {
  type BasicPaxos,
  type Context,
  firstStable,
  firstVolatile,
  type Replica,
  stored,
} from './state.ts';
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
  const told =
    <M>(handle: (group: Group, replica: Replica, message: M, ctx: Context) => void) =>
    (replica: Replica, message: M, ctx: Context): void =>
      handle(group, replica, message, ctx);
  return {
    name: 'basic-paxos',
    version: 3,
    claims: { faults: 'crash', replicas: (faults) => 2 * faults + 1, order: 'total' },
    members: group.members,
    f: options.f ?? Math.floor((group.n - 1) / 2),
    length: 1,
    client: { matching: 1, ask: 'any', signed: false },
    messages: group.schemas.messages,
    stored: stored(group.schemas),
    stable: firstStable,
    volatile: firstVolatile,
    start: (replica, ctx) => start(group, replica, ctx),
    rejoin: (replica, ctx) => rejoin(group, replica, ctx),
    propose: told(propose),
    read: told(read),
    on: {
      prepare: told(onPrepare),
      promise: told(promise),
      accept: told(accept),
      accepted: told(accepted),
      nack: told(nack),
      ask: told(onAsk),
      decided: told(decided),
    },
    admits: guards(group),
    timeout: told(timeout),
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
