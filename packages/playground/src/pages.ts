/** The pages, and what is around them. */
import { engine } from '@quorumlab/harness';
import { h, type JSX, type TargetedEvent } from 'preact';
import { Compare } from './compare.ts';
import { Controls } from './controls.ts';
import { Learn } from './learn.ts';
import { otherRun } from './link.ts';
import { Player } from './player.ts';
import { comparedAt } from './settings.ts';
import type { State } from './state.ts';

interface Props {
  readonly state: State;
}

const links = [
  ['#/', 'The experiment'],
  ['#/learn', 'Lessons'],
  ['#/play', 'Play'],
  ['#/compare', 'Compare'],
  ['#/trace', 'Open a trace'],
] as const;

/** The whole page. */
export function App({ state }: Props): JSX.Element {
  const { route, complaints } = state.place.value;
  const page = { home: Home, play: Play, compare: Compare, trace: TracePage, learn: Learn }[route];
  const here = route === 'home' ? '#/' : `#/${route}`;
  return h(
    'div',
    { class: 'quorumlab app' },
    h(
      'nav',
      { 'aria-label': 'Pages' },
      h('strong', null, 'quorumlab'),
      links.map(([href, title]) =>
        h('a', { href, 'aria-current': href === here ? 'page' : undefined }, title),
      ),
      h('span', { class: 'quiet' }, `${engine}, all of it runs in this page`),
    ),
    complaints.map((each) => h('p', { class: 'note', role: 'alert' }, each)),
    h(page, { state }),
  );
}

/** One lie, two protocols: already run, and paused where it matters. */
function Home({ state }: Props): JSX.Element {
  const { settings } = state.place.value;
  const lies = settings.attack !== 'none';
  return h(
    'main',
    null,
    h('h1', null, lies ? 'One node lies. One group believes it.' : 'Nobody lies. Both agree.'),
    h(
      'p',
      { class: 'lead' },
      lies
        ? 'n0 leads, and signs one value for one half and another for the rest. Raft was built ' +
            'for crashes, and commits both. PBFT was built for lies, and does not.'
        : 'The same groups, the same clients and the same seed, without the lie.',
    ),
    h(
      'p',
      { class: 'choices' },
      h(
        'button',
        {
          type: 'button',
          onClick: () => {
            state.move(0);
            state.pace.value = 8;
          },
        },
        'Play it from the start',
      ),
      h(
        'button',
        {
          type: 'button',
          onClick: () => state.run({ ...settings, attack: lies ? 'none' : 'equivocating-leader' }),
        },
        lies ? 'Make the traitor honest' : 'Let n0 lie again',
      ),
      h('a', { class: 'button', href: state.link() }, 'Change anything'),
      h('a', { class: 'button', href: '#/learn' }, 'Start the lessons'),
    ),
    h('p', { class: 'quiet' }, `Both ${comparedAt(settings)}; seed ${settings.seed}.`),
    h(Player, { state }),
  );
}

function Play({ state }: Props): JSX.Element {
  const { place, sides } = state;
  const digests = sides.value.flatMap((side) =>
    side.is === 'ran' && side.ran !== undefined ? [side.ran.digest] : [],
  );
  const other = digests.length === 2 ? otherRun(place.value, digests) : undefined;
  return h(
    'main',
    null,
    h('h1', null, 'Two protocols, one attack'),
    h(Controls, { state }),
    other !== undefined && h('p', { class: 'note', role: 'alert' }, other),
    h(
      'label',
      { class: 'share' },
      'Link to this ',
      h('input', {
        readOnly: true,
        value: state.link(),
        onFocus: ({ currentTarget }: TargetedEvent<HTMLInputElement>) => currentTarget.select(),
      }),
    ),
    h(Player, { state }),
  );
}

/** Bytes of a trace at most: as a picture it takes many times as much. */
const mostBytes = 32 * 1024 * 1024;

function TracePage({ state }: Props): JSX.Element {
  const open = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    if (file.size > mostBytes)
      state.sides.value = [
        { is: 'cannot', why: 'This trace has more than 32 MiB; shrink it with quorumlab shrink.' },
      ];
    else state.open(await file.text());
  };
  return h(
    'main',
    {
      onDragOver: (event: DragEvent) => event.preventDefault(),
      onDrop: (event: DragEvent) => {
        event.preventDefault();
        void open(event.dataTransfer?.files[0]);
      },
    },
    h('h1', null, 'Open a trace'),
    h(
      'p',
      null,
      'A file that quorumlab run --trace or quorumlab attack has written. It stays on this ' +
        'machine: it is read here, run again here, and compared line by line.',
    ),
    h('input', {
      type: 'file',
      'aria-label': 'a trace file',
      accept: '.ndjson',
      onChange: ({ currentTarget }: TargetedEvent<HTMLInputElement>) =>
        void open(currentTarget.files?.[0]),
    }),
    state.sides.value.length > 0 && h(Player, { state }),
  );
}
