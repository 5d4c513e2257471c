/** A node that holds a replica of each range beside its replica of the cluster's own group. */
import type { Behaviour } from '@quorumlab/adversary';
import { keyValueStore, type LogShape, type Serviced } from '@quorumlab/log';
import { type GroupOptions, type HostOptions, openHost } from '@quorumlab/node';
import {
  keeper,
  type PartyPlatform,
  runParty,
  type ShardLog,
  shard,
  shardCodec,
  systemClock,
} from '@quorumlab/shards';
import { type ClusterConfig, identityOf } from './config.ts';
import type { AnyNode } from './node-control.ts';
import { RangeChanges } from './range-changes.ts';
import { firstRanges, leaseMicros, rangeName, rangeProtocolIn } from './ranges.ts';

/** What a node with ranges is started with: its process, and its replica of the first group. */
export interface RangedOptions {
  readonly config: ClusterConfig;
  readonly borders: readonly string[];
  readonly place: Omit<HostOptions, 'cluster' | 'members' | 'clients' | 'seats'>;
  readonly replica: Omit<
    GroupOptions<LogShape, Uint8Array, Uint8Array, Uint8Array>,
    'group' | 'epoch' | 'stateMachine' | 'codec'
  > & { readonly behaviour?: Behaviour<Serviced<LogShape>> };
}

/** Microseconds between two looks of a keeper at its group, while something is to be done there. */
const lookEvery = 5000;
/** Microseconds between two looks while nothing is: it is told if something runs. */
const restFor = 60_000_000;

/**
 * Starts it. What fails in one of its groups ends the node, as it does where there is one group.
 * Throws what `openHost` and `startNode` throw; then nothing is left running.
 */
export async function startRanged(options: RangedOptions): Promise<AnyNode> {
  const { config, borders, place, replica } = options;
  const { self, logger } = place;
  const host = await openHost({ ...place, ...identityOf(config) });
  try {
    const { group, epoch } = config;
    const node = await host.open({ ...replica, group, epoch, stateMachine: keyValueStore });
    const { signatures, mustExist, rejoin } = replica;
    const same = Object.fromEntries(
      Object.entries({ signatures, mustExist, rejoin }).filter(([, value]) => value !== undefined),
    );
    const protocol = rangeProtocolIn(config);
    // Who came later has no part in ranges: these stay on the nodes of the first day.
    const ranges = protocol.members.includes(self) ? firstRanges(borders) : [];
    const failures = [node.failed];
    const logs = new Map<number, ShardLog>();
    const changes = new RangeChanges();
    for (const range of ranges) {
      const member = await host.open({
        ...{ ...same, protocol, codec: shardCodec, group: rangeName(range.group) },
        stateMachine: () =>
          changes.of(
            range.group,
            shard({
              ...{ group: range.group, ranges: [range] },
              ...{ keepers: protocol.members, lease: leaseMicros },
            }),
          ),
      });
      logs.set(range.group, member.log);
      failures.push(member.failed);
    }
    await host.start();
    const clock = () => systemClock(host.clock().error)();
    const platform: PartyPlatform = { logs, clock, changes: (told) => changes.hear(told) };
    const stops = ranges.map((range) =>
      runParty(
        keeper({
          ...{ self, group: range.group },
          ...{ every: lookEvery, rest: restFor, lease: leaseMicros },
        }),
        platform,
        (error) => logger.error({ err: error, range: range.group }, 'The keeper has stopped.'),
      ),
    );
    return {
      log: node.log,
      status: () => node.status(),
      ready: (count, signal) => host.ready(count, signal),
      addresses: () => host.addresses(),
      ask: (id, limitMs) => node.ask(id, limitMs),
      faultOf: (id) => node.faultOf(id),
      setBehaviour: (behaviour) => node.setBehaviour(behaviour),
      roster: () => node.roster(),
      known: () => node.known(),
      left: node.left,
      failed: Promise.race(failures),
      async stop() {
        for (const stop of stops) stop();
        await host.stop();
      },
    };
  } catch (error) {
    await host.stop();
    throw error;
  }
}
