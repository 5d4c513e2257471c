/** A whole run as a picture that stands still: for a report, or for a page on paper. */
import { h, type JSX } from 'preact';
import { markShapes, Patterns } from './lanes.ts';
import { type ArrowRole, type Layout, layoutOf } from './layout.ts';
import { nameOf, type TraceModel } from './model.ts';
import { classes } from './views.ts';
import { summaryOf, timeText } from './words.ts';

/** What is drawn. */
export interface PictureProps {
  readonly model: TraceModel;
  /** Made once for a run with `layoutOf`; made here if it is left out. */
  readonly layout?: Layout;
}

/** Where the lanes begin, below their names. */
const headHeight = 28;
const roles: readonly ArrowRole[] = ['other', 'client', 'value', 'lie'];

/**
 * The space-time picture of a whole run as one SVG element without anything to click, so it is a
 * few kilobytes. A document that has several of them has {@link PictureDefinitions} once.
 */
export function Picture({ model, layout = layoutOf(model) }: PictureProps): JSX.Element {
  const { width, height, lanes, rows, marks, labels } = layout;
  return h(
    'svg',
    {
      class: 'lanes',
      role: 'img',
      'aria-label': `Space-time picture. ${summaryOf(model)}.`,
      width,
      height: height + headHeight,
      viewBox: `0 ${-headHeight} ${width} ${height + headHeight}`,
    },
    h(
      'g',
      { class: 'frame' },
      lanes.map(({ seat, x }) => {
        const { kind = 'replica', liar = false } = model.seats[seat] ?? {};
        return h(
          'g',
          { class: classes('lane', kind, liar && 'liar') },
          h('line', { x1: x, y1: 0, x2: x, y2: height }),
          h('rect', { x: x - 18, y: 4 - headHeight, width: 36, height: 20, rx: liar ? 0 : 9 }),
          h(
            'text',
            { x, y: 18 - headHeight, 'text-anchor': 'middle' },
            `${liar ? '⚠' : ''}${nameOf(model, seat)}`,
          ),
        );
      }),
      rows.map(({ t, y, gap }) => [
        gap && h('text', { x: 30, y: y - 15, class: 'gap', 'text-anchor': 'middle' }, '⋮'),
        h('text', { x: 54, y: y + 4, class: 'time', 'text-anchor': 'end' }, timeText(t)),
      ]),
    ),
    roles.map((role) => h(Arrows, { layout, role })),
    marks.map(({ kind, x, y, conflicts }) =>
      h(
        'g',
        {
          class: classes('mark', kind, conflicts && 'conflicts'),
          transform: `translate(${x} ${y})`,
        },
        h('path', { d: markShapes[kind] }),
      ),
    ),
    labels.map(({ text, role, box }) =>
      h('text', { class: classes('label', role), x: tenth(box.x + 2), y: tenth(box.y + 10) }, text),
    ),
  );
}

/** All arrows of one role: what they share is said once. */
function Arrows({
  layout: { arrows },
  role,
}: {
  readonly layout: Layout;
  readonly role: ArrowRole;
}): JSX.Element | null {
  const own = arrows.filter((arrow) => arrow.role === role);
  if (own.length === 0) return null;
  const line = (part: number) =>
    own
      .filter(({ lost }) => lost === part < 1)
      .map(({ from: [x1, y1], to: [x2, y2] }) => {
        // A lost message ends before it gets there.
        const x = tenth(x1 + (x2 - x1) * part);
        const y = tenth(y1 + (y2 - y1) * part);
        return { d: `M${x1} ${y1}L${x} ${y}`, x, y };
      });
  const lost = line(0.85);
  return h(
    'g',
    { class: `arrow ${role}` },
    h(
      'g',
      { class: 'stroke', 'marker-end': 'url(#tip)' },
      line(1).map(({ d }) => h('path', { d })),
    ),
    lost.length > 0 &&
      h(
        'g',
        { class: 'stroke' },
        lost.map(({ d }) => h('path', { d })),
      ),
    lost.map(({ x, y }) => h('path', { d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8`, class: 'cross' })),
  );
}

const tenth = (value: number): number => Math.round(10 * value) / 10;

/** What pictures refer to: the pattern of a fork, and the tip of arrows. It takes no room. */
export const PictureDefinitions = (): JSX.Element =>
  h('svg', { width: 0, height: 0, 'aria-hidden': 'true', class: 'definitions' }, h(Patterns, null));
