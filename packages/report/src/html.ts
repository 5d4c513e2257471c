/** A result as one HTML file: read without scripts, printed, mailed, opened anywhere. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expectation, type VerdictRow, verdictSigns } from '@quorumlab/harness';
import { PictureDefinitions } from '@quorumlab/trace-view';
import { h } from 'preact';
import { render } from 'preact-render-to-string';
import { scriptJson } from './escape.ts';
import { costSection } from './html-costs.ts';
import { matrixSection } from './html-matrix.ts';
import { runSections } from './html-runs.ts';
import type { ReportInput } from './input.ts';
import { type Live, liveOf } from './live.ts';
import { type Html, html, raw } from './markup.ts';
import { rowName } from './name.ts';
import type { Result } from './result.ts';
import { countsOf, grouped, replayOf, sentenceOfResult, standingOf } from './rows.ts';

/** A report takes this many bytes, if its tables alone do not take more. */
const mostBytes = 1_000_000;

/** Pictures and traces have this many bytes in any case. */
const leastRoom = 100_000;

/** The report as a page. */
export function htmlReport(input: ReportInput): string {
  const { viewer } = input;
  const live = viewer === undefined ? undefined : liveOf(viewer);
  const without = Buffer.byteLength(pageOf(input, undefined, live));
  const found = runSections(input, Math.max(leastRoom, mostBytes - without));
  // A viewer that has nothing to show would be a script for nothing.
  return pageOf(input, found.all, found.traces > 0 ? live : undefined);
}

function pageOf({ result, date }: ReportInput, runs: Html | undefined, live?: Live): string {
  // Nothing is loaded, and no script runs but the one that is named by its digest, if any.
  const nothing = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const policy = `${nothing}${live?.policy ?? ''}`;
  const { unexpected } = countsOf(result);
  const title = `quorumlab: ${sentenceOfResult(result)}`;
  return `${
    html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${raw(styles())}</style>
<body class="quorumlab report">
${raw(render(h(PictureDefinitions, null)))}
<header>
<h1>${unexpected === 0 ? '✓' : '✗'} ${sentenceOfResult(result)}</h1>
${factsOf(result, date)}
</header>
<main>
${numbersOf(result)}
${unexpectedSection(result)}
${matrixSection(result)}
${costSection(result)}
${runs}
${coverageSection(result)}
${dataSection(result)}
</main>
${live?.elements}
</html>`.html
  }\n`;
}

const { resolve } = createRequire(import.meta.url);

/** The styles of pictures, those of reports, and the light colours once more for paper. */
function styles(): string {
  const pictures = readFileSync(resolve('@quorumlab/trace-view/style.css'), 'utf8');
  const own = readFileSync(new URL('../style.css', import.meta.url), 'utf8');
  const light = /\.quorumlab \{[^}]*\}/.exec(pictures)?.[0] ?? '';
  return `${pictures}${own}@media print {${light}}`;
}

function factsOf(result: Result, date: string | undefined): Html {
  const { command, engine, crypto, leftOut = [], errors = [], stopped } = result;
  return html`<dl class="facts">
${date !== undefined && html`<dt>Date</dt><dd>${date}</dd>`}
<dt>Made by</dt><dd><code>${command}</code></dd>
<dt>Engine</dt><dd>${engine}; ${crypto} signatures; everything in it is simulated</dd>
${stopped !== undefined && html`<dt>Stopped</dt><dd>${stopped}</dd>`}
${leftOut.map(({ attack, why }) => html`<dt>Left out</dt><dd>${attack}: ${why}</dd>`)}
${errors.map(({ code, message }) => html`<dt>Error ${code}</dt><dd>${message}</dd>`)}
</dl>`;
}

/** Four numbers that say how it stands. */
function numbersOf(result: Result): Html {
  const { unexpected, broken, ok, open } = countsOf(result);
  const lengths = result.verdicts
    .flatMap(({ counterexample }) => counterexample?.events ?? [])
    .sort((one, two) => one - two);
  const median = lengths[Math.floor(lengths.length / 2)];
  const all: readonly (readonly [number, string])[] = [
    [unexpected, 'unexpected'],
    [broken, 'broken as predicted'],
    [ok, 'ok'],
    ...(open === 0 ? [] : [[open, 'without an answer'] as const]),
    [
      lengths.length,
      median === undefined ? 'counterexamples' : `counterexamples, the median of ${median} events`,
    ],
  ];
  return html`<ul class="numbers">${all.map(
    ([value, what]) => html`<li><strong>${grouped(value)}</strong> ${what}</li>`,
  )}</ul>`;
}

/** The anchor of a row's counterexample. */
const anchorOf = (result: Result, row: VerdictRow): string => `c${result.verdicts.indexOf(row)}`;

function unexpectedSection(result: Result): Html {
  const rows = result.verdicts.filter((row) => standingOf(row, result) === 'unexpected');
  const expected =
    result.expect === undefined
      ? 'what the protocols claim'
      : `that every verdict is ${result.expect}`;
  if (rows.length === 0)
    return html`<section aria-labelledby="unexpected"><h2 id="unexpected">Unexpected</h2>
<p>Nothing: every answer agrees with ${expected}.</p></section>`;
  return html`<section aria-labelledby="unexpected"><h2 id="unexpected">Unexpected</h2>
<p>These do not agree with ${expected}. Please report them.</p>
<ul class="unexpected">${rows.map((row) => {
    const { word, n, attack, counterexample } = row;
    const replay = replayOf(row);
    return html`<li><strong>${verdictSigns[word]} ${word}</strong> ${rowName(row)} n=${n} under
${attack}. ${counterexample?.sentence ?? ''} ${expectation(row)}.
${
  counterexample !== undefined &&
  html`<a href="#${anchorOf(result, row)}">its counterexample: ${rowName(row)}, ${attack}</a>`
}${replay !== undefined && html`<br><code>${replay}</code>`}</li>`;
  })}</ul></section>`;
}

/** How often attacks acted, and every other number of the verdicts. */
function coverageSection({ verdicts }: Result): Html {
  const heads = ['protocol', 'n', 'f', 'attack', 'verdict', 'expected', 'claimed', 'runs'];
  const more = ['hits', 'attack acted in', 'true rate below, %', 'first seed', 'digest'];
  return html`<section aria-labelledby="numbers"><h2 id="numbers">Every verdict as numbers</h2>
<details><summary>${verdicts.length} rows</summary>
<div class="wide" tabindex="0" role="region" aria-label="Verdicts, table">
<table><thead><tr>${[...heads, ...more].map((head) => html`<th scope="col">${head}</th>`)}</tr>
</thead><tbody>${verdicts.map(
    (row) => html`<tr><th scope="row">${rowName(row)}</th><td>${row.n}</td><td>${row.f}</td>
<td>${row.attack}</td><td>${verdictSigns[row.word]} ${row.word}</td>
<td>${row.expected ? 'yes' : 'NO'}</td><td>${row.claimed ? 'yes' : 'no'}</td><td>${row.runs}</td>
<td>${row.hits}</td><td>${row.fired}</td><td>${row.upper95.toFixed(2)}</td><td>${row.seed}</td>
<td><code>${row.digest}</code></td></tr>`,
  )}</tbody></table></div></details></section>`;
}

/** The whole result as it is, for programs. */
const dataSection = (result: Result): Html => html`<section aria-labelledby="data">
<h2 id="data">The same for programs</h2>
<p>The element <code>script#result</code> of this file is the document of <code>--json</code>, with
every number above in it.</p>
<script type="application/json" id="result">${raw(scriptJson(result))}</script></section>`;
