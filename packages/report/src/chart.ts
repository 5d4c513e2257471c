/** Charts of costs against the size of the group, both on logarithmic scales. */

import { short } from './cost-columns.ts';
import { type Html, html, type Part } from './markup.ts';

/** A line of a chart. */
export interface Series {
  readonly name: string;
  /** Which of the nine looks it has: the same in every chart. */
  readonly look: number;
  readonly points: readonly { readonly n: number; readonly value: number }[];
}

/**
 * The exponent k of the power law a n^k that lies closest to the points, by least squares of the
 * logarithms. Nothing if there are fewer than three sizes, or a value that has no logarithm.
 */
export function exponentOf({ points }: Series): number | undefined {
  if (new Set(points.map(({ n }) => n)).size < 3) return undefined;
  if (points.some(({ n, value }) => n <= 0 || value <= 0)) return undefined;
  const logs = points.map(({ n, value }) => [Math.log(n), Math.log(value)] as const);
  const mean = (of: 0 | 1): number => logs.reduce((sum, each) => sum + each[of], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const over = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return over / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}

/** `n^1.98`, or nothing where no exponent was fitted. */
export const exponentText = (series: Series): string => {
  const exponent = exponentOf(series);
  // Without this, what does not grow would grow by minus zero.
  return exponent === undefined ? '' : `n^${(Math.round(100 * exponent) / 100 + 0).toFixed(2)}`;
};

const width = 660;
const height = 340;
const plot = { left: 62, right: 430, top: 12, bottom: 296 } as const;
const labelHeight = 15;

/** Lines are told apart by their dashes and marks too; each has its name at its end. */
const dashes = ['', '8 3', '2 3', '8 3 2 3', '12 4', '4 4', '1 4', '10 2 2 2 2 2', '6 2'];
const marks = [
  'M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0',
  'M-3 -3h6v6h-6z',
  'M0 -4L4 3h-8z',
  'M0 -4L4 0L0 4L-4 0z',
  'M-3 -3L3 3M3 -3L-3 3',
  'M0 -4V4M-4 0H4',
  'M0 4L4 -3h-8z',
  'M-4 -1.5h8v3h-8z',
  'M-1.5 -4h3v8h-3z',
];

/** 1, 2, 5, 10, 20, … between two values. */
function ticksOf(least: number, most: number): readonly number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++)
    for (const step of [1, 2, 5]) ticks.push(step * 10 ** power);
  const within = ticks.filter((tick) => tick >= least / 1.001 && tick <= most * 1.001);
  // Over many powers of ten, those alone.
  return within.length > 9 ? within.filter((tick) => Number.isInteger(Math.log10(tick))) : within;
}

/** The chart of `what` against n; nothing if no line has two points. */
export function chartOf(what: string, all: readonly Series[]): Html | undefined {
  const series = all.filter(({ points }) => new Set(points.map(({ n }) => n)).size > 1);
  const points = series.flatMap((each) => each.points).filter(({ value }) => value > 0);
  if (points.length === 0) return undefined;
  const sizes = [...new Set(points.map(({ n }) => n))].sort((one, two) => one - two);
  const least = Math.min(...points.map(({ value }) => value));
  const most = Math.max(...points.map(({ value }) => value), least * 2);
  const scale = (from: number, to: number, low: number, high: number) => (value: number) =>
    tenth(from + ((to - from) * Math.log(value / low)) / Math.log(high / low));
  const x = scale(plot.left, plot.right, sizes[0] as number, sizes.at(-1) as number);
  const y = scale(plot.bottom, plot.top, least, most);
  return html`<svg class="chart" role="img" aria-label="${what} against n, the number of replicas,
both logarithmic: ${series.map((each) => `${each.name} ${exponentText(each)}`).join(', ')}. The
table below has every number." width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<g class="axis"><path d="M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}"/>${[
    spaced(sizes, x).map(
      (n) => html`<text x="${x(n)}" y="${plot.bottom + 18}" text-anchor="middle">${n}</text>`,
    ),
    ticksOf(least, most).map(
      (tick) =>
        html`<path class="grid" d="M${plot.left} ${y(tick)}H${plot.right}"/><text x="${
          plot.left - 6
        }" y="${y(tick) + 4}" text-anchor="end">${short(tick)}</text>`,
    ),
  ]}<text x="${(plot.left + plot.right) / 2}" y="${height - 6}" text-anchor="middle">n</text></g>
${linesOf(series, x, y)}</svg>`;
}

const tenth = (value: number): number => Math.round(10 * value) / 10;

/** Sizes whose numbers do not run into each other. */
function spaced(sizes: readonly number[], x: (n: number) => number): readonly number[] {
  let last = Number.NEGATIVE_INFINITY;
  return sizes.filter((n) => {
    if (x(n) - last < 22) return false;
    last = x(n);
    return true;
  });
}

function linesOf(
  series: readonly Series[],
  x: (n: number) => number,
  y: (value: number) => number,
): readonly Part[] {
  const lines = series.map((each, i) => {
    const points = each.points
      .filter(({ value }) => value > 0)
      .toSorted((one, two) => one.n - two.n)
      .map(({ n, value }) => [x(n), y(value)] as const);
    const [endX, endY] = points.at(-1) ?? [plot.right, plot.bottom];
    return { each, i, points, endX, endY };
  });
  // Names stand below each other where lines end at one place.
  const order = lines.toSorted((one, two) => one.endY - two.endY || one.i - two.i);
  let next = 0;
  const room = (i: number): number => height - (order.length - i) * labelHeight;
  const labels = new Map(
    order.map(({ i, endY }, place) => {
      next = Math.min(Math.max(next, endY), Math.max(next, room(place)));
      const at = next;
      next += labelHeight;
      return [i, at];
    }),
  );
  return lines.map(({ each, i, points, endX, endY }) => {
    const at = labels.get(i) ?? endY;
    const mark = marks[each.look % 9] ?? '';
    const path = points.map(([a, b], k) => `${k === 0 ? 'M' : 'L'}${a} ${b}`).join('');
    return html`<g class="series of-${each.look % 9}"><path class="line" stroke-dasharray="${
      dashes[each.look % 9] ?? ''
    }" d="${path}"/>${points.map(
      ([a, b]) => html`<path class="dot" transform="translate(${a} ${b})" d="${mark}"/>`,
    )}<path class="lead" d="M${endX + 6} ${endY}L${plot.right + 18} ${at}"/><text x="${
      plot.right + 22
    }" y="${tenth(at + 4)}">${each.name} ${exponentText(each)}</text></g>`;
  });
}
