/** Copies that are lost by name: how a run is repeated without some of its messages. */

/** The copies from one seat to another: the `nth` given to that link, from 0, or all of them. */
export type LostCopy = readonly [from: number, to: number, nth?: number];

/** What is to be lost, and how many copies each link has been given so far. */
export interface Losses {
  readonly all: ReadonlySet<number>;
  readonly some: ReadonlyMap<number, ReadonlySet<number>>;
  readonly carried: Float64Array;
}

/** The losses of a run among `n` seats. */
export function lossesOf(lost: readonly LostCopy[], n: number): Losses {
  const all = new Set<number>();
  const some = new Map<number, Set<number>>();
  for (const [from, to, nth] of lost) {
    const link = from * n + to;
    if (nth === undefined) all.add(link);
    else some.set(link, (some.get(link) ?? new Set()).add(nth));
  }
  return { all, some, carried: new Float64Array(n * n) };
}

/** Counts a copy on its link; whether it is one of those to be lost. */
export function isLost({ all, some, carried }: Losses, link: number): boolean {
  const nth = carried[link] as number;
  carried[link] = nth + 1;
  return all.has(link) || (some.get(link)?.has(nth) ?? false);
}

/** What happens to one copy besides: the `nth` that is given to a link, from 0. */
export interface CopyChange {
  readonly from: number;
  readonly to: number;
  readonly nth: number;
  /** It gets lost, arrives a second time, or arrives `after` microseconds behind its sending. */
  readonly does: 'drop' | 'twice' | 'move';
  /** Of `move`: when it arrives; of `twice`: when the second one does. */
  readonly after?: number;
}

/** The changes of a run, and how many copies each link has been given so far. */
export interface CopyChanges {
  readonly byLink: ReadonlyMap<number, ReadonlyMap<number, CopyChange>>;
  readonly carried: Float64Array;
}

/** The changes of a run among `n` seats; of two for one copy the later counts. */
export function copyChangesOf(changes: readonly CopyChange[], n: number): CopyChanges {
  const byLink = new Map<number, Map<number, CopyChange>>();
  for (const change of changes) {
    const link = change.from * n + change.to;
    byLink.set(link, (byLink.get(link) ?? new Map()).set(change.nth, change));
  }
  return { byLink, carried: new Float64Array(n * n) };
}

/** Counts a copy on its link; what is to happen to it. */
export function changeOf({ byLink, carried }: CopyChanges, link: number): CopyChange | undefined {
  const nth = carried[link] as number;
  carried[link] = nth + 1;
  return byLink.get(link)?.get(nth);
}
