/** The two tables of a comparison, as wide as the terminal. */

import type { VerdictRow } from '@quorumlab/harness';
import { costColumns } from '@quorumlab/report/costs';
import { rowName, type SteadyCostRow } from '@quorumlab/report/result';
import type { Io, Style } from './io.ts';
import { verdictLook } from './words.ts';
import { lengthOf } from './wrap.ts';

/** Text in a cell, and how it is painted; the words never depend on the colour. */
interface Cell {
  readonly text: string;
  readonly style?: Style;
}

const gap = 2;

/** What one cell says: the word, how often, whether that was to be expected, and who is named. */
function cellText(io: Io, row: VerdictRow): string {
  const { word, hits, runs, expected, claimed, counterexample, note } = row;
  if (hits === 0 && note !== undefined) return `${io.sign('unknown')} did not occur`;
  const [sign] = verdictLook(word);
  const often = hits === 0 || hits === runs ? '' : ` ${hits}/${runs}`;
  const named = counterexample?.culprits.length ?? 0;
  return (
    `${io.sign(sign)} ${word}${often}${named === 0 ? '' : `, ${named} named`}` +
    `${word === 'ok' && claimed === false ? ', not claimed' : ''}${expected ? '' : ' UNEXPECTED'}`
  );
}

/** The verdicts, a row per protocol; in several blocks if not all attacks fit beside each other. */
export function verdictTable(io: Io, rows: readonly VerdictRow[]): readonly string[] {
  const names = [...new Set(rows.map(rowName))];
  const attacks = [...new Set(rows.map(({ attack }) => attack))];
  const lead: readonly Column[] = [
    { head: '', cells: names.map((text) => ({ text })) },
    {
      head: 'n',
      cells: names.map((name) => ({
        text: String(rows.find((row) => rowName(row) === name)?.n ?? ''),
      })),
    },
  ];
  const columns = attacks.map(
    (attack): Column => ({
      head: attack,
      cells: names.map((name): Cell => {
        const row = rows.find((each) => each.attack === attack && rowName(each) === name);
        if (row === undefined) return { text: '' };
        return { text: cellText(io, row), style: row.expected ? verdictLook(row.word)[1] : 'bad' };
      }),
    }),
  );
  return inBlocks(io, lead, columns);
}

/** A column of a table. */
interface Column {
  readonly head: string;
  readonly cells: readonly Cell[];
  /** Numbers stand under each other from the right. */
  readonly right?: true;
}

const widthOf = ({ head, cells }: Column): number =>
  Math.max(...cells.map(({ text }) => lengthOf(text)), ...pieces(head).map(lengthOf));

/** As many columns beside `lead` as fit, and the others below with `lead` again. */
function inBlocks(io: Io, lead: readonly Column[], columns: readonly Column[]): readonly string[] {
  const room = io.columns - lead.reduce((sum, each) => sum + gap + widthOf(each), 0);
  const blocks: Column[][] = [];
  let left = 0;
  for (const column of columns) {
    const takes = gap + widthOf(column);
    if (takes > left || blocks.length === 0) {
      blocks.push([]);
      left = room;
    }
    (blocks.at(-1) as Column[]).push(column);
    left -= takes;
  }
  return blocks.flatMap((block, i) => [
    ...(i === 0 ? [] : ['']),
    ...table(io, [...lead, ...block]),
  ]);
}

/** `equivocating-leader` in pieces, so that a narrow column can have it. */
const pieces = (head: string): readonly string[] => head.match(/[^- ]+[- ]?/g) ?? [head];

/** A heading in lines no longer than `width`, or than its longest piece. */
function wrapped(head: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const piece of pieces(head)) {
    const last = lines.at(-1);
    if (last !== undefined && lengthOf((last + piece).trimEnd()) <= width)
      lines[lines.length - 1] = last + piece;
    else lines.push(piece);
  }
  return lines.map((line) => line.trimEnd());
}

function table(io: Io, columns: readonly Column[]): readonly string[] {
  const titles = columns.map((column) => wrapped(column.head, widthOf(column)));
  const height = Math.max(...titles.map(({ length }) => length));
  const heads = Array.from({ length: height }, (_, y) =>
    titles.map((lines): Cell => ({ text: lines[y - height + lines.length] ?? '' })),
  );
  const body = (columns[0]?.cells ?? []).map((_, y) =>
    columns.map(({ cells }) => cells[y] as Cell),
  );
  const line = (cells: readonly Cell[]): string =>
    cells
      .map(({ text, style }, i) => {
        const column = columns[i] as Column;
        const room = ' '.repeat(Math.max(0, widthOf(column) - lengthOf(text)));
        const painted = style === undefined ? text : io.paint(style, text);
        return ' '.repeat(gap) + (column.right ? room + painted : painted + room);
      })
      .join('')
      .trimEnd();
  return [...heads, ...body].map(line);
}

/** What one commit costs, a row per protocol. */
export function costTable(io: Io, costs: readonly SteadyCostRow[]): readonly string[] {
  const lead: readonly Column[] = [
    { head: '', cells: costs.map((cost) => ({ text: rowName(cost) })) },
    { head: 'n', cells: costs.map(({ n }) => ({ text: String(n) })) },
  ];
  const columns = costColumns.map(
    ({ title, text }): Column => ({
      head: title,
      right: true,
      cells: costs.map((cost) => ({ text: text(cost) })),
    }),
  );
  return inBlocks(io, lead, columns);
}
