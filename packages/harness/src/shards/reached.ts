/** Rare situations of shards: which there are, and how often a run really was in each. */
import { decode, encode, type ReplicaId } from '@quorumlab/core';
import type { StateMachine } from '@quorumlab/log';
import {
  type ShardOperation,
  type ShardResult,
  type ShardRules,
  shardOperation,
  shardResult,
  type TransactionId,
} from '@quorumlab/shards';

/** The rare situations that runs of shards are searched for, with what each is. */
export const shardSituations = {
  'prepared-in-fail-over': 'another replica led when a prepared transaction heard of its end',
  'client-gone': 'a keeper asked what came of a prepared transaction, as its client had not',
  wounded: 'an older transaction took the locks of a younger one',
  'lease-changed': 'another keeper got the lease of a group',
  'lease-run-out': 'a lease ran out, as nobody wanted anything, and its keeper got the next one',
  'range-split': 'a range became two',
  'ranges-merged': 'two ranges became one',
  'range-moved': 'a range moved to another group',
  'write-met-a-move': 'a transaction wanted a key that was moving or had moved',
  'read-at-timestamp': 'a read at a timestamp that was told saw what was there at that time',
} as const;

/** The name of one of the {@link shardSituations}. */
export type ShardSituation = keyof typeof shardSituations;

/** All {@link shardSituations}, in their order. */
export const shardSituationNames: readonly ShardSituation[] = Object.keys(
  shardSituations,
) as ShardSituation[];

/** How often each was reached; those that were not are left out. */
export type ShardReached = Readonly<Partial<Record<ShardSituation, number>>>;

/** The sum of two counts. */
export function addShardReached(one: ShardReached, two: ShardReached): ShardReached {
  const sum: Partial<Record<ShardSituation, number>> = { ...one };
  for (const name of shardSituationNames)
    if (two[name] !== undefined) sum[name] = (sum[name] ?? 0) + two[name];
  return sum;
}

/** Looks at a run as it goes. Each thing counts once, however many replicas do it. */
export interface Sightings {
  /** The same rules, looked at. */
  rules(rules: ShardRules): ShardRules;
  /** The same machine, looked at; `leader`: whom its replica takes for the leader of the group. */
  machine(inner: StateMachine, group: number, leader: () => ReplicaId | undefined): StateMachine;
  /** What was seen of one thing, which has a name of its own. */
  see(situation: ShardSituation, name: string): void;
  reached(): ShardReached;
}

const askRanges = encode(shardOperation, { kind: 'ranges' });

/** How many ranges a group has or has had. */
function rangesOf(machine: StateMachine): number {
  const result = decode(shardResult, machine.query(askRanges));
  return result.kind === 'ranges' ? result.known.length : 0;
}

const nameOf = ({ client, number }: TransactionId): string => `${client}/${number}`;

/** Sees nothing yet. */
export function sightings(): Sightings {
  const seen = new Map<ShardSituation, Set<string>>();
  /** Who led when a transaction prepared, by group and transaction; `over`: it has ended there. */
  const prepared = new Map<string, ReplicaId | 'over' | undefined>();
  /** The last lease of each group. */
  const leases = new Map<number, { readonly number: number; readonly holder: number }>();
  const see: Sightings['see'] = (situation, name) => {
    const names = seen.get(situation) ?? new Set();
    seen.set(situation, names.add(name));
  };

  function seeLease(group: number, lease: { number: number; holder: number }): void {
    const last = leases.get(group);
    if (last !== undefined && lease.number <= last.number) return;
    leases.set(group, lease);
    if (last === undefined) return;
    const situation = lease.holder === last.holder ? 'lease-run-out' : 'lease-changed';
    see(situation, `${group}/${lease.number}`);
  }

  function seeRun(
    group: number,
    leader: ReplicaId | undefined,
    client: number,
    operation: ShardOperation,
    result: ShardResult,
  ): void {
    if (result.kind === 'ticked') return seeLease(group, result.lease);
    if (!('transaction' in operation)) return;
    const name = `${group}/${nameOf(operation.transaction)}`;
    if (result.kind === 'prepared' && !prepared.has(name)) prepared.set(name, leader);
    if (operation.kind === 'settle' && client !== operation.transaction.client)
      see('client-gone', name);
    if (operation.kind === 'access')
      if (result.kind === 'elsewhere' || (result.kind === 'refused' && result.why === 'moving'))
        see('write-met-a-move', name);
    if (operation.kind !== 'resolve') return;
    // Whoever comes back runs it again: the first to run it counts.
    const then = prepared.get(name);
    prepared.set(name, 'over');
    const isKnown = then !== undefined && then !== 'over' && leader !== undefined;
    if (isKnown && then !== leader) see('prepared-in-fail-over', name);
  }

  return {
    rules: (rules) => ({
      ...rules,
      wounds(asker, holder) {
        const isWounded = rules.wounds(asker, holder);
        if (isWounded) see('wounded', nameOf(holder));
        return isWounded;
      },
    }),
    machine: (inner, group, leader) => ({
      ...inner,
      apply(bytes, client) {
        const operation = decode(shardOperation, bytes);
        const isBorder = operation.kind === 'split' || operation.kind === 'merge';
        const before = isBorder ? rangesOf(inner) : 0;
        const result = inner.apply(bytes, client);
        const more = isBorder ? rangesOf(inner) - before : 0;
        if (isBorder && more !== 0)
          see(more > 0 ? 'range-split' : 'ranges-merged', `${group}/${operation.at}`);
        seeRun(group, leader(), client, operation, decode(shardResult, result));
        return result;
      },
    }),
    see,
    reached: () => Object.fromEntries([...seen].map(([each, names]) => [each, names.size])),
  };
}
