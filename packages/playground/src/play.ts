/** The page `#/play`: any two protocols under one attack. */

import { otherRun } from '@quorumlab/harness/link';
import { h, type JSX, type TargetedEvent } from 'preact';
import { Controls } from './controls.ts';
import { Hand } from './hand.ts';
import { Player } from './player.ts';
import type { State } from './state.ts';

/** The page of free play. */
export function Play({ state }: { readonly state: State }): JSX.Element {
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
    h(Hand, { state }),
  );
}

/** The page `#/embed`: two runs and nothing else, for a frame in somebody's own page. */
export const Embed = ({ state }: { readonly state: State }): JSX.Element =>
  h(
    'main',
    null,
    h('h1', { class: 'unseen' }, 'Two protocols, one attack'),
    h(Player, { state }),
    h(
      'p',
      { class: 'quiet' },
      h(
        'a',
        { href: state.link(), target: '_blank', rel: 'noopener' },
        'Open this in the playground',
      ),
    ),
  );
