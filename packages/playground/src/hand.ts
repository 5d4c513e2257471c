/** The part of the page with which a run is changed by hand, and its branches. */
import { type Signal, useSignal } from '@preact/signals';
import { editText } from '@quorumlab/harness/link';
import { h, type JSX, type TargetedEvent } from 'preact';
import {
  type Act,
  actsOnMessage,
  actsOnNode,
  type Held,
  heldIn,
  splitAct,
  withoutEdit,
} from './editing.ts';
import { OwnScript, Search } from './finding.ts';
import type { State } from './state.ts';

interface Props {
  readonly state: State;
}

/** Everything that makes branches. */
export function Hand({ state }: Props): JSX.Element {
  return h(
    'details',
    { class: 'hand' },
    h('summary', null, 'Change this run by hand, or search'),
    h(Changes, { state }),
    h(Edits, { state }),
    h(Search, { state }),
    h(OwnScript, { state }),
  );
}

const ActButton = ({ state, act }: Props & { readonly act: Act }): JSX.Element =>
  h('button', { type: 'button', onClick: () => state.edit(act.title, act.settings) }, act.title);

function Changes({ state }: Props): JSX.Element | null {
  const chosen = useSignal<number | undefined>(undefined);
  const apart = useSignal<readonly number[]>([]);
  const held = heldIn(state);
  if (held === undefined) return null;
  const { settings } = state.place.value;
  const { model, event, side } = held;
  const replicas = model.seats.filter(({ kind }) => kind === 'replica');
  const isReplica = (node: number | undefined): boolean =>
    replicas.some(({ index }) => index === node);
  const node = [chosen.value, event?.n, 0].find(isReplica) ?? 0;
  const onMessage = actsOnMessage(settings, held);
  return h(
    'div',
    null,
    h(
      'p',
      { class: 'quiet' },
      `In ${model.protocol}, the ${side === 0 ? 'left' : 'right'} one, from this moment on. What ` +
        'is held, or happened last, is changed; the run as it was stays as a branch.',
    ),
    h(
      'div',
      { class: 'choices' },
      h(
        'label',
        null,
        'Node ',
        h(
          'select',
          {
            value: String(node),
            onChange: ({ currentTarget }: TargetedEvent<HTMLSelectElement>) =>
              void (chosen.value = Number(currentTarget.value)),
          },
          replicas.map(({ index, name }) =>
            h('option', { value: String(index), selected: index === node }, name),
          ),
        ),
      ),
      actsOnNode(settings, held, node).map((act) => h(ActButton, { state, act })),
    ),
    onMessage.length > 0 &&
      h(
        'div',
        { class: 'choices' },
        onMessage.map((act) => h(ActButton, { state, act })),
      ),
    h(SplitChoice, { state, held, apart }),
  );
}

/** Which nodes are cut off from all others. */
function SplitChoice({
  state,
  held,
  apart,
}: Props & { readonly held: Held; readonly apart: Signal<readonly number[]> }): JSX.Element {
  const replicas = held.model.seats.filter(({ kind }) => kind === 'replica');
  const chosen = apart.value.filter((id) => replicas.some(({ index }) => index === id));
  return h(
    'fieldset',
    { class: 'choices' },
    h('legend', null, 'Split'),
    replicas.map(({ index, name }) =>
      h(
        'label',
        null,
        h('input', {
          type: 'checkbox',
          checked: chosen.includes(index),
          onChange: () =>
            void (apart.value = chosen.includes(index)
              ? chosen.filter((id) => id !== index)
              : [...chosen, index]),
        }),
        name,
      ),
    ),
    h(ActButton, { state, act: splitAct(state.place.value.settings, held, chosen) }),
  );
}

/** What was changed, each to be taken back, and the branches. */
function Edits({ state }: Props): JSX.Element {
  const { settings } = state.place.value;
  const { branches, branch } = state;
  return h(
    'div',
    null,
    h(
      'ul',
      { class: 'edits' },
      ([0, 1] as const).flatMap((side) =>
        settings.edits[side].map((edit, i) =>
          h(
            'li',
            null,
            h('code', null, editText(edit)),
            ` ${side === 0 ? 'left' : 'right'} `,
            h(
              'button',
              {
                type: 'button',
                onClick: () =>
                  state.edit(`without ${editText(edit)}`, withoutEdit(settings, side, i)),
              },
              'take back',
            ),
          ),
        ),
      ),
    ),
    branches.value.length > 1 &&
      h(
        'div',
        { class: 'choices', role: 'group', 'aria-label': 'Branches' },
        branches.value.map(({ name }, i) => [
          h(
            'button',
            { type: 'button', 'aria-pressed': i === branch.value, onClick: () => state.turnTo(i) },
            `${i === branch.value ? '●' : '○'} ${name}`,
          ),
          i > 0 &&
            h(
              'button',
              { type: 'button', 'aria-label': `forget ${name}`, onClick: () => state.forget(i) },
              '×',
            ),
        ]),
      ),
  );
}
