/** The two tables of a comparison, for a terminal of 100 columns. */
import { optionText } from '@quorumlab/harness';
import { grouped, type Io, type Style } from './io.ts';
import type { SteadyCostRow, VerdictRow } from './result.ts';
import { verdictLook } from './words.ts';

/** Text in a cell, and how it is painted; the words never depend on the colour. */
interface Cell {
  readonly text: string;
  readonly style?: Style;
}

/** Columns that tables may take. */
const columnsAtMost = 100;
const gap = 2;

const lengthOf = (text: string): number => [...text].length;

/** `hotstuff rules=chained`: what a row is called. */
export const rowName = (row: Pick<VerdictRow, 'protocol' | 'options'>): string =>
  row.options === undefined ? row.protocol : `${row.protocol} ${optionText(row)}`;

/** What one cell says: the word, how often, whether that was to be expected, and who is named. */
export function cellText(io: Io, row: VerdictRow): string {
  const { word, hits, runs, expected, counterexample, note } = row;
  if (hits === 0 && note !== undefined) return `${io.sign('unknown')} did not occur`;
  const [sign] = verdictLook(word);
  const often = hits === 0 || hits === runs ? '' : ` ${hits}/${runs}`;
  const named = counterexample?.culprits.length ?? 0;
  return (
    `${io.sign(sign)} ${word}${often}${named === 0 ? '' : `, ${named} named`}` +
    `${expected ? '' : ' UNEXPECTED'}`
  );
}

/** The verdicts, a row per protocol; in several blocks if the attacks do not fit beside each other. */
export function verdictTable(io: Io, rows: readonly VerdictRow[]): readonly string[] {
  const names = [...new Set(rows.map(rowName))];
  const attacks = [...new Set(rows.map(({ attack }) => attack))];
  const first = names.map((name) => [
    { text: name },
    { text: `${rows.find((row) => rowName(row) === name)?.n ?? ''}` },
  ]);
  const columns = attacks.map((attack) => ({
    head: attack,
    cells: names.map((name): Cell => {
      const row = rows.find((each) => each.attack === attack && rowName(each) === name);
      if (row === undefined) return { text: '' };
      return { text: cellText(io, row), style: row.expected ? verdictLook(row.word)[1] : 'bad' };
    }),
  }));
  const lead = Math.max(...names.map(lengthOf), 0) + gap + 3;
  return inBlocks(columns, columnsAtMost - lead).flatMap((block, i) => {
    const body = names.map((_, at) => [
      ...(first[at] as Cell[]),
      ...block.map(({ cells }) => cells[at] as Cell),
    ]);
    return [
      ...(i === 0 ? [] : ['']),
      ...table(io, ['', 'n', ...block.map(({ head }) => head)], body),
    ];
  });
}

/** A column of the verdict table. */
interface Column {
  readonly head: string;
  readonly cells: readonly Cell[];
}

const widthOf = ({ head, cells }: Column): number =>
  Math.max(...cells.map(({ text }) => lengthOf(text)), ...pieces(head).map(lengthOf));

/** As many columns in a block as fit. */
function inBlocks(columns: readonly Column[], width: number): readonly (readonly Column[])[] {
  const blocks: Column[][] = [];
  let left = 0;
  for (const column of columns) {
    const takes = gap + widthOf(column);
    if (takes > left || blocks.length === 0) {
      blocks.push([]);
      left = width;
    }
    (blocks.at(-1) as Column[]).push(column);
    left -= takes;
  }
  return blocks;
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

function table(
  io: Io,
  heads: readonly string[],
  body: readonly (readonly Cell[])[],
  right: readonly number[] = [],
): readonly string[] {
  const widths = heads.map((head, i) =>
    widthOf({ head, cells: body.map((cells) => cells[i] as Cell) }),
  );
  const titles = heads.map((head, i) => wrapped(head, widths[i] as number));
  const height = Math.max(...titles.map(({ length }) => length));
  const lines = Array.from({ length: height }, (_, y) =>
    titles.map((lines): Cell => ({ text: lines[y - height + lines.length] ?? '' })),
  );
  return [...lines, ...body].map((cells) =>
    cells
      .map(({ text, style }, i) => {
        const room = ' '.repeat((widths[i] as number) - lengthOf(text));
        const painted = style === undefined ? text : io.paint(style, text);
        return right.includes(i) ? room + painted : painted + room;
      })
      .join(' '.repeat(gap))
      .trimEnd()
      .replace(/^/, '  '),
  );
}

/** What one commit costs, a row per protocol. */
export function costTable(io: Io, costs: readonly SteadyCostRow[]): readonly string[] {
  const heads = [
    '',
    'n',
    'messages',
    'bytes',
    'signatures made',
    'signatures checked',
    'disk syncs',
    'delays to decide',
    'delays to reply',
    'busiest replica sends',
    'new leader ms',
    'new leader messages',
  ];
  const body = costs.map((cost): readonly Cell[] =>
    [
      rowName(cost),
      `${cost.n}`,
      number(cost.messagesPerCommit),
      number(Math.round(cost.bytesPerCommit)),
      number(cost.signaturesPerCommit),
      number(cost.verificationsPerCommit),
      number(cost.syncsPerCommit),
      number(cost.delaysToDecision),
      number(cost.delaysToReply),
      number(cost.busiest.messages),
      cost.replacement === undefined ? '–' : number(cost.replacement.milliseconds),
      cost.replacement === undefined ? '–' : number(cost.replacement.messages),
    ].map((text) => ({ text })),
  );
  return table(io, heads, body, heads.map((_, i) => i).slice(2));
}

/** At most two decimals; thousands grouped. */
const number = (value: number): string => {
  const [whole = '', part] = String(Math.round(value * 100) / 100).split('.');
  return part === undefined ? grouped(Number(whole)) : `${grouped(Number(whole))}.${part}`;
};
