/**
 * Flexible Paxos: Howard, Malkhi and Spiegelman, "Flexible Paxos: Quorum Intersection Revisited"
 * (OPODIS 2016). Multi-Paxos in which only quorums of different phases have to meet (§3): all of it
 * is `@quorumlab/multi-paxos`, and this page is the difference.
 */

import { type Context, OptionsError, type Protocol, type Replica, text } from '@quorumlab/core';
import { type MultiPaxos, type MultiPaxosStable, multiPaxos } from '@quorumlab/multi-paxos';
import { type FlexiblePaxosOptions, faultsOf, quorumsOf } from './options.ts';
import type { Line } from './paper.ts';
import { parseQuorums, phasesOf, quorumText } from './quorums.ts';

/** What Multi-Paxos must not forget, and the quorums with which the log begins. */
export interface FlexiblePaxosStable extends MultiPaxosStable {
  /** As `quorumText` writes it; empty on a replica that has never run. */
  readonly firstQuorums: string;
}

/** The types that Flexible Paxos is made of. */
export interface FlexiblePaxos extends MultiPaxos {
  readonly Stable: FlexiblePaxosStable;
}

/**
 * Flexible Paxos for a group. Throws core's QuorumError, which names two quorums that share nobody,
 * OptionsError if the quorums survive fewer than f crashes, and what Multi-Paxos
 * throws. `unsafe` allows quorums that do not meet, for experiments. The second argument exists for
 * tests of what happens when it is wrong.
 */
export function flexiblePaxos(
  options: FlexiblePaxosOptions,
  phases: typeof phasesOf = phasesOf,
): Protocol<FlexiblePaxos> {
  const { q1: _, q2: __, grid: ___, weights: ____, ...rest } = options;
  const first = quorumsOf(options);
  const multi = multiPaxos({
    ...rest,
    f: faultsOf(options, first),
    // The text comes from the log; there is none before the first change.
    quorums: (members, told) => phases(members, told === '' ? first : parseQuorums(told)),
  });
  return {
    ...multi,
    name: 'flexible-paxos',
    stored: { ...multi.stored, firstQuorums: text(256) },
    stable: () => ({ ...multi.stable(), firstQuorums: '' }),
    start(replica, ctx, incarnation) {
      keepQuorums(replica, quorumText(first), ctx);
      multi.start?.(replica, ctx, incarnation);
    },
    rejoin(replica, ctx, incarnation) {
      keepQuorums(replica, quorumText(first), ctx);
      multi.rejoin?.(replica, ctx, incarnation);
    },
  };
}

/** Quorums are what the log says, from its first slot on, and never a setting of one replica. */
function keepQuorums(
  { firstQuorums }: Replica<FlexiblePaxos>,
  told: string,
  ctx: Context<FlexiblePaxos, Line>,
): void {
  ctx.line('first-quorums');
  if (firstQuorums === '') return ctx.save({ firstQuorums: told });
  if (firstQuorums !== told)
    throw new OptionsError(
      `this log began with the quorums "${firstQuorums}", and now "${told}" is told; ` +
        'start the replica as before, and change quorums by a request',
    );
}
