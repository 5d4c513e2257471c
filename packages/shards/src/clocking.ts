/** What keepers do: timestamps, commit wait, leases. No replica looks at a clock of its own. */
import { giveBack, grant } from '@quorumlab/clocks';
import type { PrincipalId } from '@quorumlab/core';
import { end } from './locking.ts';
import type { ShardOperation, ShardResult } from './operations.ts';
import type { ShardRules } from './rules.ts';
import { nameOf, type ShardState, type Transaction } from './state.ts';
import { applyWrites, pruneAll } from './versions.ts';

/** Times of a shard, in microseconds, the same on all its replicas. */
export interface ShardTimes {
  /** How long a lease lasts without being renewed. */
  readonly lease: number;
  /** How long a transaction may be silent while it gathers locks; how long others wait for news. */
  readonly patience: number;
  /** How long versions are kept that are no longer the last, and commits nobody has asked for. */
  readonly keep: number;
}

type Of<K extends ShardOperation['kind']> = Extract<ShardOperation, { readonly kind: K }>;

/**
 * A keeper has looked at its clock, after it had seen the commits in `stamps`. Only under its lease
 * counts what it saw; what it was granted in the same step it uses with the next reading.
 */
export function tick(
  state: ShardState,
  keeper: PrincipalId,
  told: Of<'tick'>,
  times: ShardTimes,
  rules: ShardRules,
): ShardResult {
  const { earliest, latest, lease: number, stamps } = told;
  const now = { earliest, latest };
  if (number !== (state.lease?.number ?? 0)) return heldBy(state);
  const mine = state.lease?.holder === keeper && rules.mayAct(state.lease.end, now);
  const asked = grant(state.lease ?? undefined, keeper, now, times.lease, rules);
  if (asked.kind === 'held') return heldBy(state);
  state.lease = asked.lease;
  // The first reading of a lease only begins it: what came before belongs to the one before.
  if (mine) {
    const end = asked.lease.end;
    const before = state.floor;
    const seen = new Set(stamps.map(nameOf));
    for (const each of [...state.transactions.values()])
      if (each.stage === 'deciding' && (seen.has(nameOf(each.id)) || !rules.stampsSeen))
        stamp(state, each, rules.stamp(now), end, rules);
    state.floor = Math.max(state.floor, Math.min(rules.stamp(now), end - 1));
    for (const each of [...state.transactions.values()])
      if (each.stage === 'waiting' && rules.isOver(each.at, now)) finish(state, each);
    excuse(state, state.floor - before, times);
    expire(state, times, rules);
  }
  return { kind: 'ticked', lease: state.lease, at: state.floor };
}

/** Somebody else's clock counts, or nobody's yet. */
const heldBy = ({ lease }: ShardState): ShardResult => ({
  kind: 'held',
  lease: lease ?? { number: 0, holder: 0, start: 0, end: 0 },
});

/** Gives a commit its timestamp: above all that was promised, prepared, or can be over. */
function stamp(
  state: ShardState,
  transaction: Transaction,
  least: number,
  leaseEnd: number,
  rules: ShardRules,
): void {
  const at = Math.max(least, state.floor + 1, transaction.at);
  // Beyond the lease the next holder's timestamps begin: a later tick has a longer one.
  if (at >= leaseEnd) return;
  state.floor = at;
  transaction.at = at;
  transaction.stage = 'waiting';
  if (!rules.hidesWaiting) {
    applyWrites(state, transaction.writes, at);
    transaction.locks.clear();
  }
}

/** Commit wait is over: what it wrote is seen, its locks are free, and its client is told. */
function finish(state: ShardState, transaction: Transaction): void {
  applyWrites(state, transaction.writes, transaction.at);
  transaction.stage = 'committed';
  transaction.locks.clear();
  transaction.writes = [];
  transaction.heard = state.floor;
}

/** While nobody told the time, as in a group that rested, nobody was silent for too long. */
function excuse(state: ShardState, gap: number, { patience }: ShardTimes): void {
  if (gap < patience) return;
  for (const each of state.transactions.values()) each.heard += gap;
}

/** Ends what has been silent for long, where that is ours to decide, and old versions. */
function expire(state: ShardState, { patience, keep }: ShardTimes, rules: ShardRules): void {
  for (const each of [...state.transactions.values()]) {
    // Of a commit its client has to hear, or it would do it again: that is remembered for longer.
    const isLong = each.stage === 'committed' && rules.remembersCommits;
    if (each.heard + (isLong ? keep : patience) > state.floor) continue;
    const isOver =
      each.stage === 'active' ||
      (each.stage === 'prepared' && !rules.keepsPrepared) ||
      (each.stage === 'committed' && each.participants.length === 0);
    if (isOver) end(state, each);
  }
  const horizon = state.floor - keep;
  // Not at each tick: it looks at all keys.
  if (horizon < state.horizon + keep / 4) return;
  state.horizon = horizon;
  pruneAll(state);
}

/** A keeper gives its lease back once all timestamps under it are over. */
export function yieldLease(
  state: ShardState,
  keeper: PrincipalId,
  { earliest, latest, lease }: Of<'yield'>,
  rules: ShardRules,
): ShardResult {
  if (state.lease?.holder !== keeper || state.lease.number !== lease) return heldBy(state);
  const given = giveBack(state.lease, state.floor, { earliest, latest }, rules);
  if (given === undefined) return heldBy(state);
  state.lease = given;
  return { kind: 'ticked', lease: given, at: state.floor };
}

/**
 * Somebody waits to read at `at`. What lies far ahead is no reason to tell the time each turn; it
 * may do so only because the time has not been told for long, and then is asked for again.
 */
export function wait(state: ShardState, at: number, { patience }: ShardTimes): ShardResult {
  state.wanted = Math.max(state.wanted, Math.min(at, state.floor + patience));
  return { kind: 'done' };
}

/** Up to which timestamp everything is known: no commit can come at or below it any more. */
export function safeAt(state: ShardState, rules: ShardRules): number {
  let safe = state.floor;
  if (!rules.readsMindPrepared) return safe;
  for (const { stage, at } of state.transactions.values()) {
    if (stage === 'prepared') safe = Math.min(safe, at - 1);
    if (stage === 'waiting' && rules.hidesWaiting) safe = Math.min(safe, at - 1);
  }
  return safe;
}
