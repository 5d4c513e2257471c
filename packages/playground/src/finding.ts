/** Looks for violations: many seeds, a smaller run, and a lie of one's own. */
import { type Signal, useSignal } from '@preact/signals';
import type { ShrinkProgress } from '@quorumlab/harness';
import { scenarioOf } from '@quorumlab/harness/link';
import { h, type JSX, type TargetedEvent } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Answer, Question } from './ask.ts';
import { isLast } from './ask.ts';
import { heldIn } from './editing.ts';
import type { State } from './state.ts';

interface Props {
  readonly state: State;
}

const seeds = 1000;

/** How many a second, since a moment of `performance.now`. */
const rateFrom =
  (begun: number) =>
  (count: number): string => {
    const rate = (count * 1000) / Math.max(1, performance.now() - begun);
    return rate.toFixed(rate < 10 ? 1 : 0);
  };

/** How far making a run smaller has come. */
export const triedWords = (
  { tries, events, before, after }: ShrinkProgress,
  rate: string,
): string =>
  `Making it smaller: ${before} events are ${after} so far, after ${tries} tries of ` +
  `${events} events in all, ${rate} tries a second.`;

/** Work that is under way: what is said of it, and how it is stopped. */
interface Work {
  readonly said: Signal<string>;
  readonly stop: Signal<(() => void) | undefined>;
  /** Asks, and hears until the last answer. */
  begin(state: State, question: Question, hear: (answer: Answer) => void): void;
}

function useWork(): Work {
  const said = useSignal('');
  const stop = useSignal<(() => void) | undefined>(undefined);
  // Whoever leaves the page is not waiting for it any more.
  useEffect(() => () => stop.peek()?.(), []);
  return {
    ...{ said, stop },
    begin(state, question, hear) {
      stop.value?.();
      stop.value = state.ask(question, (answer) => {
        if (answer.says === 'cannot') said.value = answer.why;
        if (answer.says === 'meanwhile') said.value = answer.what;
        if (isLast(answer)) stop.value = undefined;
        hear(answer);
      });
    },
  };
}

const Status = ({ work: { said, stop } }: { readonly work: Work }): JSX.Element =>
  h(
    'span',
    null,
    stop.value !== undefined &&
      h(
        'button',
        {
          type: 'button',
          onClick: () => {
            stop.value?.();
            stop.value = undefined;
            said.value = `${said.value} Stopped.`;
          },
        },
        'Stop',
      ),
    h('span', { role: 'status' }, ` ${said.value}`),
  );

/** Searches seeds of what is held, and makes it small. */
export function Search({ state }: Props): JSX.Element {
  const work = useWork();
  const side = heldIn(state)?.side ?? 0;
  const { settings } = state.place.value;
  const look = (): void => {
    const scenario = scenarioOf(settings, side);
    work.said.value = 'Searching …';
    const rate = rateFrom(performance.now());
    work.begin(state, { ask: 'search', scenario, seeds }, (answer) => {
      if (answer.says !== 'searched') return;
      const { runs, seed, isWhole } = answer;
      const none = isWhole ? 'No violation in' : 'So far no violation in';
      work.said.value =
        seed === undefined
          ? `${none} ${runs} of ${seeds} seeds, ${rate(runs)} a second.`
          : `Seed ${seed} violates something, after ${runs} seeds.`;
      if (seed !== undefined) state.edit(`seed ${seed}`, { ...settings, seed });
    });
  };
  const smaller = (): void => {
    work.said.value = 'Making it smaller …';
    const scenario = scenarioOf(settings, side);
    const rate = rateFrom(performance.now());
    work.begin(state, { ask: 'shrink', scenario }, (answer) => {
      if (answer.says === 'tried') work.said.value = triedWords(answer, rate(answer.tries));
      if (answer.says !== 'shrunk' || answer.ran === undefined) return;
      const { ran, before, after, tries } = answer;
      work.said.value = `${before} events are ${after} now, after ${tries} tries.`;
      state.show(
        side,
        ran,
        `Made smaller: ${after} events of ${before}. No link tells its choices: save its trace.`,
      );
    });
  };
  return h(
    'p',
    { class: 'choices' },
    h('button', { type: 'button', onClick: look }, `Search ${seeds} seeds for a violation`),
    h('button', { type: 'button', onClick: smaller }, 'Make the violation smaller'),
    h(Status, { work }),
  );
}

const example = `(to, message) => {
  // What a traitor says to node "to" in place of "message":
  // nothing: as it is; false: not at all; an object: that instead.
  if (to === 2) return false;
}`;

/** A lie of one's own, as a script. */
export function OwnScript({ state }: Props): JSX.Element {
  const work = useWork();
  const script = useSignal(example);
  const side = heldIn(state)?.side ?? 0;
  const run = (): void => {
    work.said.value = 'Running your script …';
    const scenario = scenarioOf(state.place.value.settings, side);
    work.begin(state, { ask: 'own', scenario, script: script.value }, (answer) => {
      if (answer.says !== 'ran') return;
      const { fired, word } = answer.ran;
      work.said.value = `It lied ${fired} times: ${word}.`;
      state.show(side, answer.ran, 'The lie is your own script; no link and no trace has it.');
    });
  };
  return h(
    'details',
    null,
    h('summary', null, 'A lie of your own'),
    h(
      'label',
      null,
      'What the traitor says ',
      h('textarea', {
        rows: 8,
        spellcheck: false,
        value: script.value,
        onInput: ({ currentTarget }: TargetedEvent<HTMLTextAreaElement>) =>
          void (script.value = currentTarget.value),
      }),
    ),
    h(
      'p',
      { class: 'choices' },
      h('button', { type: 'button', onClick: run }, 'Run it'),
      h(Status, { work }),
    ),
  );
}
