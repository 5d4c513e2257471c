/** The page of a protocol: its paper, its code on one page, a run of it, and what breaks it. */
import { completeScenario, formulaOf, type ProtocolEntry } from '@quorumlab/harness';
import { PictureDefinitions } from '@quorumlab/trace-view';
import { h } from 'preact';
import { render } from 'preact-render-to-string';
import { type Html, html, raw } from '../../packages/report/src/markup.ts';
import { anchorOf } from './anchors.ts';
import { breakTable, type brokenRuns, mutantTable, survives } from './breaks.ts';
import { SiteError } from './fault.ts';
import { codeOf, documentOf, type Heading, headingOf, tableOf } from './markdown.ts';
import type { Page } from './page.ts';
import { forgeOf, hrefBetween, type Places, playground, waysOf } from './places.ts';
import { paperOf, pseudoCode, stepsTable } from './pseudo-code.ts';
import { capital, runSection } from './runs.ts';

/** The page of a protocol, by its name. */
export const protocolPage = (name: string): string => `protocols/${name}.html`;

/** The folder of a protocol's package. */
export const folderOf = ({ name }: ProtocolEntry): string => `packages/${name}`;

/** Its name for people, and what follows it in its title. */
export function titleOf({ name, title }: ProtocolEntry): readonly [name: string, rest: string] {
  const [, first, rest] = /^([^:]+): (.+)$/s.exec(title) ?? [];
  return first === undefined || rest === undefined ? [name, title] : [first, capital(rest)];
}

/** What a page is made with. */
export interface Making {
  readonly places: Places;
  readonly runs: ReturnType<typeof brokenRuns>;
  /** Which wrong variants are played out on the page. */
  readonly played: (protocol: string, mutant: string) => boolean;
}

/** The page. Throws a SiteError that says what the package lacks for one. */
export async function pageOfProtocol(entry: ProtocolEntry, making: Making): Promise<Page> {
  const { places, runs, played } = making;
  const { tree } = places;
  const folder = folderOf(entry);
  const address = protocolPage(entry.name);
  const to = hrefBetween(address, playground);
  const [readme, source] = ['README.md', 'src/protocol.ts'].map((room) => {
    const path = `${folder}/${room}`;
    if (tree.files.has(path)) return { path, text: tree.text(path) };
    throw new SiteError(`${path} is missing: the page of ${entry.name} is made of it.`);
  }) as [{ path: string; text: string }, { path: string; text: string }];
  const ways = waysOf(places, readme.path, address);
  const taken = new Map<string, number>();
  const [intro, ...sections] = documentOf(readme.text, ways, taken).sections;
  const paper = await paperOf(tree, folder);
  const parts: { body: Html; headings: readonly Heading[] }[] = [];
  const add = (text: string, body: Html): void => {
    const heading = { depth: 2, id: anchorOf(text, taken), text };
    parts.push({ headings: [heading], body: html`${headingOf(heading)}\n${body}` });
  };
  const addTold = (...names: readonly string[]): void => {
    for (const section of sections)
      if (names.length === 0 || names.includes(section.title ?? ''))
        if (!parts.includes(section)) parts.push(section);
  };
  addTold('Paper', 'Faults');
  add('See it run', oneLiar(entry, to));
  add(
    'The protocol on one page',
    pseudoCode(source.path, source.text, paper, waysOf(places, source.path, address)),
  );
  addTold('Reading order');
  add(
    'What breaks it, and what does not',
    html`<p>Each line is a run that was made for this page, of ${entry.claims.replicas(
      1,
    )} replicas built for f = 1; it shows what can happen, and never that nothing else can.</p>
${breakTable(runs, to)}`,
  );
  add(
    'Wrong variants',
    html`<p>The same code with one rule wrong, and what that costs: so one sees what each
rule is for. The schedule of each is the shortest story that shows it.</p>
${mutantTable(entry, to, (mutant) => played(entry.name, mutant))}`,
  );
  addTold();
  add('Steps of the paper', stepsTable(paper));
  if (Object.keys(entry.options).length > 0) add('Options', optionsOf(entry));
  add('In a program', intro?.body ?? html``);
  const [title, lead] = titleOf(entry);
  return {
    ...{ address, title, area: 'protocols', source: readme.path, lead },
    headings: parts.flatMap(({ headings }) => headings),
    body: html`${raw(render(h(PictureDefinitions, null)))}
<p class="lead">${lead}</p>
${factsOf(entry, places)}
${parts.map(({ body }) => body)}`,
  };
}

const oneLiar = (entry: ProtocolEntry, to: string): Html => {
  const about = { protocol: entry.name, f: 1, count: 2 };
  const lying = completeScenario({ ...about, attack: 'equivocating-leader' });
  return html`<p>One member lies: it signs one value for one half of the others, and another for
the rest. Beside it, in the frame, the same lie meets another protocol. Step with the
arrow keys.</p>
${runSection(lying, to)}`;
};

function factsOf(entry: ProtocolEntry, places: Places): Html {
  const { name, claims, variants, isCounted } = entry;
  const folder = folderOf(entry);
  return html`<dl class="facts">
<dt>Survives</dt><dd>${survives(entry)}: ${
    claims.faults === 'crash'
      ? 'they stop, or stop and come back; every word of a member is believed'
      : 'they may say anything to anybody, together'
  }</dd>
<dt>For one fault</dt><dd>${claims.replicas(1)} replicas (${formulaOf(claims)})${
    isCounted && ', each with a trusted counter'
  }</dd>
<dt>Orders</dt><dd>${
    claims.order === 'total' ? 'all commands alike' : 'commands that interfere alike, and no others'
  }</dd>
${
  variants !== undefined &&
  html`<dt>Variants</dt><dd>${variants.values.map(
    (value) => html`<code>${variants.option}=${value}</code>`,
  )}</dd>`
}
<dt>Code</dt><dd><a href="${forgeOf(places, `${folder}/src`)}">${folder}/src</a></dd>
<dt>Try it</dt><dd><code>npm run -s quorumlab -- run ${name}</code></dd>
</dl>`;
}

const kindText = (kind: ProtocolEntry['options'][string]): string =>
  typeof kind === 'string' ? kind : kind.join(', ');

const optionsOf = ({ name, options, notes }: ProtocolEntry): Html => html`<p>Each is given as
<code>quorumlab run ${name} --option NAME=VALUE</code>.</p>
${tableOf(
  'Options',
  ['option', 'takes', 'usual', 'what it is'].map((head) => html`<th scope="col">${head}</th>`),
  Object.entries(options).map(
    ([option, kind]) => html`<tr><td>${codeOf(option)}</td><td>${kindText(kind)}</td>
<td>${notes[option]?.usual ?? ''}</td><td>${notes[option]?.meaning ?? ''}</td></tr>`,
  ),
)}`;
