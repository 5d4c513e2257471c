/** The page `#/play`: any two protocols under one attack. */

import { otherRun } from '@quorumlab/harness/link';
import { h, type JSX, type TargetedEvent } from 'preact';
import { Controls } from './controls.ts';
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
  );
}
