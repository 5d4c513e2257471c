/** Who sits in a world of shards: members, keepers, clients. */
import type { Acted } from '@quorumlab/clocks';
import {
  firstClient,
  type Interval,
  ms,
  type PrincipalId,
  type ReplicaId,
  range,
} from '@quorumlab/core';
import { keeper, type Range, type ShardRules, shard, shardRules } from '@quorumlab/shards';
import type { ClockModel, Seat } from '@quorumlab/sim';
import type { Sightings } from './reached.ts';
import { type AnyShape, type MakeParty, memberSeat, partySeat, principalOf } from './seats.ts';
import {
  type KeeperReading,
  type ShardPace,
  usualBound,
  usualPace,
  type WorldOptions,
} from './world-options.ts';

/** What the seats of a world tell it, and what is run at them. */
export interface Ears {
  readonly seen: Sightings;
  readonly ranges: readonly Range[];
  readonly tasks: readonly MakeParty[];
  readonly acts: readonly Acted[][];
  watch(principal: PrincipalId, interval: Interval): void;
  heard(
    group: number,
    principal: PrincipalId,
    reading: Pick<KeeperReading, 'clock' | 'stamps'>,
  ): void;
  trueNow(): number;
}

/** The keeper of a group, with somebody who looks at its clock. */
const keeping =
  (group: number, rules: ShardRules, pace: ShardPace, { acts, watch, heard }: Ears): MakeParty =>
  (host) => {
    let readAt = 0;
    const inner = keeper({
      self: host.self,
      group,
      ...pace,
      idle: ms(100),
      rules,
      onTick: ({ lease: held }) =>
        void acts[group]?.push({ lease: held, from: readAt, to: readAt }),
    });
    return {
      step(input) {
        const output = inner.step(input);
        for (const { operation } of output.asks)
          if (operation.kind === 'tick') {
            readAt = host.trueNow();
            watch(host.self, input.clock);
            heard(group, host.self, { clock: input.clock, stamps: operation.stamps });
          }
        return output;
      },
    };
  };

/** The members of all groups, then their keepers, then clients. */
export function seatsOf(options: WorldOptions, ears: Ears): readonly Seat<AnyShape>[] {
  const { protocol, groups = 2, keepers = 2, clients = 3, pace = usualPace } = options;
  const { ranges, tasks, trueNow, seen } = ears;
  const rules = seen.rules(options.rules ?? shardRules);
  const all = range(groups);
  const times = { lease: pace.lease, patience: pace.patience, keep: ms(60_000) };
  const clock = (place: number): ClockModel => options.clock?.(place) ?? { epsilon: usualBound };
  const keepersOf = (group: number): readonly number[] =>
    range(keepers).map((place) => firstClient + group * keepers + place);
  const seats: Seat<AnyShape>[] = [];
  for (const group of all)
    for (const member of protocol.members) {
      const machine = (leader: () => ReplicaId | undefined) => {
        const first = [ranges[group] as Range];
        const made = shard({ group, ranges: first, keepers: keepersOf(group), ...times, rules });
        return seen.machine(made, group, leader);
      };
      seats.push({
        principal: principalOf(group, member),
        make: (stable) => memberSeat(protocol, group, member, machine, stable),
      });
    }
  const party = (principal: number, first: readonly MakeParty[], place: number): void =>
    void seats.push({
      principal,
      clock: clock(place),
      make: () => partySeat(protocol, all, { self: principal, trueNow }, first, tasks),
    });
  for (const group of all)
    for (const [place, principal] of keepersOf(group).entries())
      party(principal, [keeping(group, rules, pace, ears)], group * keepers + place);
  for (const place of range(clients))
    party(firstClient + groups * keepers + place, [], groups * keepers + place);
  return seats;
}
