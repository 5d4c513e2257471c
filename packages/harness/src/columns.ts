import type { StoryLine } from './story.ts';

/** Lines of one run, a column per node, earliest first. */
export interface ColumnsOptions {
  readonly n: number;
  readonly traitors: readonly number[];
  readonly traitorSign: string;
  /** Characters of one node's column at most. */
  readonly width: number;
  /** Lines at most; the rest is counted. */
  readonly most: number;
  /** What the time is counted in: milliseconds unless told, or thousands of a schedule's steps. */
  readonly unit?: 'ms' | 'step';
  /** How to see the rest, if there is a way. */
  readonly hint?: string;
}

/** Milliseconds, right-aligned in five characters. */
const clock = (at: number): string => String(Math.round(at / 1000)).padStart(5);

/** What happened: time, then a column per node. Events of one millisecond share a line. */
export function columns(story: readonly StoryLine[], options: ColumnsOptions): readonly string[] {
  const { n, traitors, traitorSign, most, hint, unit = 'ms' } = options;
  const rows: { at: number; cells: string[] }[] = [];
  for (const { at, seat, text } of story) {
    const last = rows.at(-1);
    const time = Math.round(at / 1000);
    if (last && Math.round(last.at / 1000) === time && last.cells[seat] === '')
      last.cells[seat] = text;
    else {
      const cells = Array.from({ length: n }, () => '');
      cells[seat] = text;
      rows.push({ at, cells });
    }
  }
  const shown = rows.slice(0, most);
  const heads = Array.from(
    { length: n },
    (_, i) => `n${i}${traitors.includes(i) ? traitorSign : ''}`,
  );
  const widths = heads.map((head, i) =>
    Math.min(
      options.width,
      Math.max(head.length, ...shown.map(({ cells }) => [...(cells[i] as string)].length)),
    ),
  );
  const line = (time: string, cells: readonly string[]): string =>
    `${time}  ${cells.map((cell, i) => clip(cell, widths[i] as number)).join('  ')}`.trimEnd();
  const lines = [
    line(unit.padStart(5), heads),
    ...shown.map(({ at, cells }) => line(clock(at), cells)),
  ];
  if (rows.length > most)
    lines.push(`       … ${rows.length - most} more lines${hint === undefined ? '' : `: ${hint}`}`);
  return lines;
}

const clip = (text: string, width: number): string => {
  const letters = [...text];
  return letters.length > width ? `${letters.slice(0, width - 1).join('')}…` : text.padEnd(width);
};

/** Two blocks of text side by side, the left one padded. */
export function sideBySide(
  left: readonly string[],
  right: readonly string[],
  gap = 4,
): readonly string[] {
  const width = Math.max(...left.map((line) => [...line].length));
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    `${(left[i] ?? '').padEnd(width + gap)}${right[i] ?? ''}`.trimEnd(),
  );
}
