/** What breaks a protocol and what does not: attacks that were run now, and its wrong variants. */
import { ms } from '@quorumlab/core';
import {
  attackOf,
  columns,
  comparedAttacks,
  completeScenario,
  exhibit,
  formulaOf,
  type ProtocolEntry,
  type Scenario,
  verdictSigns,
} from '@quorumlab/harness';
import { type Html, html, type Part } from '../../packages/report/src/markup.ts';
import { codeOf, tableOf } from './markdown.ts';
import { capital, routeOf, type ShownRun, shownRun } from './runs.ts';

/** One way for things to go wrong, as people say it. */
export interface Trouble {
  readonly what: string;
  readonly scenario: Scenario;
}

/** What is tried on every protocol, in the size that one fault takes. */
function troublesOf({ name, claims }: ProtocolEntry): readonly Trouble[] {
  const about = { protocol: name, f: 1, n: claims.replicas(1) };
  const crashes = (count: number): Scenario =>
    completeScenario({
      ...about,
      faults: Array.from({ length: count }, (_, node) => ({
        // Before anything is decided: later, all might be answered already.
        ...({ type: 'crash', at: ms(1), node } as const),
      })),
    });
  return [
    ...comparedAttacks.map((attack) => ({
      what: attackOf(attack).title,
      scenario: completeScenario({ ...about, attack }),
    })),
    { what: 'f crash for good.', scenario: crashes(1) },
    { what: 'f+1 crash for good.', scenario: crashes(2) },
  ];
}

/** All of them, run. */
export const brokenRuns = (
  entry: ProtocolEntry,
): readonly (Trouble & { readonly run: ShownRun })[] =>
  troublesOf(entry).map((trouble) => ({ ...trouble, run: shownRun(trouble.scenario) }));

/** What a verdict takes away. */
const property: Readonly<Record<ShownRun['word'], string>> = {
  forked: 'agreement',
  invalid: 'validity',
  'stale-read': 'linearizability',
  stalled: 'liveness',
  inconclusive: '',
  ok: '',
};

const head = (...names: readonly string[]): Html[] =>
  names.map((name) => html`<th scope="col">${name}</th>`);

const who = ({ attack, by, faults }: Scenario): string =>
  by.length > 0
    ? `${attack} by ${by.map((id) => `n${id}`).join(', ')}`
    : faults.length > 0
      ? `crash of ${faults.map((fault) => ('node' in fault ? `n${fault.node}` : '')).join(', ')}`
      : attack;

/** The protocol's row of the break table, one line a trouble. `to`: the way to the playground. */
export function breakTable(runs: ReturnType<typeof brokenRuns>, to: string): Html {
  return tableOf(
    'What goes wrong, and what comes of it',
    head('what goes wrong', 'verdict', 'what came of it', 'run it again'),
    runs.map(({ what, scenario, run }) => {
      const { word, verdict, sentence, expectation, command, route } = run;
      const lost = property[word];
      return html`<tr class="${word}"><td><strong>${who(scenario)}</strong><br>${what}</td>
<td class="word">${verdict}</td>
<td>${lost !== '' && html`<strong>No ${lost}.</strong> `}${capital(sentence)}.
<span class="quiet">${capital(expectation)}.</span></td>
<td><a href="${to}${route}">In the playground</a><br>${codeOf(command)}</td></tr>`;
    }),
  );
}

/** The anchor of a wrong variant on its protocol's page. */
export const mutantAnchor = (mutant: string): string => `mutant-${mutant}`;

/**
 * The wrong variants of a protocol: which rule is wrong, and what that breaks. Those in `played`
 * are played here and now.
 */
export function mutantTable(
  entry: ProtocolEntry,
  to: string,
  played: (mutant: string) => boolean,
): Html {
  return html`${entry.mutants.map((mutant) => {
    const flaw = entry.flaws[mutant];
    const shown = entry.exhibit(mutant)?.exhibit;
    const { options = {} } = shown ?? {};
    const n = 'n' in options && typeof options.n === 'number' ? options.n : undefined;
    const scenario = completeScenario({ protocol: entry.name, mutant, f: 1 });
    return html`<article id="${mutantAnchor(mutant)}">
<h3>${codeOf(mutant)}${
      shown !== undefined &&
      html` <span class="word ${shown.shows}">${verdictSigns[shown.shows]} ${shown.shows}</span>`
    }</h3>
${
  flaw !== undefined &&
  html`<p>${flaw.rule} <span class="quiet">The right rule:
${flaw.paper.replace(/\.$/, '')}.</span></p>`
}
${
  shown !== undefined &&
  html`<p>It breaks <strong>${property[shown.shows]}</strong>${
    n !== undefined && ` in a group of ${n}`
  }: ${shown.story}</p>`
}
${played(mutant) && playedOut(entry, mutant)}
<p class="again">${codeOf(`quorumlab attack ${entry.name} --mutant ${mutant}`)} plays this
schedule with it and with the right protocol.
<a href="${to}${routeOf(scenario)}">${mutant} in the playground</a> meets any attack
you choose.</p></article>`;
  })}`;
}

/** Lines of a story at most: longer ones repeat themselves. */
const mostLines = 30;

/** What the schedule does to the wrong variant, and that it does nothing to the right one. */
function playedOut(entry: ProtocolEntry, mutant: string): Part {
  const { n, wrong, right } = exhibit(entry, mutant);
  const slot = wrong.violation?.slot;
  const told = wrong.story.filter(
    (line) => line.kind !== 'commits' || slot === undefined || line.slot === slot,
  );
  const lines = columns(told, {
    ...{ n, traitors: wrong.liars, traitorSign: '⚠', width: 24, most: mostLines, unit: 'step' },
  });
  return html`<p>Played now: ${verdictSigns[wrong.word]} ${wrong.word}: ${
    wrong.violation?.sentence ?? 'nothing went wrong'
  }. The right protocol, under the same schedule: ${verdictSigns[right.word]} ${right.word}.</p>
<details><summary>Its schedule, step by step</summary><pre tabindex="0"><code>${lines.join(
    '\n',
  )}</code></pre></details>`;
}

/** `f` crashes or lies of `2f+1`. */
export const survives = ({ claims }: ProtocolEntry): string =>
  `${claims.faults === 'crash' ? 'f crashes' : 'f liars'} of ${formulaOf(claims)} replicas`;
