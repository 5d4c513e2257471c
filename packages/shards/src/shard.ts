/**
 * A shard: a {@link StateMachine} that holds ranges of keys, the locks on them and what has
 * prepared, so that any protocol replicates them. Nothing here looks at a clock: keepers say what
 * theirs show.
 *
 * Corbett et al. 2012, "Spanner: Google's Globally-Distributed Database"; Taft et al. 2020,
 * "CockroachDB: The Resilient Geo-Distributed SQL Database".
 */
import {
  decode,
  encode,
  OptionsError,
  type PrincipalId,
  SchemaError,
  wholeOption,
} from '@quorumlab/core';
import type { StateMachine } from '@quorumlab/log';
import { type ShardTimes, safeAt, tick, wait, yieldLease } from './clocking.ts';
import { maxKeepers } from './limits.ts';
import {
  type Range,
  type ShardOperation,
  type ShardResult,
  shardOperation,
  shardResult,
} from './operations.ts';
import {
  adopt,
  drop,
  exported,
  freeze,
  importVersions,
  knownBy,
  merge,
  refusalToRead,
  split,
} from './ranges.ts';
import { type ShardRules, shardRules } from './rules.ts';
import { load, type ShardState, shardSnapshot, shardState, store } from './state.ts';
import {
  access,
  commit,
  forget,
  outcome,
  prepare,
  resolve,
  settle,
  workOf,
} from './transactions.ts';
import { valuesAt } from './versions.ts';

/** See {@link shard}. Every replica must be told the same. */
export interface ShardOptions {
  /** The number of this group among all. */
  readonly group: number;
  /** What it holds at first; those of all groups together are all keys, each once. */
  readonly ranges: readonly Pick<Range, 'from' | 'to'>[];
  /** Whose clocks count. */
  readonly keepers: readonly PrincipalId[];
  /** Microseconds that a lease lasts. 10 s unless told (section 4.1.1). */
  readonly lease?: number;
  /** Microseconds that a transaction may be silent. 2 s unless told. */
  readonly patience?: number;
  /**
   * Microseconds for which old versions are kept for reads, and commits for clients that have not
   * heard of them. 60 s unless told.
   */
  readonly keep?: number;
  /** Unless told, the right ones. */
  readonly rules?: ShardRules;
}

const refused = (why: 'malformed' | 'not a query' | 'no keeper' | 'too old'): ShardResult => ({
  kind: 'refused',
  why,
});

/**
 * An empty shard, for `startNode`, `service` and `simulateService`.
 *
 * @throws OptionsError if no keepers are named, or a time is no whole number.
 */
export function shard(options: ShardOptions): StateMachine {
  const { group, keepers, rules = shardRules } = options;
  const times = timesOf(options);
  let state: ShardState = shardState(
    options.ranges.map(({ from, to }) => ({ from, to, group, epoch: 1 })),
  );

  function run(operation: ShardOperation, client: PrincipalId): ShardResult {
    switch (operation.kind) {
      case 'access':
        return access(state, client, operation, rules);
      case 'prepare':
        return prepare(state, client, operation, rules);
      case 'commit':
        return commit(state, client, operation, rules);
      case 'settle':
        return settle(state, operation);
      case 'resolve':
        return resolve(state, operation);
      case 'forget':
        return forget(state, client, operation);
      case 'tick':
        if (!keepers.includes(client)) return refused('no keeper');
        return tick(state, client, operation, times, rules);
      case 'yield':
        if (!keepers.includes(client)) return refused('no keeper');
        return yieldLease(state, client, operation, rules);
      case 'want':
        return wait(state, operation.at, times);
      default:
        return change(operation) ?? ask(operation) ?? refused('malformed');
    }
  }

  function change(operation: ShardOperation): ShardResult | undefined {
    if (operation.kind === 'split') return split(state, operation);
    if (operation.kind === 'merge') return merge(state, operation);
    if (operation.kind === 'freeze') return freeze(state, operation, rules);
    if (operation.kind === 'import') return importVersions(state, operation);
    if (operation.kind === 'adopt') return adopt(state, group, operation);
    if (operation.kind === 'drop') return drop(state, operation);
    return undefined;
  }

  function ask(operation: ShardOperation): ShardResult | undefined {
    if (operation.kind === 'outcome') return outcome(state, operation);
    if (operation.kind === 'work') return workOf(state, times.patience);
    if (operation.kind === 'ranges') return { kind: 'ranges', known: knownBy(state) };
    if (operation.kind === 'export') return exported(state, operation);
    if (operation.kind !== 'read') return undefined;
    const { keys, at } = operation;
    const refusal = refusalToRead(state, keys, at);
    if (refusal !== undefined) return refusal;
    if (at < state.horizon) return refused('too old');
    const safe = safeAt(state, rules);
    if (at > safe) return { kind: 'unsafe', safe };
    const values = valuesAt(state, keys, at);
    return values === undefined ? { kind: 'refused', why: 'full' } : { kind: 'values', values };
  }

  return {
    apply(operation, client) {
      const asked = read(operation);
      return encode(shardResult, asked === undefined ? refused('malformed') : run(asked, client));
    },
    query(operation) {
      const asked = read(operation);
      const result =
        asked === undefined ? refused('malformed') : (ask(asked) ?? refused('not a query'));
      return encode(shardResult, result);
    },
    snapshot: () => encode(shardSnapshot, store(state)),
    restore(snapshot) {
      state = load(decode(shardSnapshot, snapshot));
    },
  };
}

/** The operation, if these bytes are one. */
function read(operation: Uint8Array): ShardOperation | undefined {
  try {
    return decode(shardOperation, operation);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

const longest = 86_400_000_000;

function timesOf({ keepers, lease, patience, keep }: ShardOptions): ShardTimes {
  if (keepers.length === 0 || keepers.length > maxKeepers)
    throw new OptionsError(
      `a shard needs 1 to ${maxKeepers} keepers whose clocks count, not ${keepers.length}`,
    );
  return {
    lease: wholeOption('lease', lease ?? 10_000_000, 1000, longest),
    patience: wholeOption('patience', patience ?? 2_000_000, 1000, longest),
    keep: wholeOption('keep', keep ?? 60_000_000, 1000, longest),
  };
}
