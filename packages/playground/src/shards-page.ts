/** The page `#/shards`: the run of shards that a link tells. */
import { h, type JSX } from 'preact';
import { Player } from './player.ts';
import type { State } from './state.ts';

/** The page that shows one run of shards. */
export const ShardsPage = ({ state }: { readonly state: State }): JSX.Element =>
  h(
    'main',
    null,
    h('h1', null, 'Transactions over two groups'),
    h(
      'p',
      null,
      'Two groups, their keepers and clients, by clocks that are wrong. ',
      'The same run in a terminal: ',
      h('code', null, `quorumlab replay '${state.place.value.hash}'`),
    ),
    h(Player, { state }),
  );
