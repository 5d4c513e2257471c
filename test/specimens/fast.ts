/**
 * What a new primary of a fast protocol chooses by, when reports of the old view are all that it
 * has: the rules of Zyzzyva (Kotla et al. 2007) and of parametrised FaB (Martin and Alvisi 2006),
 * as published and as they can be. One position of the log, n = 4, f = 1.
 */

/** What a replica says when it leaves a view. */
export interface Report {
  readonly from: number;
  /** What it has accepted last, and in which view. */
  readonly accepted: { readonly value: string; readonly view: number } | null;
  /** A quorum has accepted this value in this view, by their signatures. */
  readonly proof: { readonly value: string; readonly view: number } | null;
}

const groupSize = { n: 4, f: 1 };

/** Values that `least` report as accepted, each with the latest view in which so many do. */
function reported(reports: readonly Report[], least: number): ReadonlyMap<string, number> {
  const views = new Map<string, number[]>();
  for (const { accepted } of reports)
    if (accepted !== null)
      views.set(accepted.value, [...(views.get(accepted.value) ?? []), accepted.view]);
  const found = new Map<string, number>();
  for (const [value, all] of views) {
    const view = all.sort((one, other) => other - one)[least - 1];
    if (view !== undefined) found.set(value, view);
  }
  return found;
}

const provenIn = (reports: readonly Report[]) =>
  reports.flatMap(({ proof }) => (proof === null ? [] : [proof]));

/** Zyzzyva as published: a commit certificate counts more than any history, of whatever view. */
export function zyzzyva(reports: readonly Report[]): string | undefined {
  const [certificate] = provenIn(reports);
  const [history] = reported(reports, groupSize.f + 1).keys();
  return certificate?.value ?? history;
}

/** What of the latest view may have been decided; of one view what is proven comes first. */
export function latestFirst(reports: readonly Report[]): string | undefined {
  const candidates = [
    ...provenIn(reports).map(({ value, view }) => ({ value, rank: 2 * view + 1 })),
    ...[...reported(reports, groupSize.f + 1)].map(([value, view]) => ({ value, rank: 2 * view })),
  ];
  return candidates.sort((one, other) => other.rank - one.rank)[0]?.value;
}

/**
 * FaB as published, t = 0: what may be proposed among `values`. One is barred if ⌈(n-f+1)/2⌉ have
 * accepted another, or if there is a proof for another.
 */
export function fab(reports: readonly Report[], values: readonly string[]): readonly string[] {
  const { n, f } = groupSize;
  const many = reported(reports, Math.ceil((n - f + 1) / 2));
  const proven = provenIn(reports);
  return values.filter(
    (value) =>
      ![...many.keys()].some((other) => other !== value) &&
      !proven.some((other) => other.value !== value),
  );
}
