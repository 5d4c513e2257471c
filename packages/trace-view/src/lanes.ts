/** The space-time picture. */
import { h, type JSX } from 'preact';
import { Bundle, crossAt, tipOf } from './bundles.ts';
import { Chunks } from './chunks.ts';
import type { Label } from './labels.ts';
import { type Arrow, heightOf, type Layout, layoutOf, type Mark } from './layout.ts';
import { nameOf, type TraceModel } from './model.ts';
import { classes, type ViewProps, type Window } from './views.ts';
import { summaryOf, timeText } from './words.ts';

/** How the picture is drawn. */
export interface LanesProps extends ViewProps {
  /** Made once for a run with `layoutOf`; made here if it is left out. */
  readonly layout?: Layout;
  /** What of the picture is in sight, in its own pixels; all of it is drawn if this is left out. */
  readonly window?: Window;
}

const isWithin = (window: Window | undefined, y: number): boolean =>
  window === undefined || (y >= window[0] && y <= window[1]);

/** Lanes side by side, time downwards: every message an arrow, every step a mark. */
export function Lanes(props: LanesProps): JSX.Element {
  const { model, at, selected, onSelect, layout = layoutOf(model), window } = props;
  const { width, height, arrows, marks, labels } = layout;
  const picture = h(
    'svg',
    {
      class: 'lanes',
      role: 'img',
      'aria-label': `Space-time picture. ${summaryOf(model, at)}. The story says it in words.`,
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
    },
    h(Patterns, null),
    h(Frame, { model, layout, at, window }),
    h(Chunks<Arrow>, {
      ...{ items: arrows, at, window },
      eventOf: ({ end }) => end,
      isChosen: ({ send, end }) => selected === send || selected === end,
      spanOf: ({ from, to }) => [Math.min(from[1], to[1]), Math.max(from[1], to[1])],
      draw: (arrow, isChosen) => h(ArrowView, { arrow, isChosen, onSelect }),
      ...(window && { drawAll: (all: readonly Arrow[]) => h(Bundle, { arrows: all, onSelect }) }),
    }),
    h(Chunks<Mark>, {
      ...{ items: marks, at, window },
      eventOf: ({ event }) => event,
      isChosen: ({ event }) => selected === event,
      spanOf: ({ y }) => [y, y],
      draw: (mark, isChosen) => h(MarkView, { mark, isChosen, onSelect }),
    }),
    // Labels come last, so that no line runs through them.
    h(Chunks<Label>, {
      ...{ items: labels, at, window },
      eventOf: ({ event }) => event,
      isChosen: ({ event }) => selected === event,
      spanOf: ({ box }) => [box.y, box.y],
      draw: (label, isChosen) => h(LabelView, { label, isChosen, onSelect }),
    }),
  );
  return h(
    'div',
    { class: 'space-time', style: `width: ${width}px` },
    h(Heads, { model, layout }),
    picture,
  );
}

/** Fills that tell what they stand for without a colour. */
export const Patterns = (): JSX.Element =>
  h(
    'defs',
    null,
    h(
      'pattern',
      { id: 'hatch', width: 5, height: 5, patternUnits: 'userSpaceOnUse', class: 'hatch' },
      h('path', { d: 'M-1 1L1 -1M0 5L5 0M4 6L6 4' }),
    ),
    h(
      'marker',
      {
        ...{ id: 'tip', viewBox: '0 0 8 8', refX: 7, refY: 4 },
        ...{ markerWidth: 7, markerHeight: 7, orient: 'auto', markerUnits: 'userSpaceOnUse' },
      },
      h('path', { d: 'M0 0L8 4L0 8z', class: 'tip' }),
    ),
  );

/** The names above the lanes, which stay in sight. */
function Heads({
  model,
  layout: { lanes, width },
}: {
  readonly model: TraceModel;
  readonly layout: Layout;
}): JSX.Element {
  return h(
    'svg',
    { class: 'lanes heads', 'aria-hidden': 'true', width, height: 28, viewBox: `0 0 ${width} 28` },
    lanes.map(({ seat, x }) => {
      const { liar = false, kind = 'replica' } = model.seats[seat] ?? {};
      return h(
        'g',
        { class: classes('lane', kind, liar && 'liar') },
        h('rect', { x: x - 18, y: 4, width: 36, height: 20, rx: liar ? 0 : 9 }),
        h(
          'text',
          { x, y: 18, 'text-anchor': 'middle' },
          `${liar ? '⚠' : ''}${nameOf(model, seat)}`,
        ),
      );
    }),
  );
}

/** Lanes, the moments, and how far the run has come. */
function Frame({
  model,
  layout: { lanes, rows, height, width },
  at,
  window,
}: {
  readonly model: TraceModel;
  readonly layout: Layout;
  readonly at: number;
  readonly window: Window | undefined;
}): JSX.Element {
  const y = heightOf(rows, model.events[at]?.t ?? 0);
  return h(
    'g',
    { class: 'frame' },
    lanes.map(({ seat, x }) =>
      h(
        'g',
        { class: classes('lane', model.seats[seat]?.kind) },
        h('line', { x1: x, y1: 0, x2: x, y2: height }),
      ),
    ),
    rows
      .filter(({ y: place }) => isWithin(window, place))
      .map(({ t, y: place, gap }) => [
        gap && h('text', { x: 30, y: place - 15, class: 'gap', 'text-anchor': 'middle' }, '⋮'),
        h('text', { x: 54, y: place + 4, class: 'time', 'text-anchor': 'end' }, timeText(t)),
      ]),
    y > 0 && h('line', { class: 'now', x1: 0, y1: y + 9, x2: width, y2: y + 9 }),
  );
}

/** How one thing is drawn. */
interface OneProps extends Pick<ViewProps, 'onSelect'> {
  readonly isChosen: boolean;
}

function ArrowView({
  arrow,
  isChosen,
  onSelect,
}: OneProps & { readonly arrow: Arrow }): JSX.Element {
  const { end, role, lost, from } = arrow;
  const [x1, y1] = from;
  const [x2, y2] = tipOf(arrow);
  const line = { x1, y1, x2, y2 };
  return h(
    'g',
    {
      class: classes('arrow', role, lost && 'lost', isChosen && 'chosen'),
      onClick: () => onSelect(end),
    },
    h('line', { class: 'reach', ...line }),
    h('line', { class: 'stroke', ...line, 'marker-end': lost ? undefined : 'url(#tip)' }),
    lost && h('path', { d: crossAt([x2, y2]), class: 'cross' }),
  );
}

/** A shape for each kind: a diamond is a commit, a square is on disk, a flag is a new leader. */
export const markShapes: Readonly<Record<Mark['kind'], string>> = {
  commit: 'M0 -7L7 0L0 7L-7 0z',
  accept: 'M-4 -4h8v8h-8z',
  state: 'M-3 6V-6L6 -3L-3 0',
  votes: 'M-6 0L-2 4L6 -5',
  fault: 'M-5 -5L5 5M5 -5L-5 5',
  client: 'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0',
  other: 'M-2 0a2 2 0 1 0 4 0a2 2 0 1 0 -4 0',
};

function MarkView({
  mark: { event, kind, x, y, conflicts },
  isChosen,
  onSelect,
}: OneProps & { readonly mark: Mark }): JSX.Element {
  return h(
    'g',
    {
      class: classes('mark', kind, conflicts && 'conflicts', isChosen && 'chosen'),
      transform: `translate(${x} ${y})`,
      onClick: () => onSelect(event),
    },
    h('circle', { class: 'reach', r: 10 }),
    h('path', { d: markShapes[kind], fill: conflicts ? 'url(#hatch)' : undefined }),
  );
}

function LabelView({
  label: { event, text, role, box },
  isChosen,
  onSelect,
}: OneProps & { readonly label: Label }): JSX.Element {
  return h(
    'text',
    {
      class: classes('label', role, isChosen && 'chosen'),
      x: box.x + 2,
      y: box.y + 10,
      onClick: () => onSelect(event),
    },
    text,
  );
}
