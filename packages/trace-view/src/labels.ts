/** Labels that stand on nothing else: who matters most chooses first. */

/** A rectangle by its upper left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A label at its place. */
export interface Label {
  /** The event at which it comes to be. */
  readonly event: number;
  readonly text: string;
  /** The role of the arrow, or the kind of the mark, that it belongs to. */
  readonly role: string;
  readonly box: Box;
}

/** A label that wants a place: the first of its places that is free. */
export interface Wish extends Pick<Label, 'event' | 'text' | 'role'> {
  /** Lower ones choose first. */
  readonly rank: number;
  readonly places: readonly {
    readonly x: number;
    readonly y: number;
    readonly anchor: 'start' | 'middle' | 'end';
  }[];
  /** The end of the text, which is never cut off: a count. */
  readonly tail?: string;
  /** Pixels at most; what is longer is cut, with a sign for that. */
  readonly room: number;
}

/** Of the monospaced font of labels, which is as wide everywhere. */
const letterWidth = 6.1;
const labelHeight = 13;

/** Whether two rectangles share more than an edge. */
export const overlap = (one: Box, two: Box): boolean =>
  one.x < two.x + two.width &&
  two.x < one.x + one.width &&
  one.y < two.y + two.height &&
  two.y < one.y + one.height;

/** What fits into `room`, with an ellipsis if not all does. */
function cut({ text, tail = '', room }: Wish): string {
  const letters = [...text];
  const most = Math.max(2, Math.floor(room / letterWidth) - [...tail].length);
  return letters.length <= most
    ? `${text}${tail}`
    : `${letters.slice(0, most - 1).join('')}…${tail}`;
}

/**
 * Places labels so that none covers another nor any of `taken`, nor leaves the picture. One that
 * finds no place is left out: what it says is in the inspector and in the story.
 */
export function placeLabels(
  wishes: readonly Wish[],
  taken: readonly Box[],
  width: number,
): readonly Label[] {
  const bands = new Map<number, Box[]>();
  const near = (box: Box): readonly number[] => {
    const first = Math.floor(box.y / 64);
    const last = Math.floor((box.y + box.height) / 64);
    return first === last ? [first] : [first, last];
  };
  const take = (box: Box): void => {
    for (const band of near(box)) {
      const known = bands.get(band);
      if (known === undefined) bands.set(band, [box]);
      else known.push(box);
    }
  };
  for (const box of taken) take(box);
  const isFree = (box: Box): boolean =>
    box.x >= 0 &&
    box.x + box.width <= width &&
    near(box).every((band) => !(bands.get(band) ?? []).some((each) => overlap(each, box)));
  const labels: Label[] = [];
  for (const wish of [...wishes].sort((one, two) => one.rank - two.rank)) {
    const { event, role, places } = wish;
    const shown = cut(wish);
    const wide = [...shown].length * letterWidth + 4;
    for (const { x, y, anchor } of places) {
      const start = anchor === 'start' ? x : anchor === 'end' ? x - wide : x - wide / 2;
      const box = { x: start, y: y - labelHeight / 2, width: wide, height: labelHeight };
      if (!isFree(box)) continue;
      take(box);
      labels.push({ event, text: shown, role, box });
      break;
    }
  }
  return labels;
}
