import type { StoryLine } from './story.ts';

/** Lines of one run, a column per node, earliest first. */
export interface ColumnsOptions {
  readonly n: number;
  readonly traitors: readonly number[];
  readonly traitorSign: string;
  /** Characters of one node's column at most. */
  readonly width: number;
  /** Characters of a line at most; where columns are too narrow for that, a line is an event. */
  readonly room?: number;
  /** Lines at most; the rest is counted. */
  readonly most: number;
  /** What seats are called: then a line is an event. n and their number in columns unless told. */
  readonly names?: readonly string[];
  /** What the time is counted in: milliseconds unless told, or thousands of a schedule's steps. */
  readonly unit?: 'ms' | 'step';
  /** Whether commits name the votes that made them. They do unless told. */
  readonly votes?: boolean;
  /** How to see the rest, if there is a way. */
  readonly hint?: string;
  /** Stands for what is cut off: … or ... */
  readonly more?: string;
}

/** Milliseconds, right-aligned in five characters. */
const clock = (at: number): string => String(Math.round(at / 1000)).padStart(clockWidth);

/** What happened: time, then a column per node. Events of one millisecond share a line. */
export function columns(story: readonly StoryLine[], options: ColumnsOptions): readonly string[] {
  const { n, most, room = Number.POSITIVE_INFINITY, unit = 'ms', votes = true } = options;
  if (options.names !== undefined) return asList(story, options);
  const rows: { at: number; cells: string[] }[] = [];
  // A commit without the last of its votes would say something else.
  const whole = Array.from({ length: n }, () => 0);
  for (const { at, seat, ...told } of story) {
    const text = textOf(told, votes);
    const last = rows.at(-1);
    const time = Math.round(at / 1000);
    if (text !== told.text && rows.length < most)
      whole[seat] = Math.max(whole[seat] as number, Math.min(longest, [...text].length));
    if (last && Math.round(last.at / 1000) === time && last.cells[seat] === '')
      last.cells[seat] = text;
    else {
      const cells = Array.from({ length: n }, () => '');
      cells[seat] = text;
      rows.push({ at, cells });
    }
  }
  const shown = rows.slice(0, most);
  const heads = Array.from({ length: n }, (_, i) => nameOf(i, options));
  const natural = heads.map((head, i) =>
    Math.max(head.length, ...shown.map(({ cells }) => [...(cells[i] as string)].length)),
  );
  const widths = fitting(
    natural.map((width, i) => Math.min(Math.max(options.width, whole[i] as number), width)),
    room - clockWidth - n * gap,
  );
  if (widths === undefined || widths.some((width, i) => width < (whole[i] as number)))
    return asList(story, options);
  const line = (time: string, cells: readonly string[]): string =>
    [time, ...cells.map((cell, i) => clip(cell, widths[i] as number, options))]
      .join('  ')
      .trimEnd();
  const lines = [
    line(unit.padStart(clockWidth), heads),
    ...shown.map(({ at, cells }) => line(clock(at), cells)),
  ];
  return [...lines, ...restOf(rows.length, options)];
}

/** With `votes` also why a node committed: ` by n0 n2`, its votes, or ` on n0's word`. */
function textOf(
  { text, voters, toldBy }: Pick<StoryLine, 'text' | 'voters' | 'toldBy'>,
  votes: boolean,
): string {
  if (votes && voters !== undefined) return `${text} by ${voters.map((id) => `n${id}`).join(' ')}`;
  return votes && toldBy !== undefined ? `${text} on n${toldBy}'s word` : text;
}

const clockWidth = 5;
const gap = 2;
/** Characters of a commit and its votes that are never cut off. */
const longest = 60;
/** Characters below which a column tells nothing. */
const narrowest = 11;

const nameOf = (seat: number, { traitors, traitorSign, names }: ColumnsOptions): string =>
  `${names?.[seat] ?? `n${seat}`}${traitors.includes(seat) ? traitorSign : ''}`;

/** The widths, the widest ones cut until all fit; nothing if they would be too narrow. */
function fitting(widths: readonly number[], room: number): readonly number[] | undefined {
  const sum = (most: number): number =>
    widths.reduce((total, width) => total + Math.min(width, most), 0);
  let most = Math.max(...widths);
  while (most > narrowest && sum(most) > room) most--;
  return sum(most) > room ? undefined : widths.map((width) => Math.min(width, most));
}

/** The same, one event a line: for many nodes, or a narrow terminal. */
function asList(story: readonly StoryLine[], options: ColumnsOptions): readonly string[] {
  const { unit = 'ms', votes = true } = options;
  const lines = story
    .slice(0, options.most)
    .map(
      ({ at, seat, ...told }) =>
        `${clock(at)} ${unit}  ${nameOf(seat, options)}  ${textOf(told, votes)}`,
    );
  return [...lines, ...restOf(story.length, options)];
}

const restOf = (lines: number, { most, hint, more = '…' }: ColumnsOptions): readonly string[] =>
  lines > most
    ? [`       ${more} ${lines - most} more lines${hint === undefined ? '' : `: ${hint}`}`]
    : [];

const clip = (text: string, width: number, { more = '…' }: ColumnsOptions): string => {
  const letters = [...text];
  if (letters.length <= width) return text.padEnd(width);
  return `${letters.slice(0, Math.max(0, width - more.length)).join('')}${more}`.padEnd(width);
};

/** Two blocks of text side by side, the left one padded; below each other if there is no room. */
export function sideBySide(
  left: readonly string[],
  right: readonly string[],
  room: number,
  gap = 4,
): readonly string[] {
  const widest = (lines: readonly string[]): number =>
    Math.max(...lines.map((line) => [...line].length));
  const width = widest(left);
  if (width + gap + widest(right) > room) {
    const below = [...left, '', ...right];
    // Blank lines that made both equally high have no purpose here.
    return below.filter((line, i) => line !== '' || below[i - 1] !== '');
  }
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    `${(left[i] ?? '').padEnd(width + gap)}${right[i] ?? ''}`.trimEnd(),
  );
}
