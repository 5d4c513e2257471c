/**
 * Flexible Paxos: Howard, Malkhi and Spiegelman, "Flexible Paxos: Quorum Intersection Revisited"
 * (OPODIS 2016). Multi-Paxos in which only quorums of different phases have to meet (§3): all of it
 * is `@quorumlab/multi-paxos`, and this package is the difference.
 *
 * ```text
 *                Q1 and Q2 are sets of quorums: every one in Q1 meets every one in Q2 (§3)
 * first-quorums  upon the first start: keep Q1 and Q2; refuse to go on with others
 *                as Multi-Paxos, but
 *                  lead                   upon promises of a quorum in Q1
 *                  chosen                 upon votes of a quorum in Q2
 *                  read-2, check-quorum   upon answers of a quorum in Q2, which meets all of Q1
 * ```
 */
import type { Protocol } from '@quorumlab/core';
import { multiPaxos } from '@quorumlab/multi-paxos';
import { keepQuorums } from './first-quorums.ts';
import { groupOf, type Options } from './group.ts';
import { type Rules, rules } from './rules.ts';
import { type FlexiblePaxos, firstStable, stored } from './state.ts';

/**
 * Flexible Paxos for a group. Throws core's QuorumError, which names two quorums that share nobody,
 * OptionsError if the quorums survive fewer than f crashes, and what Multi-Paxos
 * throws. `unsafe` allows quorums that do not meet, for experiments. The second argument exists for
 * tests of what happens when the rule is wrong.
 *
 * @example
 * ```ts
 * import { flexiblePaxos } from '@quorumlab/flexible-paxos';
 * import { simulateService } from '@quorumlab/harness';
 * import { keyValueStore, kv } from '@quorumlab/log';
 *
 * // Four of five elect a leader, and then two are enough to decide.
 * const group = flexiblePaxos({ n: 5, q1: 4, q2: 2 });
 * const { submit } = simulateService(group, { stateMachine: keyValueStore });
 * submit(kv.put('greeting', 'hello'));
 * console.log(kv.result(submit(kv.get('greeting')))); // { kind: 'value', value: the five bytes }
 * ```
 */
export function flexiblePaxos(
  options: Options,
  chosen: Partial<Rules> = {},
): Protocol<FlexiblePaxos> {
  const group = groupOf(options, { ...rules, ...chosen });
  const multi = multiPaxos(group.multi);
  return {
    ...multi,
    name: 'flexible-paxos',
    stored: stored(multi.stored),
    stable: () => firstStable(multi.stable()),
    start(replica, ctx, incarnation) {
      keepQuorums(group, replica, ctx);
      multi.start?.(replica, ctx, incarnation);
    },
    rejoin(replica, ctx, incarnation) {
      keepQuorums(group, replica, ctx);
      multi.rejoin?.(replica, ctx, incarnation);
    },
  };
}
