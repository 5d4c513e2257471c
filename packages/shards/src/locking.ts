/**
 * Two-phase locking with wound-wait (Rosenkrantz et al. 1978; Corbett et al. 2012, section 4.2.1):
 * an older transaction takes the locks of a younger one, a younger one waits. What has prepared
 * waits for nobody and is not wounded, so that nobody waits in a circle, across groups neither.
 */
import type { ShardRules } from './rules.ts';
import { isOlder } from './rules.ts';
import { type Lock, type Mode, nameOf, type ShardState, type Transaction } from './state.ts';

/**
 * Whether `theirs` stands in the way of what is `wanted`: as they have it; as they want it only if
 * they are older, so that nobody waits for ever behind those who come later.
 */
function isInTheWay(wanted: Lock, theirs: Lock, areOlder: boolean): boolean {
  const conflicts = (other: Mode | null): boolean =>
    other !== null && (wanted.mode === 'exclusive' || other === 'exclusive');
  return conflicts(theirs.held) || (areOlder && conflicts(theirs.mode));
}

/** Others who have a key that `asker` wants, or who are older and wait for it. */
function rivalsOf(state: ShardState, asker: Transaction): readonly Transaction[] {
  const rivals: Transaction[] = [];
  for (const other of state.transactions.values()) {
    if (other === asker || other.stage === 'committed') continue;
    const areOlder = isOlder(other.age, asker.age);
    for (const [key, wanted] of asker.locks) {
      const theirs = other.locks.get(key);
      if (theirs === undefined || !isInTheWay(wanted, theirs, areOlder)) continue;
      rivals.push(other);
      break;
    }
  }
  return rivals;
}

/**
 * Gives `asker` all the locks that it wants, or none of those that it does not have yet. Whoever
 * has to make way is gone. Whether it has them all.
 */
export function acquire(state: ShardState, asker: Transaction, rules: ShardRules): boolean {
  let isFree = true;
  for (const rival of rivalsOf(state, asker)) {
    if (rival.stage === 'active' && rules.wounds(asker.age, rival.age)) end(state, rival);
    else isFree = false;
  }
  if (isFree) for (const lock of asker.locks.values()) lock.held = lock.mode;
  return isFree;
}

/** Notes that `asker` wants `key`; an exclusive lock does for both. */
export function want(asker: Transaction, key: string, mode: Mode): void {
  const lock = asker.locks.get(key);
  if (lock === undefined) asker.locks.set(key, { mode, held: null });
  else if (mode === 'exclusive') lock.mode = mode;
}

/** Whether it has an exclusive lock on all that it writes, and has all that it ever asked for. */
export const mayWrite = (asker: Transaction, keys: readonly string[]): boolean =>
  [...asker.locks.values()].every(({ mode, held }) => mode === held) &&
  keys.every((key) => asker.locks.get(key)?.held === 'exclusive');

/** Ends a transaction here: its locks are free, and nothing of it is left. */
export const end = (state: ShardState, { id }: Transaction): void =>
  void state.transactions.delete(nameOf(id));
