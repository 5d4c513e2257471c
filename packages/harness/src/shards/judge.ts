/** What has to hold of what transactions saw, whatever happened to them. */
import { checkListAppend, type ListTransaction } from '@quorumlab/checker';
import type { Noted } from './clients.ts';

/** Something that did not hold of a run of shards. */
export interface ShardViolation {
  /**
   * `agreement`, `snapshot`, `external-consistency`, `stale-read`, `serializability`, `leases` or
   * `liveness`.
   */
  readonly rule: string;
  readonly sentence: string;
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
  const judged = now.map(({ transaction: each, isRead, isStrong }) =>
    // Who reads in the past is not told what has come since.
    isRead && !isStrong ? { ...each, invokedAt: 0 } : each,
  );
  const found = checkListAppend([...judged, ...open], { realTime });
  return found.verdict === 'violated' ? found.anomalies[0]?.sentence : undefined;
}

/** A transaction of which it is known when it committed and was told of. */
interface Committed {
  readonly task: number;
  readonly at: number;
  readonly begun: number;
  readonly told: number;
}

function committedIn(history: readonly Noted[]): readonly Committed[] {
  return history.flatMap(({ isRead, at, task, transaction: { invokedAt, returnedAt } }) =>
    isRead || at === undefined || returnedAt === undefined
      ? []
      : [{ task, at, begun: invokedAt, told: returnedAt }],
  );
}

/** Every transaction that has no higher timestamp than one that had ended before it began. */
function late(history: readonly Noted[]): readonly (readonly [Committed, Committed])[] {
  const committed = committedIn(history);
  const begun = [...committed].sort((a, b) => a.begun - b.begun);
  const ended = [...committed].sort((a, b) => a.told - b.told);
  const found: (readonly [Committed, Committed])[] = [];
  let highest: Committed | undefined;
  let done = 0;
  for (const each of begun) {
    for (; done < ended.length; done++) {
      const over = ended[done] as Committed;
      if (over.told >= each.begun) break;
      if (highest === undefined || over.at > highest.at) highest = over;
    }
    if (highest !== undefined && highest.at >= each.at) found.push([highest, each]);
  }
  return found;
}

const inWords = ([one, other]: readonly [Committed, Committed]): string =>
  `T${one.task} got the timestamp ${one.at} and was told of at ${one.told}; T${other.task} began ` +
  `after that, at ${other.begun}, and got ${other.at} (microseconds)`;

/** External consistency: what had ended before has the lower timestamp. */
export function outOfOrder(history: readonly Noted[]): string | undefined {
  const [first] = late(history);
  return first && inWords(first);
}

/** How many transactions have no higher timestamp than one that had ended before they began. */
export const countOutOfOrder = (history: readonly Noted[]): number => late(history).length;

/** Why one that has just ended breaks external consistency with those before; nothing if not. */
export function earlier(before: readonly Noted[], now: Noted): string | undefined {
  const [each] = committedIn([now]);
  if (each === undefined) return undefined;
  const over = committedIn(before).find(({ told, at }) => told < each.begun && at >= each.at);
  return over && inWords([over, each]);
}

/** Strong reads that miss an element of a transaction that was told of before they began. */
function stale(history: readonly Noted[]): readonly string[] {
  const writers = history.filter(({ isRead, at }) => !isRead && at !== undefined);
  return history
    .filter(({ isStrong }) => isStrong)
    .flatMap(({ task, at, transaction: read }) => {
      const missed = writers.find(
        ({ transaction: each }) =>
          (each.returnedAt as number) < read.invokedAt &&
          each.operations.some(
            (append) =>
              append.kind === 'append' &&
              read.operations.some(
                (seen) =>
                  seen.kind === 'read' &&
                  seen.key === append.key &&
                  !seen.values?.includes(append.value),
              ),
          ),
      );
      if (missed === undefined) return [];
      const { returnedAt } = missed.transaction;
      return [
        `R${task} began at ${read.invokedAt} and read at ${at}: it misses T${missed.task}, which ` +
          `got the timestamp ${missed.at} and was told of at ${returnedAt} (microseconds)`,
      ];
    });
}

/** A read that was to show all that had ended before it began, and does not. */
export const staleRead = (history: readonly Noted[]): string | undefined => stale(history)[0];

/** How many there are of these. */
export const countStale = (history: readonly Noted[]): number => stale(history).length;

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
    .sort((one, two) => (one.at as number) - (two.at as number));
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
