/** The threat matrix: who survives what, as a table. */
import { attacks, judgedBy, readsWords, type VerdictRow, verdictSigns } from '@quorumlab/harness';
import { type Html, html, type Part } from './markup.ts';
import { rowName } from './name.ts';
import type { Result } from './result.ts';
import { cellWords, counted, isSilent, scenarioOfRow, standingOf } from './rows.ts';

/** A row per protocol and size, a column per attack. */
export function matrixSection(result: Result): Html {
  const { verdicts } = result;
  const rowOf = (row: VerdictRow): string => JSON.stringify([rowName(row), row.n, row.f]);
  const rows = [...new Map(verdicts.map((row) => [rowOf(row), row])).entries()];
  const columns = [...new Set(verdicts.map(({ attack }) => attack))];
  const cells = (key: string, attack: string): readonly VerdictRow[] =>
    verdicts.filter((row) => row.attack === attack && rowOf(row) === key);
  return html`<section aria-labelledby="matrix"><h2 id="matrix">Who survives what</h2>
${verdicts.length === 0 && html`<p>Nothing was run.</p>`}
<div class="wide" tabindex="0" role="region" aria-label="Threat matrix">
<table class="matrix"><caption>A row for each protocol, a column for each attack. A cell is the
worst verdict of its runs.</caption>
<thead><tr><th scope="col">protocol</th>${columns.map(
    (attack) =>
      html`<th scope="col">${attack}<br><span class="quiet">${budgetOf(attack)}</span></th>`,
  )}</tr></thead>
<tbody>${rows.map(
    ([key, row]) => html`<tr><th scope="row">${rowName(row)} <span class="quiet">n=${row.n}
f=${row.f}</span></th>${columns.map((attack) => {
      const all = cells(key, attack);
      const worst = all[0];
      return html`<td class="${
        worst === undefined ? 'none' : `${worst.word} ${standingOf(worst, result)}`
      }">${all.map((each) => cellOf(result, each))}</td>`;
    })}</tr>`,
  )}</tbody></table></div>
${notesOf(result)}</section>`;
}

/** What an attack takes: what kind of fault it is. */
function budgetOf(name: string): string {
  const needs = attacks.find((attack) => attack.name === name)?.needs;
  switch (needs) {
    case undefined:
      return '';
    case 'nothing':
      return 'no fault';
    case 'byzantine':
      return 'liars';
    default:
      return `${needs} faults`;
  }
}

function cellOf(result: Result, row: VerdictRow): Html {
  const { word, runs, upper95, hits, counterexample } = row;
  const standing = standingOf(row, result);
  const sign = hits === 0 && isSilent(row) ? '?' : verdictSigns[word];
  const words = html`${sign} ${cellWords(row, standing)}`;
  const bound =
    hits === 0 &&
    runs > 1 &&
    !isSilent(row) &&
    html`<br><span
class="quiet">0/${runs}, ≤ ${upper95.toFixed(2)} %</span>`;
  const networks = new Set(result.verdicts.map((each) => scenarioOfRow(result, each)?.network));
  const network = networks.size > 1 && scenarioOfRow(result, row)?.network;
  const inside =
    counterexample === undefined
      ? words
      : html`<a href="#c${result.verdicts.indexOf(row)}">${words}</a>`;
  const where = network && html`<br><span class="quiet">${network}</span>`;
  return html`<div>${inside}${bound}${where}</div>`;
}

/** What the words mean, and what a reader could take for more than it is. */
function notesOf({ verdicts }: Result): Html {
  const notes: Part[] = [];
  const clean = verdicts.filter(({ hits, runs }) => hits === 0 && runs > 0);
  if (clean.length > 0)
    notes.push(
      'ok = no violation in these runs, and no proof: below it the bound on the true rate, with ' +
        '95 % confidence.',
    );
  for (const reads of readsWords)
    if (verdicts.some((row) => row.reads === reads)) notes.push(`${judgedBy(reads)}.`);
  if (verdicts.some(({ hits, runs }) => hits > 0 && hits < runs))
    notes.push('18/300 = runs with any word but ok, of all.');
  if (verdicts.some(({ counterexample }) => (counterexample?.culprits.length ?? 0) > 0))
    notes.push('named = convicted by two of its own signatures, which anyone can check.');
  if (verdicts.some(({ claimed, word }) => !claimed && word === 'ok'))
    notes.push('not claimed = more than the protocol says that it survives; nothing broke here.');
  for (const row of verdicts) {
    const { attack, fired, runs, budget } = row;
    const what = `${rowName(row)} n=${row.n}, ${attack}`;
    if (isSilent(row))
      notes.push(
        `${what}: it did not occur in any of ${counted(runs, 'run')}, which says nothing.`,
      );
    else if (fired < runs && fired > 0)
      notes.push(`${what}: it occurred in ${fired} of ${counted(runs, 'run')}.`);
    if (budget !== undefined) notes.push(`${what}: ${budget}.`);
  }
  return html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`;
}
