/** Pages that lead to others: the first one, the list of protocols, of each part, and of all. */
import { formulaOf, type ProtocolEntry } from '@quorumlab/harness';
import { type Html, html } from '../../packages/report/src/markup.ts';
import type { brokenRuns } from './breaks.ts';
import { documentOf, headingOf, tableOf } from './markdown.ts';
import type { Page } from './page.ts';
import { hrefBetween, type Places, playground, waysOf } from './places.ts';
import { protocolPage, titleOf } from './protocol.ts';
import type { ShownRun } from './runs.ts';

/** A protocol with what was run of it. */
export interface RunProtocol {
  readonly entry: ProtocolEntry;
  readonly runs: ReturnType<typeof brokenRuns>;
}

/** What was tried on all of them, and what came of it: a row for each. */
function matrix(all: readonly RunProtocol[], from: string): Html {
  const tried = all[0]?.runs ?? [];
  const to = hrefBetween(from, playground);
  const cell = ({ word, verdict, route }: ShownRun): Html =>
    html`<td class="word cell ${word}"><a href="${to}${route}">${verdict}</a></td>`;
  const names = tried.map(({ scenario, what }) =>
    scenario.attack === 'none' && scenario.faults.length > 0
      ? what.replace(' for good.', '')
      : scenario.attack,
  );
  return html`<div class="matrix">${tableOf(
    'Protocols under the same attacks',
    ['protocol', 'survives', ...names].map((name) => html`<th scope="col">${name}</th>`),
    all.map(
      ({ entry, runs }) =>
        html`<tr><th scope="row"><a href="${hrefBetween(
          from,
          protocolPage(entry.name),
        )}">${titleOf(entry)[0]}</a></th><td>${
          entry.claims.faults === 'crash' ? 'crashes' : 'lies'
        } of f in ${formulaOf(entry.claims)}</td>${runs.map(({ run }) => cell(run))}</tr>`,
    ),
  )}</div>`;
}

/** The list of protocols. Its document says what they share; its table is made of the registry. */
export function protocolsPage(all: readonly RunProtocol[], places: Places): Page {
  const address = 'protocols/index.html';
  const source = 'docs/protocols/README.md';
  const text = places.tree.text(source).replace(/^\|.*\n/gm, '');
  const { title, sections } = documentOf(text, waysOf(places, source, address));
  const [first] = sections;
  return {
    ...{ address, title, area: 'protocols', source, short: 'All protocols' },
    lead: 'Every protocol, under the same attacks.',
    headings: [],
    body: html`${matrix(all, address)}
<p class="quiet">Each cell is one run, made for this page, of as many replicas as the protocol takes
for f = 1, and leads to it in the playground. Agreement is lost where it says forked;
nothing is lost for good where it says stalled.</p>
${first?.body ?? ''}`,
  };
}

/** The first page: what this is, and the doors to it. */
export function frontPage(all: readonly RunProtocol[], places: Places, ways: Doors): Page {
  const address = 'index.html';
  places.assets.set('pictures/first-screen.png', 'docs/pictures/first-screen.png');
  const heading = { depth: 2, id: 'the-same-attacks', text: 'The same attacks, every protocol' };
  const crash = all.filter(({ entry }) => entry.claims.faults === 'crash').length;
  return {
    ...{ address, title: 'quorumlab', area: 'start', source: 'README.md' },
    lead: 'Consensus protocols for crashes and for lies, to run, to attack and to read.',
    headings: [heading],
    body: html`<p class="lead">Consensus protocols for two kinds of trouble, crashes and
lies. Every page here is made of code that runs: each verdict is a run, and each run can be
opened, stepped through and changed.</p>
<ul class="doors">${ways.map(
      ([title, to, what]) => html`<li><a href="${to}">${title}</a><p>${what}</p></li>`,
    )}</ul>
<figure><a href="${playground}"><img src="pictures/first-screen.png"
alt="The playground: Raft has forked under one liar, PBFT has not, and the liar is convicted"></a>
<figcaption>One leader lies. Raft commits two different values at one position, PBFT does not, and
two signatures prove the lie. <a href="${playground}">Open it</a>: it has run already, and stands at
the fork.</figcaption></figure>
${headingOf(heading)}
<p>${all.length} protocols, ${crash} for crashes and ${
      all.length - crash
    } for lies, each built for one fault. A cell leads to its run.</p>
${matrix(all, address)}`,
  };
}

/** Title, address and a sentence. */
export type Doors = readonly (readonly [title: string, to: string, what: string])[];

/** The page of a part that has no document for it. */
export const areaPage = (
  area: string,
  title: string,
  lead: string,
  pages: readonly Page[],
): Page => {
  const address = `${area}/index.html`;
  return {
    ...{
      address,
      title,
      lead,
      area,
      source: 'README.md',
      headings: [],
      short: `All ${title.toLowerCase()}`,
    },
    body: html`<p class="lead">${lead}</p>${entriesOf(address, pages)}`,
  };
};

/** All pages there are, for whoever looks for one. */
export const allPages = (
  parts: readonly (readonly [title: string, pages: readonly Page[]])[],
): Page => {
  const headings = parts.map(([text]) => ({
    depth: 2,
    id: text.toLowerCase().replace(/\W+/g, '-'),
    text,
  }));
  return {
    ...{ address: 'pages.html', title: 'All pages', area: 'start', source: 'README.md', headings },
    lead: 'Every page of this site.',
    body: html`${parts.map(
      ([, pages], i) =>
        html`${headingOf(headings[i] as (typeof headings)[number])}
${entriesOf('pages.html', pages)}`,
    )}`,
  };
};

const entriesOf = (from: string, pages: readonly Page[]): Html =>
  html`<ul class="entries">${pages.map(
    ({ address, short, title, lead }) =>
      html`<li><a href="${hrefBetween(from, address)}">${short ?? title}</a>
${lead !== '' && html`<br><span class="quiet">${lead}</span>`}</li>`,
  )}</ul>`;
