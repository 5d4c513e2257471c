/** Runs as pages show them: made now, by the packages of this repository. */
import {
  againLine,
  expectation,
  protocolOf,
  type RunResult,
  runScenario,
  type Scenario,
  verdictSigns,
} from '@quorumlab/harness';
import { linkOfScenario } from '@quorumlab/harness/link';
import { ranOf } from '@quorumlab/playground';
import { evidenceOf } from '@quorumlab/report';
import { type Html, html } from '../../packages/report/src/markup.ts';
import { SiteError } from './fault.ts';
import { codeOf } from './markdown.ts';

/** What came of a run, and how to see it again. */
export interface ShownRun {
  readonly scenario: Scenario;
  readonly word: RunResult['word'];
  /** `✗ forked` */
  readonly verdict: string;
  /** What was violated, or that nothing was. */
  readonly sentence: string;
  /** Whether that was to be expected, and why. */
  readonly expectation: string;
  /** The line for a terminal. */
  readonly command: string;
  /** The route of the playground: `#/play?…`. */
  readonly route: string;
}

/** Runs a scenario. Throws a SiteError if no link leads to it. */
export function shownRun(scenario: Scenario): ShownRun {
  const result = runScenario(scenario, { lines: false });
  const { word, expected, violation, answered, claim } = result;
  return {
    ...{ scenario, word, verdict: `${verdictSigns[word]} ${word}` },
    sentence: violation?.sentence ?? `all honest logs agree, ${answered} operations answered`,
    expectation: expectation({ ...scenario, word, expected, ...claim }),
    command: againLine(scenario) ?? '',
    route: routeOf(scenario, word),
  };
}

/** More events than any run has: the cursor then stands at the end of it. */
const theEnd = 1_000_000;

/**
 * The route of the playground to a scenario, where its violation is, or, if it came out `ok`, at
 * its end. Throws a SiteError if there is none.
 */
export function routeOf(scenario: Scenario, word?: RunResult['word']): string {
  const route = linkOfScenario(scenario, word === 'ok' ? theEnd : undefined);
  if (route !== undefined) return route;
  throw new SiteError(
    `no link of the playground leads to this run: ${againLine(scenario) ?? scenario.protocol}. ` +
      'Choose one that #/play can be set to, or name its nodes by their numbers.',
  );
}

/** A sentence that begins one. */
export const capital = (sentence: string): string =>
  `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;

/**
 * A run as it stands on a page: the playground in a frame, and below it the same as a picture and
 * as sentences, which need no script. `to`: the way to the playground.
 */
export function runSection(scenario: Scenario, to: string): Html {
  const ran = ranOf(scenario);
  const route = routeOf(scenario, ran.word);
  const evidence = evidenceOf(ran.trace);
  const { title } = protocolOf(scenario.protocol);
  const name = title.split(':')[0] ?? title;
  if (typeof evidence === 'string') throw new SiteError(`${ran.command}: ${evidence}.`);
  const { picture, sentences, shown, digest } = evidence;
  return html`<p class="verdict ${ran.word}"><strong>${verdictSigns[ran.word]} ${ran.word}</strong>
${capital(ran.sentence)}. <span class="quiet">${capital(ran.expectation)}.</span></p>
<iframe loading="lazy" src="${to}${route.replace('#/play', '#/embed')}" title="${name}, ${
    scenario.attack
  }: the run, to step through"></iframe>
<p><a href="${to}${route}">Open this run in the playground</a>, where all of it can be changed; or
in a terminal: ${codeOf(ran.command)}</p>
${
  typeof picture === 'string'
    ? html`<p class="quiet">There is no picture: ${picture}.</p>`
    : html`<figure><div class="wide picture" role="region" tabindex="0"
aria-label="Picture of ${name}, ${scenario.attack}">${picture}</div>
<figcaption>The same run as a picture. Time runs down; an arrow is a message, dashed and red if it
is a lie; a diamond is a commit, hatched where honest nodes differ; a tick is votes that were
counted.</figcaption></figure>`
}
<details><summary>And in ${shown} sentences</summary>${sentences}
<p class="quiet">Digest of this run: <code>${digest}</code></p></details>`;
}
