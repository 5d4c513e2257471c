/** What has to hold of what transactions saw, whatever happened to them. */
import { checkListAppend, type ListTransaction } from '@quorumlab/checker';

/** A committed or read transaction, beside what the checker of lists knows. */
export interface Noted {
  readonly transaction: ListTransaction;
  /** Commit timestamp, or the one that was read at. */
  readonly at: number | undefined;
  readonly isRead: boolean;
}

/** Strict serializability: transactions, and reads at what their clock showed. */
export function notStrict(
  history: readonly Noted[],
  open: readonly ListTransaction[],
  realTime: boolean,
): string | undefined {
  const now = history.filter(
    ({ isRead, transaction: { operations } }) => !isRead || operations.length > 0,
  );
  const judged = now.map(({ transaction: each, isRead, at }) =>
    // Who reads in the past is not told what has come since.
    isRead && at !== undefined && at < each.invokedAt ? { ...each, invokedAt: 0 } : each,
  );
  const found = checkListAppend([...judged, ...open], { realTime });
  return found.verdict === 'violated' ? found.anomalies[0]?.sentence : undefined;
}

/** External consistency: what had ended before has the lower timestamp. */
export function outOfOrder(history: readonly Noted[]): string | undefined {
  const committed = history.filter(({ isRead, at }) => !isRead && at !== undefined);
  const begun = [...committed].sort((a, b) => a.transaction.invokedAt - b.transaction.invokedAt);
  const ended = [...committed].sort(
    (a, b) => (a.transaction.returnedAt as number) - (b.transaction.returnedAt as number),
  );
  let highest: Noted | undefined;
  let done = 0;
  for (const each of begun) {
    for (; done < ended.length; done++) {
      const over = ended[done] as Noted;
      if ((over.transaction.returnedAt as number) >= each.transaction.invokedAt) break;
      if (highest === undefined || (over.at as number) > (highest.at as number)) highest = over;
    }
    if (highest !== undefined && (highest.at as number) >= (each.at as number))
      return (
        `one that ended at ${highest.transaction.returnedAt} committed at ${highest.at}, ` +
        `and one that began at ${each.transaction.invokedAt} at ${each.at}`
      );
  }
  return undefined;
}

/** A read at a timestamp shows what committed at or below it, and nothing else. */
export function inexact(
  history: readonly Noted[],
  open: readonly ListTransaction[],
): string | undefined {
  const unknown = new Set(
    open.flatMap(({ operations }) =>
      operations.map((each) => (each.kind === 'append' ? each.value : undefined)),
    ),
  );
  const commits = history
    .filter(({ isRead, at }) => !isRead && at !== undefined)
    .sort((one, other) => (one.at as number) - (other.at as number));
  for (const { isRead, at, transaction: read } of history) {
    if (!isRead || at === undefined) continue;
    for (const operation of read.operations) {
      if (operation.kind !== 'read') continue;
      const expected = commits
        .filter((each) => (each.at as number) <= at)
        .flatMap((each) => each.transaction.operations)
        .flatMap((each) =>
          each.kind === 'append' && each.key === operation.key ? [each.value] : [],
        );
      const seen = operation.values?.filter((value) => !unknown.has(value)) ?? [];
      if (JSON.stringify(seen) !== JSON.stringify(expected))
        return (
          `a read of '${operation.key}' at ${at} shows ${JSON.stringify(seen)}, and ` +
          `${JSON.stringify(expected)} has committed at or below it`
        );
    }
  }
  return undefined;
}
