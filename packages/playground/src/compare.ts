/** The threat matrix: every protocol under every attack, run while one looks. */
import { useSignal } from '@preact/signals';
import {
  attacks,
  completeScenario,
  protocols,
  type Scenario,
  ScenarioError,
  verdictSigns,
} from '@quorumlab/harness';
import { demo, linkOf } from '@quorumlab/harness/link';
import { h, type JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { type Cell, isLast } from './ask.ts';
import type { State } from './state.ts';

/** What is known of one cell. */
type Known = { readonly cell: Cell; readonly isWhole: boolean } | { readonly why: string };

const seeds = 20;

/** One protocol under one attack, with what the command line takes unless told. */
function scenarioFor(protocol: string, attack: string): Scenario | string {
  try {
    return completeScenario({ protocol, attack });
  } catch (error) {
    if (error instanceof ScenarioError) return error.message.split('\n')[0] ?? '';
    throw error;
  }
}

/** The page `#/compare`. */
export function Compare({ state }: { readonly state: State }): JSX.Element {
  const known = useSignal<ReadonlyMap<string, Known>>(new Map());
  const stop = useSignal<(() => void) | undefined>(undefined);
  const note = useSignal('');
  // Whoever leaves the page is not waiting for it any more.
  useEffect(() => () => stop.peek()?.(), []);
  const cells = protocols.flatMap(({ name: protocol }) =>
    attacks.map(({ name: attack }) => ({ protocol, attack, key: `${protocol} ${attack}` })),
  );
  const runFrom = (at: number): void => {
    const next = cells[at];
    if (next === undefined) return void (stop.value = undefined);
    const scenario = scenarioFor(next.protocol, next.attack);
    const put = (value: Known): void =>
      void (known.value = new Map(known.value).set(next.key, value));
    if (typeof scenario === 'string') {
      put({ why: scenario });
      return runFrom(at + 1);
    }
    const end = state.ask({ ask: 'cell', scenario, seeds }, (answer) => {
      if (answer.says === 'cell') put(answer);
      note.value = answer.says === 'meanwhile' ? ` ${answer.what}` : '';
      if (answer.says === 'cannot') put({ why: answer.why });
      if (!isLast(answer)) return;
      end();
      runFrom(at + 1);
    });
    stop.value = end;
  };
  const cancel = (): void => {
    stop.value?.();
    stop.value = undefined;
  };
  const start = (): void => {
    cancel();
    known.value = new Map();
    runFrom(0);
  };
  const whole = [...known.value.values()].filter((each) => !('cell' in each) || each.isWhole);
  return h(
    'main',
    { class: 'compare' },
    h('h1', null, 'Who survives what'),
    h(
      'p',
      null,
      `Every protocol, built for one fault, under every attack, ${seeds} seeds each, run in this ` +
        'page. ✓ means no violation in these runs, and never more.',
    ),
    h(
      'p',
      { role: 'status', class: 'start' },
      stop.value === undefined
        ? h('button', { type: 'button', onClick: start }, 'Run them')
        : h('button', { type: 'button', onClick: cancel }, 'Stop'),
      ` ${whole.length} of ${cells.length} cells are done.${note.value}`,
    ),
    h(Matrix, { known: known.value }),
  );
}

function Matrix({ known }: { readonly known: ReadonlyMap<string, Known> }): JSX.Element {
  return h(
    'div',
    { class: 'matrix', tabIndex: 0, role: 'region', 'aria-label': 'Matrix' },
    h(
      'table',
      null,
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('th', { scope: 'col' }, 'attack'),
          protocols.map(({ name }) => h('th', { scope: 'col' }, name)),
        ),
      ),
      h(
        'tbody',
        null,
        attacks.map(({ name: attack, title }) =>
          h(
            'tr',
            null,
            h('th', { scope: 'row', title }, attack),
            protocols.map(({ name }) =>
              h(MatrixCell, { protocol: name, attack, known: known.get(`${name} ${attack}`) }),
            ),
          ),
        ),
      ),
    ),
  );
}

/** The run of a cell under one of its seeds, with another protocol beside it. */
export const linkToCell = (protocol: string, attack: string, seed = demo.seed): string => {
  const protocols = [protocol, protocol === 'pbft' ? 'raft' : 'pbft'] as const;
  return linkOf({ ...demo, protocols, attack, count: 20, crypto: 'ideal', seed });
};

function MatrixCell({
  protocol,
  attack,
  known,
}: {
  readonly protocol: string;
  readonly attack: string;
  readonly known: Known | undefined;
}): JSX.Element {
  if (known === undefined) return h('td', { class: 'open' }, '');
  if ('why' in known) return h('td', { class: 'open', title: known.why }, 'not run');
  const { tally, word, claimed } = known.cell;
  const { hits, runs, shown, fired } = tally;
  const href = linkToCell(protocol, attack, shown?.seed);
  return h(
    'td',
    { class: word },
    h('a', { href }, `${verdictSigns[word]} ${word} ${hits > 0 ? `${hits}/${runs}` : `0/${runs}`}`),
    !claimed && h('span', { class: 'quiet' }, ' not claimed'),
    attack !== 'none' && fired === 0 && h('span', { class: 'quiet' }, ' never fired'),
  );
}
