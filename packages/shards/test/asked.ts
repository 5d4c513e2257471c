/** Shards under test, without a protocol: operations in, results out, clocks as the test says. */
import { decode, encode, firstClient } from '@quorumlab/core';
import type { StateMachine } from '@quorumlab/log';
import {
  type ShardOperation,
  type ShardResult,
  type ShardRules,
  shard,
  shardOperation,
  shardResult,
  shardRules,
} from '../src/index.ts';

/** The keeper of every shard here; clients have the numbers behind it. */
export const keeperId: number = firstClient;
/** Half the width of an interval. */
export const epsilon = 7;

export interface Asked {
  readonly machine: StateMachine;
  ask(client: number, operation: ShardOperation): ShardResult;
  query(operation: ShardOperation): ShardResult;
  /**
   * The keeper looks at its clock at `at`, off by `offset`, having seen what the shard does now or
   * did when it was `seen`, and tells the shard.
   */
  tick(at: number, offset?: number, seen?: ShardResult): ShardResult;
  /** Gives transaction `number` of a client of this age the locks, and the values that it reads. */
  access(
    number: number,
    age: number,
    writes: readonly string[],
    reads?: readonly string[],
    begun?: boolean,
  ): ShardResult;
  /** Has transaction `number` set a key, as its coordinator, and `others` take part. */
  commit(
    number: number,
    key: string,
    value: string,
    others?: readonly number[],
    at?: number,
  ): ShardResult;
  outcome(number: number): ShardResult;
  /** What a key is at a timestamp; undefined: it does not say. */
  valueAt(key: string, at: number): string | null | undefined;
}

/** The transaction of this number: each has a client of its own. */
export const id = (number: number) => ({ client: keeperId + number, number });
export const write = (key: string, value: string) => ({
  key,
  value: new Uint8Array([...value].map((each) => each.charCodeAt(0))),
});

export function asked(
  rules: ShardRules = shardRules,
  group = 0,
  ranges: readonly { readonly from: string; readonly to: string | null }[] = [
    { from: '', to: null },
  ],
  times: { readonly lease?: number; readonly patience?: number; readonly keep?: number } = {},
): Asked {
  const machine = shard({ group, ranges, keepers: [keeperId, keeperId + 500], rules, ...times });
  const ask = (client: number, operation: ShardOperation): ShardResult =>
    decode(shardResult, machine.apply(encode(shardOperation, operation), client));
  const query = (operation: ShardOperation): ShardResult =>
    decode(shardResult, machine.query(encode(shardOperation, operation)));
  const tick: Asked['tick'] = (at, offset = 0, seen = query({ kind: 'work' })) => {
    if (seen.kind !== 'work') throw new Error(seen.kind);
    const shown = at + offset;
    const clock = { earliest: Math.max(0, shown - epsilon), latest: shown + epsilon };
    const lease = seen.lease?.number ?? 0;
    return ask(keeperId, { kind: 'tick', ...clock, lease, stamps: seen.deciding });
  };
  tick(0);
  return {
    machine,
    ask,
    query,
    tick,
    access: (number, age, writes, reads = [], begun = false) =>
      ask(id(number).client, {
        kind: 'access',
        transaction: id(number),
        age: { at: age, ...id(number) },
        coordinator: 0,
        begun,
        reads,
        writes,
      }),
    commit: (number, key, value, participants = [], at = 0) =>
      ask(id(number).client, {
        kind: 'commit',
        transaction: id(number),
        writes: [write(key, value)],
        participants,
        at,
      }),
    outcome: (number) => query({ kind: 'outcome', transaction: id(number) }),
    valueAt(key, at) {
      const result = query({ kind: 'read', keys: [key], at });
      if (result.kind !== 'values') return undefined;
      const value = result.values[0]?.value ?? null;
      return value && String.fromCharCode(...value);
    },
  };
}
