/** One run: the verdict first, then the picture and the logs. */
import { verdictSigns } from '@quorumlab/harness';
import { heightOf, Lanes, type Layout, Log, Ring, Story, type Window } from '@quorumlab/trace-view';
import { type ComponentChildren, h, type JSX, type TargetedEvent } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Ran } from './ran.ts';
import { save } from './save.ts';
import type { Side, State } from './state.ts';

/** The half of the page that shows one side. */
export function Pane({
  state,
  side,
}: {
  readonly state: State;
  readonly side: number;
}): JSX.Element {
  const it = state.sides.value[side];
  return h(
    'article',
    { class: 'pane' },
    it === undefined || it.is === 'running'
      ? h('p', { class: 'verdict', role: 'status' }, 'running … ', it?.note)
      : it.is === 'cannot'
        ? h('p', { class: 'verdict stalled', role: 'alert' }, it.why)
        : h(Run, { state, side, it }),
  );
}

function Run({
  state,
  side,
  it: { ran, model, note, clocks },
}: {
  readonly state: State;
  readonly side: number;
  readonly it: Side & { readonly is: 'ran' };
}): JSX.Element {
  const { view, cursors, drawn, selection } = state;
  const { Exports, Clocks } = state.rest.value ?? {};
  const layout = drawn.value[side]?.layout;
  const held = selection.value.side === side ? selection.value.event : undefined;
  const at = cursors.value[side] ?? -1;
  const onSelect = (event: number): void => state.hold(side, event);
  const selected = held ?? at;
  const isLarge = view.value === 'lanes' && layout !== undefined && drawnIn(layout) > mostDrawn;
  const now = layout === undefined ? 0 : heightOf(layout.rows, model.events[at]?.t ?? 0);
  const sight = useSight(at, now);
  const window = isLarge ? sight.window : undefined;
  const props = { model, at, selected, onSelect, ...(layout && { layout }) };
  // Regions of one page have names of their own.
  const sideName = state.sides.value.length > 1 ? ['left', 'right'][side] : undefined;
  const of = [state.title, sideName].filter(Boolean).join(', ');
  // A step moves the cursor of one side; what has not changed on the other is not drawn again.
  const same = [state, side, model, at, selected, layout];
  // The logs change with commits alone.
  const { commits } = model;
  const logAt = commits.findLast(({ event }) => event <= at)?.event ?? -1;
  const inLog = commits.some(({ event }) => event === selected) ? selected : undefined;
  const log = useMemo(
    () => h(Log, { model, at: logAt, selected: inLog, onSelect, of }),
    [state, side, model, logAt, inLog],
  );
  const picture = useMemo(
    () =>
      view.value === 'lanes'
        ? h(Lanes, { ...props, ...(window && { window }) })
        : h(view.value === 'ring' ? Ring : Story, props),
    [...same, view.value, window],
  );
  return h(
    'div',
    null,
    ran === undefined ? h('h2', null, model.protocol) : h(Verdict, { ran }),
    note !== undefined && h('p', { class: 'note', role: 'status' }, note),
    clocks !== undefined &&
      Clocks !== undefined &&
      h(Clocks, { moments: clocks, now: model.events[at]?.t ?? -1 }),
    log,
    h(Picture, { at, of, onScroll: sight.scrolledTo }, picture),
    ran !== undefined && h(Behind, { ran }),
    ran !== undefined && Exports !== undefined && h(Exports, { ran, model }),
  );
}

/** Of a picture with more in it only what is in sight is drawn: browsers draw no more at once. */
const mostDrawn = 1_500;
const drawnIn = ({ arrows, marks, labels }: Layout): number =>
  arrows.length + marks.length + labels.length;

/** In steps of so many pixels what is in sight changes. */
const windowStep = 500;

/**
 * What of a picture is in sight, with as much above and below it. The frame follows the cursor, so
 * a jump is known here before its frame has scrolled: nothing is drawn where nobody looks.
 */
function useSight(at: number, now: number) {
  const step = useRef(0);
  const before = useRef(at);
  const [, drawAgain] = useState(0);
  const isOutside = now < step.current * windowStep || now > (step.current + 2) * windowStep;
  if (before.current !== at && isOutside)
    step.current = Math.max(0, Math.floor((now - windowStep) / windowStep));
  before.current = at;
  const first = step.current;
  const window = useMemo(
    (): Window => [(first - 1) * windowStep, (first + 3) * windowStep],
    [first],
  );
  const scrolledTo = (top: number): void => {
    const next = Math.floor(top / windowStep);
    if (next === step.current) return;
    step.current = next;
    drawAgain(next);
  };
  return { window, scrolledTo };
}

/** A frame that follows the cursor. */
function Picture({
  at,
  of,
  onScroll,
  children,
}: {
  readonly at: number;
  readonly of: string;
  /** Told how far down it is. */
  readonly onScroll: (top: number) => void;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = frame.current;
    const now = box?.querySelector('.now, .story li:last-child');
    if (!box || !now) return;
    const from = now.getBoundingClientRect().top - box.getBoundingClientRect().top;
    if (from < 0 || from > box.clientHeight - 30) box.scrollTop += from - box.clientHeight * 0.8;
  }, [at]);
  return h(
    'div',
    {
      ...{ ref: frame, class: 'picture', tabIndex: 0 },
      onScroll: ({ currentTarget }: TargetedEvent<HTMLDivElement>) =>
        onScroll(currentTarget.scrollTop),
      ...{ role: 'region', 'aria-label': of ? `Picture of the run: ${of}` : 'Picture of the run' },
    },
    children,
  );
}

/** `✗ forked`, what was violated, and how it came to that. */
function Verdict({ ran }: { readonly ran: Ran }): JSX.Element {
  const { word, sentence, scenario, story, fired, title } = ran;
  const { attack = 'none' } = scenario ?? {};
  return h(
    'header',
    null,
    h('h2', null, title),
    h(
      'p',
      { class: `verdict ${word}`, role: 'status' },
      h('strong', null, `${verdictSigns[word]} ${word}`),
      ` ${sentence}`,
    ),
    h('p', { class: 'quiet' }, ran.expectation),
    attack !== 'none' &&
      fired === 0 &&
      h('p', { class: 'note' }, 'The attack did NOT fire: this says nothing about it.'),
    h(
      'details',
      { open: word !== 'ok' },
      h('summary', null, 'How it came to that'),
      h(
        'ul',
        null,
        story.map((each) => h('li', null, each)),
      ),
    ),
  );
}

/** What it takes to see the same run elsewhere. */
function Behind({ ran }: { readonly ran: Ran }): JSX.Element {
  const { headline, digest, command, trace, scenario } = ran;
  const file = `${ran.file}.trace.ndjson`;
  return h(
    'footer',
    { class: 'behind' },
    h('p', null, headline),
    h('p', null, 'digest ', h('code', null, digest)),
    command !== '' && h('p', null, 'the same run: ', h('code', null, command)),
    h(
      'button',
      {
        type: 'button',
        onClick: () => save(file, new Blob([trace], { type: 'application/x-ndjson' })),
      },
      `Save the trace${scenario === undefined ? '' : ', for quorumlab replay'}`,
    ),
  );
}
