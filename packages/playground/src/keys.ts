/** The keyboard: everything that the mouse can do with a run. */
import type { State, View } from './state.ts';
import { type Moment, nextWhere } from './timeline.ts';

/** A key, what it is called, and what it does. */
export interface KeyAction {
  readonly keys: readonly string[];
  readonly title: string;
  /** Single letters can be switched off. */
  readonly letter: boolean;
  /** Whether it changes a run, which a report does not offer. */
  readonly byHand?: boolean;
  run(state: State): void;
}

const step =
  (by: number) =>
  ({ move, selection }: State): void =>
    move(selection.value.count + by);

const jump =
  (direction: 1 | -1, is: (state: State, moment: Moment) => boolean) =>
  (state: State): void =>
    state.move(
      nextWhere(state.timeline.value, state.selection.value.count, direction, (moment) =>
        is(state, moment),
      ),
    );

const kindOf = ({ drawn }: State, { side, event }: Moment) =>
  drawn.value[side]?.model.events[event];

/** The side and node of the last event: where `Shift` and an arrow stay. */
function isSameNode(state: State, moment: Moment): boolean {
  const now = state.timeline.value[state.selection.value.count - 1];
  return (
    now !== undefined &&
    now.side === moment.side &&
    kindOf(state, now)?.n === kindOf(state, moment)?.n
  );
}

const show =
  (view: View) =>
  (state: State): void => {
    state.view.value = state.view.value === view ? 'lanes' : view;
  };

/** Plays, or pauses. From the end it plays from the start. */
export function playOrPause(state: State): void {
  const { pace, selection, timeline, move } = state;
  if (pace.value === 0 && selection.value.count >= timeline.value.length) move(0);
  pace.value = pace.value === 0 ? 8 : 0;
}

const isViolation = (state: State, moment: Moment): boolean => {
  const event = kindOf(state, moment);
  return event?.k === 'violation' || event?.conflicts === true;
};
const isCommit = (state: State, moment: Moment): boolean => kindOf(state, moment)?.k === 'commit';

/** All of them, as the table of the page shows them. */
export const keyActions: readonly KeyAction[] = [
  { keys: [' '], title: 'play or pause', letter: false, run: playOrPause },
  { keys: ['ArrowRight'], title: 'one event on', letter: false, run: step(1) },
  { keys: ['ArrowLeft'], title: 'one event back', letter: false, run: step(-1) },
  {
    ...{ keys: ['Shift+ArrowRight'], title: 'next event of this node', letter: false },
    run: jump(1, isSameNode),
  },
  {
    ...{ keys: ['Shift+ArrowLeft'], title: 'previous event of this node', letter: false },
    run: jump(-1, isSameNode),
  },
  { keys: ['Home'], title: 'to the start', letter: false, run: ({ move }) => move(0) },
  {
    ...{ keys: ['End'], title: 'to the end', letter: false },
    run: ({ move, timeline }) => move(timeline.value.length),
  },
  { keys: ['v'], title: 'next violation', letter: true, run: jump(1, isViolation) },
  { keys: ['V'], title: 'previous violation', letter: true, run: jump(-1, isViolation) },
  { keys: ['c'], title: 'next commit', letter: true, run: jump(1, isCommit) },
  { keys: ['r'], title: 'ring, and back', letter: true, run: show('ring') },
  { keys: ['s'], title: 'story, and back', letter: true, run: show('story') },
  {
    ...{ keys: ['e'], title: 'every message, and back', letter: true },
    run: ({ everything }) => void (everything.value = !everything.value),
  },
  ...(
    [
      ['t', 'traitor', 'make the held node a traitor, or honest'],
      ['x', 'crash', 'crash the held node, or restart it'],
      ['w', 'timeout', 'time out the held node now'],
      ['d', 'drop', 'drop the held message'],
      ['n', 'now', 'deliver the held message now'],
    ] as const
  ).map(([key, name, title]) => ({
    ...{ keys: [key], title, letter: true, byHand: true },
    run: (state: State): void => state.rest.value?.act(state, name),
  })),
  {
    ...{ keys: ['?'], title: 'this table', letter: true },
    run: ({ helping }) => void (helping.value = !helping.value),
  },
  {
    ...{ keys: ['Escape'], title: 'let go, close', letter: false },
    run({ selection, helping, move }) {
      helping.value = false;
      move(selection.value.count);
    },
  },
];

/** What a key event must have to be looked at. */
export interface KeyPress {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** Does what a key stands for; whether it stood for anything. */
export function press(
  state: State,
  { key, shiftKey, ctrlKey, altKey, metaKey }: KeyPress,
): boolean {
  if (ctrlKey || altKey || metaKey || state.timeline.value.length === 0) return false;
  const name = shiftKey && key.startsWith('Arrow') ? `Shift+${key}` : key;
  const action = keyActions.find(({ keys }) => keys.includes(name));
  if (action === undefined || (action.letter && !state.letters.value)) return false;
  action.run(state);
  return true;
}
