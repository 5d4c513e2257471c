/** What clocks answered, beside true time: intervals, and the timestamps that came of them. */
import { h, type JSX } from 'preact';
import { classes } from './views.ts';

/** A moment at which a clock was asked, or somebody was told. Microseconds. */
export interface ClockMoment {
  /** True time. */
  readonly at: number;
  /** Whose clock, or who is told. */
  readonly who: string;
  /** What comes of it, in a few words. */
  readonly what: string;
  /** What the clock answered; nothing of who only hears something. */
  readonly interval?: { readonly earliest: number; readonly latest: number };
  /** The timestamp that it is about. */
  readonly timestamp?: number;
}

/** See {@link Clocks}. */
export interface ClocksProps {
  readonly moments: readonly ClockMoment[];
  /** True time up to which moments are shown: where the cursor stands. */
  readonly now: number;
}

const row = 26;
const left = 190;
const right = 520;
const top = 22;

/**
 * A row for each moment, the first on top, and time from left to right: a bar for the interval that
 * the clock answered, a stroke for true time, a diamond for the timestamp. The words say all of it.
 */
export function Clocks({ moments, now }: ClocksProps): JSX.Element | null {
  const times = moments.flatMap(({ at, interval, timestamp }) => [
    at,
    ...(interval === undefined ? [] : [interval.earliest, interval.latest]),
    ...(timestamp === undefined ? [] : [timestamp]),
  ]);
  const shown = moments.filter(({ at }) => at <= now);
  if (shown.length === 0) return null;
  // The scale is that of all moments, so that nothing moves when the next one is shown.
  const first = Math.min(...times);
  const span = Math.max(1, Math.max(...times) - first);
  const x = (time: number): number => left + ((time - first) / span) * (right - left);
  const height = top + row * moments.length;
  return h(
    'figure',
    { class: 'clocks', tabIndex: 0, 'aria-label': 'Clocks beside true time' },
    h(
      'svg',
      {
        ...{ role: 'img', width: right + 12, height, viewBox: `0 0 ${right + 12} ${height}` },
        'aria-label': `Clocks beside true time. ${shown.map(sentenceOf).join(' ')}`,
      },
      h('text', { class: 'quiet', x: left, y: 12 }, 'earlier'),
      h('text', { class: 'quiet', x: right, y: 12, 'text-anchor': 'end' }, 'later'),
      shown.map((moment, i) => h(Moment, { moment, x, y: top + i * row, key: i })),
    ),
    h(
      'figcaption',
      null,
      'A bar is what a clock answers, a stroke is true time, a diamond is a timestamp.',
    ),
  );
}

interface MomentProps {
  readonly moment: ClockMoment;
  readonly x: (time: number) => number;
  readonly y: number;
}

function Moment({ moment, x, y }: MomentProps): JSX.Element {
  const { at, who, what, interval, timestamp } = moment;
  const middle = y + row / 2;
  return h(
    'g',
    { class: classes('moment', interval === undefined && 'told') },
    h('title', null, sentenceOf(moment)),
    h('text', { x: 4, y: middle + 3 }, `${who} ${what}`),
    interval !== undefined &&
      h('rect', {
        class: 'interval',
        ...{ x: x(interval.earliest), y: middle - 6, height: 12 },
        width: Math.max(1, x(interval.latest) - x(interval.earliest)),
      }),
    h('path', { class: 'true', d: `M${x(at)} ${middle - 10}V${middle + 10}` }),
    timestamp !== undefined &&
      h('path', { class: 'stamp', d: `M${x(timestamp)} ${middle - 5}l5 5l-5 5l-5 -5z` }),
  );
}

/** A moment as a sentence. */
function sentenceOf({ at, who, what, interval, timestamp }: ClockMoment): string {
  const shown = interval && ` Its clock answers ${interval.earliest} to ${interval.latest}.`;
  const about = timestamp === undefined ? '' : `, timestamp ${timestamp}`;
  return `At ${at}: ${who} ${what}${about}.${shown ?? ''}`;
}
