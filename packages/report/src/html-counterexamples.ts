/** Counterexamples: what went wrong, as a picture, as sentences, and as a line to replay. */
import { deflateRawSync } from 'node:zlib';
import {
  type Counterexample,
  expectation,
  quoted,
  type VerdictRow,
  verdictSigns,
} from '@quorumlab/harness';
import { scriptJson } from './escape.ts';
import type { Evidence } from './evidence.ts';
import type { ReportInput } from './input.ts';
import { type Html, html, type Part, raw } from './markup.ts';
import { rowName } from './name.ts';
import { standingOf } from './rows.ts';

/** Pictures and sentences take this many bytes of one report at most, the unexpected ones first. */
const mostBytes = 450_000;

/** Traces take this many bytes besides, compressed: the same ones first. */
const mostTraceBytes = 350_000;

/** The section of counterexamples, the unexpected ones first. */
export function counterexampleSection({ result, evidence }: ReportInput): Html | undefined {
  const all = result.verdicts.flatMap((row, place) =>
    row.counterexample === undefined ? [] : [{ row, place, found: row.counterexample }],
  );
  if (all.length === 0) return undefined;
  const isFirst = ({ row }: (typeof all)[number]): boolean =>
    standingOf(row, result) === 'unexpected';
  const sorted = [...all.filter(isFirst), ...all.filter((each) => !isFirst(each))];
  let left = mostBytes;
  let leftForTraces = mostTraceBytes;
  const articles = sorted.map(({ row, place, found }) => {
    const known = evidence?.get(place);
    const size = sizeOf(known);
    const fits = size <= left;
    if (fits) left -= size;
    const shown = fits
      ? known
      : 'its picture is left out, so that this file stays small: the line below shows it';
    const inside = isEvidence(known) ? traceOf(row, place, known.text) : undefined;
    const isKept = inside !== undefined && inside.html.length <= leftForTraces;
    if (isKept) leftForTraces -= inside.html.length;
    return articleOf(row, place, found, shown, isKept ? inside : undefined);
  });
  return html`<section aria-labelledby="counterexamples">
<h2 id="counterexamples">Counterexamples</h2>
<p>Each is the smallest that was found. Time runs down; an arrow is a message, dashed and red if it
is a lie, ending in a cross if it was lost. A diamond is a commit, hatched where honest nodes
differ; a square is a write to disk, a flag a change of role, a tick votes that were counted. What
changed nothing is left out.</p>
${articles}</section>`;
}

const isEvidence = (known: Evidence | string | undefined): known is Evidence =>
  known !== undefined && typeof known !== 'string';

/** A trace inside the report, for the page that opens traces. */
function traceOf(row: VerdictRow, place: number, text: string): Html {
  const name = `${rowName(row)} n=${row.n} under ${row.attack}`;
  const inside = { name, deflated: deflateRawSync(text, { level: 9 }).toString('base64') };
  return html`<script type="application/json" class="trace" id="t${place}">${raw(
    scriptJson(inside),
  )}</script>`;
}

/** How many bytes the evidence of one counterexample takes. */
function sizeOf(evidence: Evidence | string | undefined): number {
  if (!isEvidence(evidence)) return 0;
  const { picture, sentences } = evidence;
  const both = (typeof picture === 'string' ? picture : picture.html) + sentences.html;
  return new TextEncoder().encode(both).length;
}

function articleOf(
  row: VerdictRow,
  place: number,
  found: Counterexample,
  evidence: Evidence | string | undefined,
  inside: Html | undefined,
): Html {
  const { rule, sentence, shrunk, first, replay, events, culprits } = found;
  const name = `${rowName(row)} n=${row.n} under ${row.attack}`;
  return html`<article id="c${place}" aria-labelledby="h${place}">
<h3 id="h${place}">${verdictSigns[row.word]} ${row.word}: ${name}</h3>
<p class="verdict ${row.word}"><strong>${rule}</strong>: ${sentence}</p>
<p>${expectation(row)}.</p>
${row.story !== undefined && html`<ul>${row.story.map((each) => html`<li>${each}</li>`)}</ul>`}
<p class="quiet">${
    shrunk === undefined
      ? `${events} events`
      : `${shrunk.before} events, made ${shrunk.after} in ${shrunk.tries} tries`
  }; in ${row.hits} of ${row.runs} runs.</p>
<p>Run it again: <code>${replay}</code></p>
${
  found.trace !== undefined &&
  html`<p>Step through it: <code>quorumlab replay ${quoted(found.trace)} --step</code>, or open
${inside === undefined ? 'that file' : 'this report'} on the page Open a trace of the playground,
which runs it again.</p>`
}
${inside}
${first !== undefined && html`<p>The run that was found first: <code>${first.replay}</code></p>`}
${culprits.length > 0 && proofsOf(found)}
${
  isEvidence(evidence)
    ? evidenceOf(evidence, name)
    : evidence !== undefined && html`<p class="quiet">There is no picture: ${evidence}.</p>`
}</article>`;
}

function evidenceOf(evidence: Evidence, name: string): Html {
  const { picture, sentences, digest, shown, events } = evidence;
  const drawn: Part =
    typeof picture === 'string'
      ? html`<p class="quiet">There is no picture: ${picture}.</p>`
      : html`<div class="wide picture" tabindex="0" role="region"
aria-label="Picture of ${name}">${picture}</div>`;
  return html`${drawn}
<details><summary>The same in ${shown} sentences; its trace has ${events} lines</summary>
${sentences}</details>
<p class="quiet">Digest of this run: <code>${digest}</code></p>`;
}

/** The two signatures that convict each culprit. */
function proofsOf({ culprits, proofs }: Counterexample): Html {
  const names = culprits.map((id) => `n${id}`).join(', ');
  return html`<details><summary>${names} ${culprits.length === 1 ? 'is' : 'are'} proven to have
lied</summary><ul>${proofs.map(
    ({
      signer,
      about,
      first,
      second,
    }) => html`<li>n${signer} signed two statements about ${about}, of
which only one may be signed: ${first.kind} ${first.what} 
(<code>${first.signature.slice(0, 32)}</code>) and ${second.kind} ${second.what}
(<code>${second.signature.slice(0, 32)}</code>)</li>`,
  )}</ul></details>`;
}
