/** What a lone write cannot do without, beside what it takes in a group of real processes. */
import { costOfProtocol, protocolOf } from '@quorumlab/harness';
import { completeScenario } from '../../packages/harness/src/defaults.ts';
import { meteredRun, oneWay } from '../../packages/harness/src/metered-run.ts';
import { prepare } from '../../packages/harness/src/prepare.ts';
import { benchCluster } from './cluster/cluster.ts';
import { bounds } from './clusters.ts';
import { median, type Part } from './measure.ts';

/** Steps of a lone write that come one after the other. */
export interface Path {
  /** Messages, the request and the reply included. */
  readonly delays: number;
  /** Flushes of a disk. */
  readonly flushes: number;
  /** Signatures that one replica and the client make and check. */
  readonly signed: number;
  readonly verified: number;
}

/** Commits that are looked at, after as many as make a group settle. */
const commits = 20;
const settled = 10;

/** Microseconds from asking to the answer where every message takes `oneWay`, at the median. */
function latency(protocol: string, sync: number): number {
  const { claims } = protocolOf(protocol);
  const scenario = completeScenario({
    ...{ protocol, n: claims.replicas(1), f: 1, workload: 'writes' },
    ...{ count: 1_000_000, clients: 1, crypto: 'ideal' },
  });
  const disk = sync === 0 ? undefined : { sync: { type: 'constant', delay: sync } as const };
  const run = meteredRun(prepare(scenario, undefined, false), false, disk);
  run.answer(settled + commits);
  return median(run.latencies.slice(-commits));
}

/**
 * The path of a lone write, found by runs in the simulator: what a flush that takes as long as a
 * message adds to the answer is flushes one after the other.
 */
export function pathOf(protocol: string): Path {
  const { delaysToReply, replica, client } = costOfProtocol({ protocol });
  return {
    delays: delaysToReply,
    flushes: (latency(protocol, oneWay) - latency(protocol, 0)) / oneWay,
    signed: replica.signed + client.signed,
    verified: replica.verified + client.verified,
  };
}

/** p50 may be so many times the floor. */
const aim = 1.5;

/** The row of a protocol. */
export const floorOf =
  (protocol: string): Part =>
  async ({ quick }) => {
    const { delays, flushes, signed, verified } = pathOf(protocol);
    const n = protocolOf(protocol).claims.replicas(1);
    const { flush, roundTrip, signs, verifies } = await bounds();
    const found = await benchCluster({
      ...{ protocol, n, outstanding: 1 },
      ...{ seconds: quick ? 1 : 4, warmUpSeconds: quick ? 1 : 2 },
    });
    const computed = found.signatures === 'ed25519' ? signed / signs + verified / verifies : 0;
    const floor = (delays * roundTrip) / 2 + flushes * flush + 1000 * computed;
    const flushed = flushes === 1 ? '1 flush' : `${shown(flushes)} flushes`;
    const parts = `${shown(delays)} messages, ${flushed}`;
    const signatures = `${shown(signed)} signed, ${shown(verified)} checked`;
    return [
      {
        part: 'floor',
        name: `${protocol} n=${n}, 1 outstanding: latency p50`,
        value: found.p50,
        unit: 'ms',
        limit: { name: computed === 0 ? parts : `${parts}, ${signatures}`, value: floor },
        target: { value: aim * floor, better: 'less' },
        note: `${found.signatures}; a target of ${aim} times the floor`,
      },
    ];
  };

const shown = (count: number): string => String(Math.round(10 * count) / 10);
