/** What every replica has committed: a row for each, a column for each position. */
import { h, type JSX } from 'preact';
import type { CommitView } from './model.ts';
import { classes, type ViewProps } from './views.ts';

/** The log table, and what it is called besides where a page has several. */
export interface LogProps extends ViewProps {
  readonly of?: string | undefined;
}

/** The log table: forks are hatched and crossed, and a liar's own word is marked as such. */
export function Log({ model, at, selected, onSelect, of }: LogProps): JSX.Element {
  const past = model.commits.filter(({ event }) => event <= at);
  const slots = [...new Set(past.map(({ slot }) => slot))].sort((one, two) => one - two);
  const cells = new Map(past.map((each) => [`${each.seat} ${each.slot}`, each]));
  const rows = model.seats.filter(({ kind }) => kind !== 'client');
  if (slots.length === 0)
    return h('p', { class: 'log empty' }, 'Nobody has committed anything yet.');
  return h(
    'div',
    { class: 'log', tabIndex: 0, role: 'region', 'aria-label': of ? `Logs: ${of}` : 'Logs' },
    h(
      'table',
      null,
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          h('th', { scope: 'col' }, 'position'),
          slots.map((slot) => h('th', { scope: 'col' }, slot)),
        ),
      ),
      h(
        'tbody',
        null,
        rows.map(({ index, name, liar }) =>
          h(
            'tr',
            { class: classes(liar && 'liar') },
            h('th', { scope: 'row' }, liar ? `⚠ ${name} says` : name),
            slots.map((slot) =>
              h(Cell, { commit: cells.get(`${index} ${slot}`), liar, selected, onSelect }),
            ),
          ),
        ),
      ),
    ),
  );
}

function Cell({
  commit,
  liar,
  selected,
  onSelect,
}: Pick<ViewProps, 'selected' | 'onSelect'> & {
  readonly commit: CommitView | undefined;
  readonly liar: boolean;
}): JSX.Element {
  if (commit === undefined) return h('td', { class: 'open' }, h('span', null, '–'));
  const { event, value, conflicts } = commit;
  const sign = conflicts ? '✗' : liar ? '⚠' : '✓';
  const label = `${value}, committed${conflicts ? ', and others committed something else' : ''}`;
  return h(
    'td',
    { class: classes(conflicts && 'conflicts', event === selected && 'chosen') },
    h(
      'button',
      { type: 'button', 'aria-label': label, onClick: () => onSelect(event) },
      `${sign} ${value}`,
    ),
  );
}
