/** Where keys are, as far as a client knows: a cache, which refusals set right. */
import type { Range } from './operations.ts';
import { isIn } from './ranges.ts';

/** See {@link router}. */
export interface Router {
  /** The group that has `key`, as far as is known; it may have moved since. */
  groupOf(key: string): number | undefined;
  /** Takes over what a group says: of two that speak of one key the higher epoch is right. */
  learn(known: readonly Range[]): void;
  /** What is known, by the first key. */
  ranges(): readonly Range[];
}

/** Most ranges of a table. */
const mostRanges = 65_536;

/** A table that knows `ranges` at first. */
export function router(ranges: readonly Range[] = []): Router {
  let table: readonly Range[] = [];
  const learn = (known: readonly Range[]): void => {
    for (const range of known) {
      const overlapping = table.filter((each) => meets(each, range));
      if (overlapping.some((each) => each.epoch > range.epoch)) {
        // Part of it may be news all the same: what the newer ones leave of it.
        const left = overlapping
          .filter((each) => each.epoch > range.epoch)
          .reduce<readonly Range[]>(
            (parts, each) => parts.flatMap((part) => minus(part, each)),
            [range],
          );
        if (left.length > 0) learn(left);
        continue;
      }
      const rest = overlapping.flatMap((each) => minus(each, range));
      const others = table.filter((each) => !overlapping.includes(each));
      table = [...others, ...rest, range]
        .sort((one, other) => (one.from < other.from ? -1 : 1))
        .slice(0, mostRanges);
    }
  };
  learn(ranges);
  return {
    groupOf: (key) => table.find((range) => isIn(range, key))?.group,
    learn,
    ranges: () => table,
  };
}

const meets = (one: Range, other: Range): boolean =>
  (one.to === null || other.from < one.to) && (other.to === null || one.from < other.to);

/** What is left of `range` without `taken`. */
function minus(range: Range, taken: Range): readonly Range[] {
  if (!meets(range, taken)) return [range];
  const parts: Range[] = [];
  if (range.from < taken.from) parts.push({ ...range, to: taken.from });
  if (taken.to !== null && (range.to === null || taken.to < range.to))
    parts.push({ ...range, from: taken.to });
  return parts;
}
