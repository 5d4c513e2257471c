/** One scale for several runs: every event that is shown, by its time. */
import type { Layout, TraceModel } from '@quorumlab/trace-view';

/** A moment: an event of one side. */
export interface Moment {
  readonly side: number;
  readonly event: number;
  readonly t: number;
}

/** What there is of one side. */
export interface Drawn {
  readonly model: TraceModel;
  readonly layout: Layout;
}

/** All moments of all sides, earliest first; of one time, the left side first. */
export const timelineOf = (sides: readonly (Drawn | undefined)[]): readonly Moment[] =>
  sides
    .flatMap((drawn, side) =>
      (drawn?.layout.shown ?? []).map((event) => ({
        ...{ side, event },
        t: drawn?.model.events[event]?.t ?? 0,
      })),
    )
    .sort((one, two) => one.t - two.t || one.side - two.side || one.event - two.event);

/** The last event of each side when `count` moments are over; -1 if none of it is. */
export function cursorsAt(
  timeline: readonly Moment[],
  count: number,
  sides: number,
): readonly number[] {
  const cursors = Array.from({ length: sides }, () => -1);
  // Moments of one side stand in the order of its events, so the last one is what is looked for.
  let open = sides;
  for (let i = Math.min(count, timeline.length) - 1; i >= 0 && open > 0; i--) {
    const { side, event } = timeline[i] as Moment;
    if (cursors[side] !== -1) continue;
    cursors[side] = event;
    open--;
  }
  return cursors;
}

/** How many moments are over when `event` of `side` has happened. */
export const countAt = (timeline: readonly Moment[], side: number, event: number): number =>
  timeline.findLastIndex((each) => each.side === side && each.event <= event) + 1;

/** How many moments are over at a time. */
export const countUntil = (timeline: readonly Moment[], time: number): number =>
  timeline.findLastIndex(({ t }) => t <= time) + 1;

/** Where people begin: at the first violation, or else at the end. */
export function startOf(
  timeline: readonly Moment[],
  sides: readonly (Drawn | undefined)[],
): number {
  const found = timeline.findIndex(({ side, event }) => sides[side]?.model.violation === event);
  return found < 0 ? timeline.length : found + 1;
}

/** The nearest moment after (or before) `count` that `is` what is looked for, as a count. */
export function nextWhere(
  timeline: readonly Moment[],
  count: number,
  step: 1 | -1,
  is: (moment: Moment) => boolean,
): number {
  for (let i = count - 1 + step; i >= 0 && i < timeline.length; i += step)
    if (is(timeline[i] as Moment)) return i + 1;
  return count;
}
