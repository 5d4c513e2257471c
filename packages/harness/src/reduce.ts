/**
 * A smaller part of `items` that still passes `attempt`, found by delta debugging (Zeller and
 * Hildebrandt, 2002) without its first half: ever smaller runs of neighbours are left out, the last
 * first. `attempt` is asked about what would be kept, and must remember what it takes.
 */
export function reduce<T>(
  items: readonly T[],
  attempt: (kept: readonly T[]) => boolean,
): readonly T[] {
  let kept = items;
  if (kept.length > 0 && attempt([])) return [];
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
    let end = kept.length;
    while (end > 0) {
      const start = Math.max(0, end - size);
      const rest = [...kept.slice(0, start), ...kept.slice(end)];
      if (rest.length > 0 && attempt(rest)) kept = rest;
      end = start;
    }
  }
  return kept;
}
