/** Single runs: what happened, as a picture, as sentences, and as a line to replay. */
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
import { type Own, ownOf } from './own.ts';
import { sentenceOfRow, standingOf } from './rows.ts';

/** Pictures and sentences take this share of the room that there is, traces what is left. */
const shareOfPictures = 0.6;

/** What is shown of single runs. */
export interface Runs {
  readonly all: Html | undefined;
  /** How many of them the page holds, to be shown and run again. */
  readonly traces: number;
}

interface One {
  readonly row: VerdictRow;
  readonly place: number;
  /** Whose code it runs, if not ours alone. */
  readonly own: Own | undefined;
}

/** The sections of counterexamples and of runs that violated nothing, in so many bytes at most. */
export function runSections({ result, evidence, viewer }: ReportInput, room: number): Runs {
  const all = result.verdicts.map((row, place): One => ({ row, place, own: ownOf(result, row) }));
  const found = all.filter(({ row }) => row.counterexample !== undefined);
  const isFirst = ({ row }: One): boolean => standingOf(row, result) === 'unexpected';
  const sorted = [...found.filter(isFirst), ...found.filter((each) => !isFirst(each))];
  const others = all.filter(
    ({ row, place }) => row.counterexample === undefined && isEvidence(evidence?.get(place)),
  );
  const isLive = viewer !== undefined;
  const shells = [...sorted, ...others].map((one) => articleOf(one, undefined, undefined, isLive));
  const free = room - shells.reduce((sum, { html: shell }) => sum + shell.length + 300, 1000);
  let left = free * shareOfPictures;
  const pictures = new Map<number, Evidence | string | undefined>();
  for (const { row, place } of [...sorted, ...others]) {
    const known = evidence?.get(place);
    const size = sizeOf(known);
    const fits = size <= left;
    if (fits) left -= size;
    const line = row.counterexample === undefined ? '' : ': the line above shows it';
    const why = `its picture is left out, so that this file stays small${line}`;
    pictures.set(place, fits ? known : why);
  }
  left += free * (1 - shareOfPictures);
  let traces = 0;
  const articles = [...sorted, ...others].map((one) => {
    const known = evidence?.get(one.place);
    const inside = isEvidence(known) ? heldOf(one, known, left, isLive) : undefined;
    if (inside !== undefined) traces++;
    left -= inside?.html.length ?? 0;
    return articleOf(one, pictures.get(one.place), inside, isLive);
  });
  const shown = articles.slice(0, sorted.length);
  const rest = articles.slice(sorted.length);
  const both = html`${
    shown.length > 0 &&
    html`<section aria-labelledby="counterexamples">
<h2 id="counterexamples">Counterexamples</h2>
<p>Each is the smallest that was found. ${legend}</p>
${shown}</section>`
  }
${
  rest.length > 0 &&
  html`<section aria-labelledby="runs"><h2 id="runs">What ran</h2>
<p>${legend}</p>
${rest}</section>`
}`;
  return { all: articles.length === 0 ? undefined : both, traces };
}

const legend =
  'Time runs down; an arrow is a message, dashed and red if it is a lie, ending in a cross if it ' +
  'was lost. A diamond is a commit, hatched where honest nodes differ; a square is a write to ' +
  'disk, a flag a change of role, a tick votes that were counted. What changed nothing is left ' +
  'out.';

const isEvidence = (known: Evidence | string | undefined): known is Evidence =>
  known !== undefined && typeof known !== 'string';

const nameOf = ({ row }: One): string => `${rowName(row)} n=${row.n} under ${row.attack}`;

/**
 * A run inside the report, for the page that opens traces and for the viewer: as its trace, or if
 * that is more than `most` bytes, as what makes it. Whoever has no viewer cannot make it.
 */
function heldOf(one: One, evidence: Evidence, most: number, isLive: boolean): Html | undefined {
  const { digest, text, trace } = evidence;
  const isOwn = one.own === undefined ? {} : { isOwn: true };
  const held = (more: Readonly<Record<string, unknown>>): Html =>
    html`<script type="application/json" class="trace" id="t${one.place}">${raw(
      scriptJson({ name: nameOf(one), digest, ...isOwn, ...more }),
    )}</script>`;
  // No trace becomes so small that this would be a mistake.
  const whole =
    text.length > most * 40
      ? undefined
      : held({ deflated: deflateRawSync(text, { level: 9 }).toString('base64') });
  if (whole !== undefined && whole.html.length <= most) return whole;
  const isMade = isLive && one.own === undefined;
  const made = isMade ? held({ scenario: trace.header.scenario }) : undefined;
  return made !== undefined && made.html.length <= most ? made : undefined;
}

/** How many bytes the evidence of one counterexample takes. */
function sizeOf(evidence: Evidence | string | undefined): number {
  if (!isEvidence(evidence)) return 0;
  const { picture, sentences } = evidence;
  const both = (typeof picture === 'string' ? picture : picture.html) + sentences.html;
  return new TextEncoder().encode(both).length;
}

function articleOf(
  one: One,
  evidence: Evidence | string | undefined,
  inside: Html | undefined,
  isLive: boolean,
): Html {
  const { row, place, own } = one;
  const { word, counterexample: found } = row;
  const name = nameOf(one);
  return html`<article id="c${place}" aria-labelledby="h${place}">
<h3 id="h${place}">${verdictSigns[word]} ${word}: ${name}</h3>
<p class="verdict ${word}">${
    found === undefined
      ? sentenceOfRow(row)
      : html`<strong>${found.rule}</strong>: ${found.sentence}`
  }</p>
<p>${expectation(row)}.</p>
${row.story !== undefined && html`<ul>${row.story.map((each) => html`<li>${each}</li>`)}</ul>`}
${found !== undefined && againOf(found, one, inside !== undefined)}
${
  inside !== undefined &&
  isLive &&
  html`<p class="quiet">Where scripts are on, it is stepped through
${own === undefined ? 'and run again here, by the simulator inside this file' : 'here'}.</p>`
}
${own !== undefined && ownWords(own)}
${inside}
${
  found?.first !== undefined &&
  html`<p>The run that was found first: <code>${found.first.replay}</code></p>`
}
${found !== undefined && found.culprits.length > 0 && proofsOf(found)}
${
  isEvidence(evidence)
    ? evidenceOf(evidence, name)
    : evidence !== undefined && html`<p class="quiet">There is no picture: ${evidence}.</p>`
}</article>`;
}

/** How small it was made, and the lines that show it again. */
const againOf = (
  { shrunk, events, replay, trace }: Counterexample,
  { row: { hits, runs }, own }: One,
  isInside: boolean,
): Html => html`<p class="quiet">${
  shrunk === undefined
    ? `${events} events`
    : `${shrunk.before} events, made ${shrunk.after} in ${shrunk.tries} tries`
}; in ${hits} of ${runs} runs.</p>
<p>Run it again: <code>${replay}</code></p>
${
  trace !== undefined &&
  html`<p>Step through it: <code>quorumlab replay ${quoted(trace)} --step</code>, or open
${isInside ? 'this report' : 'that file'} on the page Open a trace of the playground, which
${own === undefined ? 'runs it again' : 'shows it'}.</p>`
}`;

/** Why a run of somebody's own code is only shown, and where it is run again. */
const ownWords = ({ parts, line }: Own): Html => html`<p>It cannot be run again inside this file:
${parts.join(' and ')} ${parts.length === 1 ? 'comes' : 'come'} from a module of its author's own,
whose code is not in here. Whoever has that module runs it again in a terminal:
<code>${line}</code></p>`;

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
