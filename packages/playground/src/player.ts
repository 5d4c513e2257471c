/** One or two runs with the scale below them and the evidence beside them. */
import { Inspector, timeText } from '@quorumlab/trace-view';
import { h, type JSX, type TargetedEvent } from 'preact';
import { keyActions, playOrPause } from './keys.ts';
import { Pane } from './pane.ts';
import type { State, View } from './state.ts';
import { nextWhere } from './timeline.ts';

interface Props {
  readonly state: State;
}

/** The runs of a state. */
export function Player({ state }: Props): JSX.Element {
  const { sides, helping } = state;
  return h(
    'div',
    { class: 'player' },
    h(Choices, { state }),
    h(
      'div',
      { class: `sides of-${sides.value.length}` },
      sides.value.map((_, side) => h(Pane, { state, side, key: side })),
      h(Evidence, { state }),
    ),
    helping.value && h(Keys, { state }),
    h(Scrubber, { state }),
  );
}

const views: readonly (readonly [View, string])[] = [
  ['lanes', 'Space-time'],
  ['ring', 'Ring'],
  ['story', 'Story'],
];

function Choices({ state: { view, everything, helping } }: Props): JSX.Element {
  return h(
    'div',
    { class: 'choices' },
    views.map(([name, title]) =>
      h(
        'button',
        {
          type: 'button',
          'aria-pressed': view.value === name,
          onClick: () => void (view.value = name),
        },
        title,
      ),
    ),
    h(
      'label',
      null,
      h('input', {
        type: 'checkbox',
        checked: everything.value,
        onChange: () => void (everything.value = !everything.value),
      }),
      'every message, also those that changed nothing',
    ),
    h(
      'button',
      {
        type: 'button',
        'aria-pressed': helping.value,
        onClick: () => void (helping.value = !helping.value),
      },
      'Keys ?',
    ),
  );
}

/** What is held, or else what happened last. */
function Evidence({ state }: Props): JSX.Element {
  const { selection, timeline, drawn, sides, hold } = state;
  const { side: held, event, count } = selection.value;
  const last = timeline.value[count - 1];
  const side = held ?? last?.side ?? 0;
  const model = drawn.value[side]?.model;
  if (model === undefined) return h('aside', { class: 'evidence' });
  const it = sides.value[side];
  return h(
    'aside',
    { class: 'evidence' },
    h('h3', null, model.protocol),
    h(Inspector, {
      model,
      selected: event ?? last?.event,
      onSelect: (i: number) => hold(side, i),
      of: state.title,
      ...(it?.is === 'ran' && it.ran !== undefined ? { proofs: it.ran.proofs } : {}),
    }),
  );
}

/** Start, back, play, on, end, and where the runs stand. */
function Scrubber({ state }: Props): JSX.Element {
  const { selection, timeline, pace, move, drawn } = state;
  const { count } = selection.value;
  const all = timeline.value.length;
  const now = timeline.value[count - 1];
  const toViolation = (): void =>
    move(
      nextWhere(timeline.value, count, 1, ({ side, event }) => {
        const { k, conflicts } = drawn.value[side]?.model.events[event] ?? {};
        return k === 'violation' || conflicts === true;
      }),
    );
  const button = (title: string, sign: string, onClick: () => void): JSX.Element =>
    h('button', { type: 'button', title, 'aria-label': title, disabled: all === 0, onClick }, sign);
  return h(
    'div',
    { class: 'scrubber' },
    button('to the start', '|◀', () => move(0)),
    button('one event back', '◀', () => move(count - 1)),
    button(pace.value === 0 ? 'play' : 'pause', pace.value === 0 ? '▶ Play' : '❚❚ Pause', () =>
      playOrPause(state),
    ),
    button('one event on', '▶', () => move(count + 1)),
    button('next violation', '✗ ▶', toViolation),
    h('input', {
      type: 'range',
      'aria-label': 'events that have happened',
      min: 0,
      max: all,
      value: count,
      onInput: ({ currentTarget }: TargetedEvent<HTMLInputElement>) =>
        move(Number(currentTarget.value)),
    }),
    h('output', null, `event ${count} of ${all}${now ? `, ${timeText(now.t)}` : ''}`),
    h(
      'select',
      {
        'aria-label': 'events a second',
        value: String(pace.value),
        onChange: ({ currentTarget }: TargetedEvent<HTMLSelectElement>) =>
          void (pace.value = Number(currentTarget.value)),
      },
      [0, 2, 8, 30].map((each) =>
        h('option', { value: String(each) }, each === 0 ? 'paused' : `${each} a second`),
      ),
    ),
  );
}

function Keys({ state: { letters, rest, title } }: Props): JSX.Element {
  const offered = keyActions.filter(({ byHand }) => !byHand || rest.value !== undefined);
  const named = (key: string): string => (key === ' ' ? 'Space' : key.replace('Arrow', ''));
  return h(
    'section',
    { class: 'keys', 'aria-label': title ? `Keys: ${title}` : 'Keys' },
    h(
      'label',
      null,
      h('input', {
        type: 'checkbox',
        checked: letters.value,
        onChange: () => void (letters.value = !letters.value),
      }),
      'single letters are commands',
    ),
    h(
      'table',
      null,
      offered.map(({ keys, title }) =>
        h('tr', null, h('th', { scope: 'row' }, keys.map(named).join(' ')), h('td', null, title)),
      ),
    ),
  );
}
