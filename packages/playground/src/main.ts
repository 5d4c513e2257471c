/** The script of the page, which is the script of its workers too. */
import { effect } from '@preact/signals';
import { h, render } from 'preact';
import { workers } from './asking.ts';
import { press } from './keys.ts';
import { App } from './pages.ts';
import { createState } from './state.ts';
import { serve } from './worker.ts';

/** The second part of the page: it stands behind the first in the file, and may come later. */
const loadRest = () => import('./rest.ts').then(({ rest }) => rest);

const putAway =
  'The browser had put this tab away to save memory. What stands here was run again from its ' +
  'address, and your branches are kept; begin again what was searched or made smaller.';

/** Milliseconds from one address to the next. */
const addressMs = 400;

// A worker has no document: there this file answers questions.
if (typeof document === 'undefined')
  serve(globalThis as unknown as Parameters<typeof serve>[0], loadRest);
else {
  const first = document.currentScript?.textContent ?? '';
  const rest = (): string => document.querySelector('#rest')?.textContent ?? '';
  const state = createState(workers({ first, rest }));
  // What this tab kept when the browser put it away, or somebody loaded it again.
  const kept: unknown = history.state;
  const come = (): void =>
    void loadRest()
      .then(state.arrive)
      .then(() => comeBack(kept))
      .then(showGiven);
  const comeBack = (before: unknown): void => {
    state.restore(before);
    if ((document as { readonly wasDiscarded?: boolean }).wasDiscarded === true)
      state.place.value = { ...state.place.value, complaints: [putAway] };
  };
  // Whoever serves the page may have put a trace into it.
  const showGiven = (): void => {
    const given = document.querySelector('#given-trace')?.textContent;
    if (given && state.place.value.route === 'trace') state.open(given);
  };
  addEventListener('DOMContentLoaded', come, { once: true });
  // The hash that is shown: another one is about to be visited, and must not be lost.
  let shown = '';
  const visit = (): void => {
    shown = location.hash;
    state.visit(shown);
  };
  addEventListener('hashchange', visit);
  addEventListener('keydown', (event) => {
    // Whoever writes or chooses in a field means the field.
    const target = event.target as Element | null;
    if (target?.closest('input, select, textarea') !== null) return;
    if (event.key === ' ' && target?.closest('button, a, summary') !== null) return;
    if (press(state, event)) event.preventDefault();
  });
  effect(() => {
    const pace = state.pace.value;
    if (pace === 0) return undefined;
    const timer = setInterval(() => {
      const { count } = state.selection.peek();
      if (count >= state.timeline.peek().length) state.pace.value = 0;
      else state.move(count + 1);
      // A lesson is paused before what decides.
      if (state.selection.peek().count === count) state.pace.value = 0;
    }, 1000 / pace);
    return () => clearInterval(timer);
  });
  // The address leads to what is shown, so that it can be sent and reloaded. Browsers refuse one
  // that changes with each move of a scale that is dragged; a branch must not be lost.
  let due: ReturnType<typeof setTimeout> | undefined;
  let next: { readonly kept: unknown; readonly link: string } | undefined;
  let before: readonly unknown[] = [];
  const address = (): void => {
    if (next === undefined || location.hash !== shown) return;
    history.replaceState(next.kept, '', next.link);
    next = undefined;
    shown = location.hash;
  };
  effect(() => {
    next = undefined;
    if (state.place.value.route !== 'play' || state.timeline.value.length === 0) return;
    next = { kept: state.kept(), link: state.link() };
    const run = [state.branches.peek(), state.place.peek().settings];
    if (due === undefined || run.some((each, i) => each !== before[i])) address();
    before = run;
    due ??= setTimeout(() => {
      due = undefined;
      address();
    }, addressMs);
  });
  // A tab that is out of sight may be put away without another word.
  document.addEventListener('visibilitychange', address);
  visit();
  const root = document.querySelector('#app');
  if (root !== null) render(h(App, { state }), root);
}
