/** A run in a report: what was recorded, stepped through, run again and compared. */

import type { Scenario } from '@quorumlab/harness';
import { parseTrace } from '@quorumlab/sim';
import { h, type JSX, render } from 'preact';
import type { Answer } from './ask.ts';
import type { Ask } from './asking.ts';
import { press } from './keys.ts';
import { Player } from './player.ts';
import { inflated } from './report-file.ts';
import { createState, type State } from './state.ts';

/** What a report holds of a run: its trace, or only how to make it where that is too large. */
export interface Held {
  readonly name: string;
  readonly digest: string;
  /** The trace, compressed, in base64. */
  readonly deflated?: string;
  readonly scenario?: Scenario;
}

/** Characters of a trace at most. */
const mostBytes = 64 * 1024 * 1024;

/**
 * Shows runs in elements of a page, each with a state of its own. Shown again with `again` it is
 * run once more. Rejects if what is held cannot be read.
 */
export function viewerOf(ask: Ask): (place: Element, held: Held, again: boolean) => Promise<State> {
  const states = new WeakMap<Element, State>();
  return async (place, held, again) => {
    const state = states.get(place) ?? createState(ask, held.name);
    if (!states.has(place)) {
      states.set(place, state);
      place.addEventListener('keydown', (event) => onKey(state, event as KeyboardEvent));
      render(h(Live, { state }), place);
    }
    await show(state, held, again);
    return state;
  };
}

async function show(state: State, held: Held, again: boolean): Promise<void> {
  const { deflated, scenario, digest } = held;
  if (deflated !== undefined) {
    const bytes = Uint8Array.from(atob(deflated), (sign) => sign.charCodeAt(0));
    const text = await inflated(new Blob([bytes]).stream(), 'deflate-raw', mostBytes);
    if (again) state.open(text);
    else state.read(text, `As it was recorded: ${digestIn(text)}. It has not been run again here.`);
  } else if (scenario !== undefined) {
    state.sides.value = [{ is: 'running' }];
    state.ask({ ask: 'run', scenario }, (answer) => hear(state, digest, answer));
  }
}

const digestIn = (text: string): string => {
  const digest = parseTrace(text).footer?.digest;
  return digest === undefined ? 'it was cut off before its end' : `digest ${digest}`;
};

/** A run whose trace was not kept is compared by its digest alone, which covers every line. */
function hear(state: State, recorded: string, answer: Answer): void {
  if (answer.says === 'cannot') state.refuse(0, answer.why);
  if (answer.says !== 'ran') return;
  const { ran } = answer;
  const note =
    ran.digest === recorded
      ? `✓ Run again in this page: it has the digest that was recorded, ${recorded}.`
      : `✗ Run again in this page: its digest is ${ran.digest}, and ${recorded} was recorded. ` +
        'Either the report was edited, or this is a bug of determinism: please report it.';
  state.show(0, ran, note);
}

/** Keys are commands where the viewer has the focus; whoever chooses in a field means the field. */
function onKey(state: State, event: KeyboardEvent): void {
  const target = event.target as Element | null;
  if (target?.closest('input, select, textarea') !== null) return;
  if (event.key === ' ' && target?.closest('button, a, summary') !== null) return;
  if (press(state, event)) event.preventDefault();
}

const Live = ({ state }: { readonly state: State }): JSX.Element =>
  h('div', { class: 'quorumlab app live' }, h(Player, { state }));
