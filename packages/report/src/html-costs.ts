/** What commits cost: charts against n with fitted exponents, and all of it as tables. */
import type { RunCost } from '@quorumlab/harness';
import { chartOf, exponentText, type Series } from './chart.ts';
import { type CostColumn, costColumns, short } from './cost-columns.ts';
import { type Html, html } from './markup.ts';
import { rowName } from './name.ts';
import type { Result, SteadyCostRow } from './result.ts';
import { steadyCosts } from './rows.ts';

/** Columns with charts of their own. */
const drawn: readonly string[] = ['messages', 'bytes', 'signatures checked'];

/** The section of costs; of runs alone it is one table. */
export function costSection(result: Result): Html | undefined {
  const steady = steadyCosts(result);
  const runs = result.cost.flatMap((each) => (each.counts === 'whole run' ? [each] : []));
  if (steady.length + runs.length === 0) return undefined;
  return html`<section aria-labelledby="cost"><h2 id="cost">What it costs</h2>
${steady.length > 0 && steadyTables(result, steady)}
${runs.length > 0 && runTable(runs)}</section>`;
}

function steadyTables({ growth = [] }: Result, steady: readonly SteadyCostRow[]): Html {
  const all = uniqueSizes([...steady, ...growth]);
  const sizes = new Set(all.map(({ n }) => n)).size;
  return html`<p>One commit without faults: one client, one write of 100 bytes after the other, all
nodes and the client together, every message with the same delay. A delay is one message on its way.
New leader: from a crash of the old one to the next answer.</p>
${costTable('One commit', steady)}
${
  sizes > 1 &&
  html`${drawn.flatMap((title) => {
    const column = costColumns.find((each) => each.title === title);
    return column === undefined ? [] : figureOf(column, all);
  })}<details><summary>Every size as a table</summary>${costTable('Every size', all)}</details>`
}`;
}

/** Rows by protocol and size, each once. */
function uniqueSizes(costs: readonly SteadyCostRow[]): readonly SteadyCostRow[] {
  const all = new Map(costs.map((cost) => [`${rowName(cost)} ${cost.n} ${cost.f}`, cost]));
  const names = [...new Set(costs.map(rowName))];
  return [...all.values()].sort(
    (one, two) => names.indexOf(rowName(one)) - names.indexOf(rowName(two)) || one.n - two.n,
  );
}

const costTable = (caption: string, costs: readonly SteadyCostRow[]): Html => html`<div class="wide"
tabindex="0" role="region" aria-label="${caption}, table"><table><caption>${caption}</caption>
<thead><tr><th scope="col">protocol</th><th scope="col">n</th>${costColumns.map(
  ({ title }) => html`<th scope="col">${title}</th>`,
)}</tr></thead><tbody>${costs.map(
  (cost) =>
    html`<tr><th scope="row">${rowName(cost)}</th><td>${cost.n}</td>${costColumns.map(
      ({ text }) => html`<td class="number">${text(cost)}</td>`,
    )}</tr>`,
)}</tbody></table></div>`;

function figureOf({ title, value }: CostColumn, all: readonly SteadyCostRow[]): readonly Html[] {
  const series = [...new Set(all.map(rowName))].map(
    (name, look): Series => ({
      ...{ name, look },
      points: all
        .filter((cost) => rowName(cost) === name)
        .flatMap((cost) => {
          const of = value(cost);
          return of === undefined ? [] : [{ n: cost.n, value: of }];
        }),
    }),
  );
  const seen = series.filter(({ points }) => points.some((point) => point.value > 0));
  const chart = chartOf(`${title} per commit`, seen);
  if (chart === undefined) return [];
  const sizes = [...new Set(seen.flatMap(({ points }) => points.map(({ n }) => n)))].sort(
    (one, two) => one - two,
  );
  return [
    html`<figure><figcaption>${title} per commit against n, with the exponent of the power law that
lies closest</figcaption>${chart}
<div class="wide" tabindex="0" role="region" aria-label="${title} per commit, table"><table>
<thead><tr><th scope="col">protocol</th>${sizes.map(
      (n) => html`<th scope="col">n=${n}</th>`,
    )}<th scope="col">grows as</th></tr></thead>
<tbody>${seen.map(
      (each) =>
        html`<tr><th scope="row">${each.name}</th>${sizes.map((n) => {
          const point = each.points.find((one) => one.n === n);
          return html`<td class="number">${point === undefined ? '' : short(point.value)}</td>`;
        })}<td>${exponentText(each)}</td></tr>`,
    )}</tbody></table></div></figure>`,
  ];
}

const runTable = (runs: readonly RunCost[]): Html => html`<p>All of each run: its elections,
heartbeats and retries are in it, so it is not the price of a commit.</p>
<div class="wide" tabindex="0" role="region" aria-label="Costs of runs"><table>
<thead><tr>${[
  'protocol',
  'operations',
  'messages each',
  'signatures each',
  'disk syncs each',
  'messages in all',
  'virtual ms',
].map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${runs.map(
  (run) => html`<tr><th scope="row">${run.protocol}</th><td class="number">${run.answered}</td>
<td class="number">${short(run.messagesPerCommit)}</td>
<td class="number">${short(run.signaturesPerCommit)}</td>
<td class="number">${short(run.syncsPerCommit)}</td><td class="number">${run.messages}</td>
<td class="number">${run.virtualMilliseconds}</td></tr>`,
)}</tbody></table></div>`;
