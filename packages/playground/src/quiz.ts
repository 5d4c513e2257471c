/** The page `#/learn/quiz`: statements that are true or false, which runs show. */
import { useSignal } from '@preact/signals';
import { type QuizItem, quiz, words } from '@quorumlab/lessons';
import { h, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Answer } from './ask.ts';
import type { State } from './state.ts';

interface Props {
  readonly state: State;
}

/** All statements. */
export const Quiz = ({ state }: Props): JSX.Element =>
  h(
    'main',
    null,
    h('h1', null, words.quiz),
    h('p', { class: 'lead' }, words.quizInvitation),
    h(
      'ol',
      { class: 'lessons ask' },
      quiz.map((item) => h('li', { key: item.number }, h(Statement, { state, item }))),
    ),
  );

/** One statement: answered once, and then settled by runs. */
function Statement({ state, item }: Props & { readonly item: QuizItem }): JSX.Element {
  const said = useSignal<boolean | undefined>(undefined);
  const known = useSignal<Answer | undefined>(undefined);
  const stop = useSignal<(() => void) | undefined>(undefined);
  useEffect(() => () => stop.peek()?.(), []);
  const answer = (holds: boolean): void => {
    if (said.value !== undefined) return;
    said.value = holds;
    stop.value = state.ask({ ask: 'settle', number: item.number }, (settled) => {
      known.value = settled;
    });
  };
  return h(
    'fieldset',
    null,
    h('legend', null, item.statement),
    [true, false].map((holds) =>
      h(
        'button',
        {
          type: 'button',
          'aria-pressed': said.value === holds,
          'aria-disabled': said.value !== undefined,
          onClick: () => answer(holds),
        },
        String(holds),
      ),
    ),
    h('div', { role: 'status' }, said.value !== undefined && settledOf(known.value, said.value)),
  );
}

function settledOf(known: Answer | undefined, said: boolean): JSX.Element {
  if (known?.says === 'cannot') return h('p', null, known.why);
  if (known?.says !== 'settled') return h('p', null, words.running);
  const { holds, reasons } = known;
  const isRight = holds === said;
  return h(
    'div',
    null,
    h(
      'p',
      { class: `verdict ${isRight ? 'ok' : 'forked'}` },
      h('strong', null, isRight ? `✓ ${words.rightAnswer}` : `✗ ${words.wrongAnswer}`),
      ` ${holds ? words.isTrue : words.isFalse}`,
    ),
    h(
      'ul',
      null,
      reasons.map(({ reason, command }) =>
        h('li', null, `${reason} `, h('code', { class: 'behind' }, command)),
      ),
    ),
  );
}
