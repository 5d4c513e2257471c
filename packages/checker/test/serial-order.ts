/** The plain twin of the list-append checker: tries every order of every set that can have run. */
import type { Element, ListTransaction } from '../src/index.ts';

type Lists = ReadonlyMap<string, readonly Element[]>;

/** The lists after a transaction that ran alone; undefined if it cannot have read what it did. */
function run(lists: Lists, { operations, outcome }: ListTransaction): Lists | undefined {
  const after = new Map(lists);
  for (const operation of operations) {
    const list = after.get(operation.key) ?? [];
    if (operation.kind === 'append') after.set(operation.key, [...list, operation.value]);
    // What one of unknown outcome read is not believed: nobody was told that it committed.
    else if (outcome === 'committed' && operation.values !== undefined)
      if (JSON.stringify(list) !== JSON.stringify(operation.values)) return undefined;
  }
  return after;
}

/** Whether some order explains what committed transactions read. */
export function explains(history: readonly ListTransaction[], realTime: boolean): boolean {
  const comesFirst = (one: ListTransaction, other: ListTransaction): boolean =>
    realTime && one.outcome === 'committed' && (one.returnedAt ?? Infinity) < other.invokedAt;
  const search = (lists: Lists, left: readonly ListTransaction[]): boolean => {
    if (left.every(({ outcome }) => outcome !== 'committed')) return true;
    return left.some((each) => {
      if (left.some((other) => other !== each && comesFirst(other, each))) return false;
      const after = run(lists, each);
      if (after === undefined) return false;
      const rest = left.filter((other) => other !== each);
      return search(after, rest);
    });
  };
  // One of unknown outcome may run anywhere after it began, or never; an aborted one never runs.
  return search(
    new Map(),
    history.filter(({ outcome }) => outcome !== 'aborted'),
  );
}
