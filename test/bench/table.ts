/** The printed table. */
import type { Row } from './measure.ts';

/** What the figures were measured on. */
export interface MachineLine {
  readonly processor: string;
  readonly cores: number;
  readonly node: string;
  readonly system: string;
  readonly loadBefore: number;
}

const widths = { name: 48, value: 20, ratio: 9, limit: 50 } as const;

/** The first lines: the machine, and what the columns are. */
export function heading({ processor, cores, node, system, loadBefore }: MachineLine): string {
  const load = loadBefore.toFixed(2);
  const busy = loadBefore > 0.5 ? ' (others are at work: figures are low, ratios less so)' : '';
  return [
    `${cores} cores of ${processor}, ${system}, Node ${node}, load ${load}${busy}`,
    '',
    'what'.padEnd(widths.name) +
      'median'.padStart(widths.value) +
      'ratio'.padStart(widths.ratio) +
      `  ${'limit in the same run'.padEnd(widths.limit)}  target`,
  ].join('\n');
}

/** A number with as many digits as mean something. */
function shown(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
}

function targetOf({ value, target }: Row): string {
  if (target === undefined) return '';
  const met = target.better === 'more' ? value >= target.value : value <= target.value;
  const sign = target.better === 'more' ? '≥' : '≤';
  const missed = `missed, ${shown((value / target.value) * 100)} % of it`;
  return `${sign} ${shown(target.value)}: ${met ? 'met' : missed}`;
}

/** One line for each row. */
export const table = (rows: readonly Row[]): string => rows.map(line).join('\n');

function line(row: Row): string {
  const { name, value, unit, limit } = row;
  const ratio = limit === undefined ? '' : shown(value / limit.value);
  const beside = limit === undefined ? '' : `${limit.name}: ${shown(limit.value)}`;
  const more = row.more === undefined ? '' : `; ${row.more}`;
  return (
    name.padEnd(widths.name) +
    `${shown(value)} ${unit}`.padStart(widths.value) +
    ratio.padStart(widths.ratio) +
    `  ${beside.padEnd(widths.limit)}  ${targetOf(row)}${more}`
  ).trimEnd();
}
