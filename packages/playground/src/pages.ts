/** The pages, and what is around them. */
import { engine } from '@quorumlab/harness';
import { comparedAt } from '@quorumlab/harness/link';
import { Component, type ComponentChildren, h, type JSX } from 'preact';
import { Player } from './player.ts';
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
  const page = route === 'home' ? Home : (state.rest.value?.pages[route] ?? Coming);
  const here = route === 'home' ? '#/' : `#/${route}`;
  return h(
    'div',
    { class: 'quorumlab app' },
    // A frame in another page has that page's own ways around.
    route !== 'embed' && h(Around, { here }),
    complaints.map((each) => h('p', { class: 'note', role: 'alert' }, each)),
    h(Guard, null, h(page, { state })),
  );
}

/** Says what went wrong in drawing, so that nobody looks at an empty page. */
class Guard extends Component<
  { readonly children?: ComponentChildren },
  { readonly why?: string }
> {
  override state: { readonly why?: string } = {};
  override componentDidCatch(error: unknown): void {
    this.setState({ why: error instanceof Error ? error.message : String(error) });
  }
  override render(): ComponentChildren {
    const { why } = this.state;
    if (why === undefined) return this.props.children;
    return h(
      'main',
      null,
      h('h1', null, 'This cannot be drawn'),
      h('p', { class: 'note', role: 'alert' }, `An error of this page: ${why}. `),
      h(
        'p',
        null,
        'Please report it with the address above. Go on with the links on top of it, or ',
      ),
      h('button', { type: 'button', onClick: () => location.reload() }, 'load the page again'),
    );
  }
}

/** The ways to all pages. */
const Around = ({ here }: { readonly here: string }): JSX.Element =>
  h(
    'nav',
    { 'aria-label': 'Pages' },
    h('strong', null, 'quorumlab'),
    links.map(([href, title]) =>
      h('a', { href, 'aria-current': href === here ? 'page' : undefined }, title),
    ),
    h('span', { class: 'quiet' }, `${engine}, all of it runs in this page`),
  );

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

/** What stands where a page will be whose code is on its way. */
const Coming = (_: Props): JSX.Element =>
  h('main', null, h('p', { role: 'status' }, 'The rest of this page is still on its way …'));
