/** Transactions in one group: access, prepare, commit, and what becomes of them. */
import type { PrincipalId } from '@quorumlab/core';
import { maxKeys, maxTransactions, maxWork } from './limits.ts';
import { acquire, end, mayWrite, want } from './locking.ts';
import type { ShardOperation, ShardResult, TransactionId, Write } from './operations.ts';
import { refusalOf } from './ranges.ts';
import type { ShardRules } from './rules.ts';
import { nameOf, type ShardState, type Transaction } from './state.ts';
import { applyWrites, hasRoom, valuesAt } from './versions.ts';

type Of<K extends ShardOperation['kind']> = Extract<ShardOperation, { readonly kind: K }>;

const aborted: ShardResult = { kind: 'aborted' };
const done: ShardResult = { kind: 'done' };

const find = (state: ShardState, id: TransactionId): Transaction | undefined =>
  state.transactions.get(nameOf(id));

/** Asks for locks, and reads what they protect. Again and again, as long as others have them. */
export function access(
  state: ShardState,
  client: PrincipalId,
  asked: Of<'access'>,
  rules: ShardRules,
): ShardResult {
  const { transaction: id, age, coordinator, begun, reads, writes } = asked;
  if (id.client !== client) return { kind: 'refused', why: 'not yours' };
  const refusal = refusalOf(state, [...reads, ...writes], rules);
  if (refusal !== undefined) return refusal;
  let transaction = find(state, id);
  if (transaction === undefined) {
    // What it had here was taken from it: it must not go on as if it still had it.
    if (begun && rules.minds) return aborted;
    if (state.transactions.size >= maxTransactions) return { kind: 'refused', why: 'full' };
    const heard = state.floor;
    transaction = {
      ...{ id, age, coordinator, stage: 'active', locks: new Map(), writes: [] },
      ...{ participants: [], at: 0, heard },
    };
    state.transactions.set(nameOf(id), transaction);
  }
  if (transaction.stage !== 'active') return aborted;
  transaction.heard = state.floor;
  for (const key of reads) want(transaction, key, 'shared');
  for (const key of writes) want(transaction, key, 'exclusive');
  if (transaction.locks.size > maxKeys) {
    end(state, transaction);
    return { kind: 'refused', why: 'full' };
  }
  if (!acquire(state, transaction, rules)) return { kind: 'waiting' };
  const values = valuesAt(state, reads, Number.MAX_SAFE_INTEGER);
  if (values !== undefined) return { kind: 'granted', values };
  end(state, transaction);
  return { kind: 'refused', why: 'full' };
}

/** What stands in the way of these writes, if anything does. */
function hindrance(
  state: ShardState,
  client: PrincipalId,
  id: TransactionId,
  writes: readonly Write[],
  rules: ShardRules,
): ShardResult | undefined {
  const keys = writes.map(({ key }) => key);
  if (id.client !== client) return { kind: 'refused', why: 'not yours' };
  const transaction = find(state, id);
  if (transaction === undefined) return rules.minds ? aborted : refusalOf(state, keys, rules);
  if (transaction.stage !== 'active') return undefined;
  if (rules.minds && !mayWrite(transaction, keys)) return { kind: 'refused', why: 'no lock' };
  return hasRoom(state, writes) ? undefined : { kind: 'refused', why: 'full' };
}

/** Promises to commit if the coordinator says so; nothing here can change that any more. */
export function prepare(
  state: ShardState,
  client: PrincipalId,
  { transaction: id, writes }: Of<'prepare'>,
  rules: ShardRules,
): ShardResult {
  const why = hindrance(state, client, id, writes, rules);
  if (why !== undefined) return why;
  const transaction = find(state, id) ?? unminded(state, id);
  if (transaction.stage === 'prepared') return { kind: 'prepared', at: transaction.at };
  if (transaction.stage !== 'active') return aborted;
  state.floor += 1;
  transaction.stage = 'prepared';
  transaction.writes = writes;
  transaction.at = state.floor;
  transaction.heard = state.floor;
  return { kind: 'prepared', at: transaction.at };
}

/** Of a rule that is wrong: it goes on although its locks were taken. */
function unminded(state: ShardState, id: TransactionId): Transaction {
  const transaction: Transaction = {
    ...{ id, age: { at: 0, ...id }, coordinator: 0, stage: 'active', locks: new Map() },
    ...{ writes: [], participants: [], at: 0, heard: state.floor },
  };
  state.transactions.set(nameOf(id), transaction);
  return transaction;
}

/**
 * The coordinator decides: it commits, at a timestamp that the next reading of a clock gives it.
 * This entry of the log is the decision.
 */
export function commit(
  state: ShardState,
  client: PrincipalId,
  { transaction: id, writes, participants, at }: Of<'commit'>,
  rules: ShardRules,
): ShardResult {
  const why = hindrance(state, client, id, writes, rules);
  if (why !== undefined) return why;
  const transaction = find(state, id) ?? unminded(state, id);
  if (transaction.stage === 'active') {
    transaction.stage = 'deciding';
    transaction.writes = writes;
    transaction.participants = participants;
    transaction.at = at;
    transaction.heard = state.floor;
  }
  return outcomeOf(transaction);
}

function outcomeOf(transaction: Transaction | undefined): ShardResult {
  if (transaction === undefined) return aborted;
  const { stage, at } = transaction;
  if (stage === 'committed') return { kind: 'committed', at };
  return stage === 'deciding' || stage === 'waiting' ? { kind: 'deciding' } : { kind: 'waiting' };
}

/** What has become of a transaction that this group coordinates. Whoever is unknown has aborted. */
export const outcome = (state: ShardState, { transaction }: Of<'outcome'>): ShardResult =>
  outcomeOf(find(state, transaction));

/** Asks the coordinator to decide now: against it, unless it has decided for it. */
export function settle(state: ShardState, { transaction: id }: Of<'settle'>): ShardResult {
  const transaction = find(state, id);
  if (transaction?.stage === 'active') end(state, transaction);
  return outcomeOf(find(state, id));
}

/** A participant is told what its coordinator has decided: null: it has aborted. */
export function resolve(state: ShardState, { transaction: id, at }: Of<'resolve'>): ShardResult {
  const transaction = find(state, id);
  if (transaction === undefined) return done;
  if (transaction.stage !== 'prepared' && (transaction.stage !== 'active' || at !== null))
    return done;
  if (at !== null) {
    applyWrites(state, transaction.writes, at);
    state.floor = Math.max(state.floor, at);
  }
  end(state, transaction);
  return done;
}

/** All participants know, and if its client says so, it knows too: then nobody will ever ask. */
export function forget(
  state: ShardState,
  client: PrincipalId,
  { transaction: id }: Of<'forget'>,
): ShardResult {
  const transaction = find(state, id);
  if (transaction?.stage !== 'committed') return done;
  if (id.client === client) end(state, transaction);
  transaction.participants = [];
  transaction.heard = state.floor;
  return done;
}

/** What a keeper has to do here. */
export function workOf(state: ShardState, patience: number): ShardResult {
  const all = [...state.transactions.values()];
  const staged = (stage: Transaction['stage']): readonly Transaction[] =>
    all.filter((each) => each.stage === stage).slice(0, maxWork);
  const late = ({ heard }: Transaction): boolean => heard + patience <= state.floor;
  const waiting = staged('waiting').map(({ at }) => at);
  return {
    kind: 'work',
    lease: state.lease,
    at: state.floor,
    wanted: state.wanted,
    deciding: staged('deciding').map(({ id }) => id),
    waiting: waiting.length === 0 ? null : Math.min(...waiting),
    isBusy: all.some(({ stage, participants }) => stage !== 'committed' || participants.length > 0),
    orphans: staged('prepared')
      .filter(late)
      .map(({ id, coordinator }) => ({ transaction: id, coordinator })),
    untold: staged('committed')
      .filter((each) => each.participants.length > 0 && late(each))
      .map(({ id, at, participants }) => ({ transaction: id, at, participants })),
  };
}
