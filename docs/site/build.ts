/** Builds the site: everything in it is made of the work tree, and every link of it is followed. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { protocols } from '@quorumlab/harness';
import { buildPage } from '@quorumlab/playground';
import { html } from '../../packages/report/src/markup.ts';
import { brokenRuns } from './breaks.ts';
import { SiteError } from './fault.ts';
import { claimedMutants, guide, guideWithRuns } from './guide.ts';
import { lessonsPage } from './lessons.ts';
import { deadLinks } from './links.ts';
import { allPages, areaPage, frontPage, protocolsPage, type RunProtocol } from './listings.ts';
import { documentOf, type Section } from './markdown.ts';
import { type Page, pageText, type Way } from './page.ts';
import { areas, type Places, placesOf, playground, waysOf } from './places.ts';
import { folderOf, pageOfProtocol, protocolPage } from './protocol.ts';
import { searchPage } from './search.ts';
import { workTreeOf } from './work-tree.ts';

/** The files of the site, by their addresses. */
export type Site = ReadonlyMap<string, string | Uint8Array>;

/** What is made. */
export interface SiteOptions {
  /** Whether all wrong variants are played out, and not just those that the guide speaks of. */
  readonly plays: boolean;
}

/** The entries of the navigation. */
const ways: readonly Way[] = [
  { title: 'quorumlab', address: 'index.html', area: 'start' },
  { title: 'Protocols', address: 'protocols/index.html', area: 'protocols' },
  { title: 'Which for whom', address: 'threat-models.html', area: 'for-whom' },
  { title: 'Lessons', address: 'lessons.html', area: 'lessons' },
  { title: 'Guides', address: 'guides/index.html', area: 'guides' },
  { title: 'Packages', address: 'packages/index.html', area: 'packages' },
  { title: 'Decisions', address: 'decisions/index.html', area: 'decisions' },
  { title: 'Tests', address: 'tests/index.html', area: 'tests' },
  { title: 'Glossary', address: 'guides/glossary.html', area: 'glossary' },
  { title: 'Playground', address: playground, area: 'playground' },
];

/** What the parts say of themselves, where no document does. */
const leads: Readonly<Record<string, string>> = {
  guides: 'How it is built, how to run it, how to add to it, and what its words mean.',
  packages: 'What each package is for, and how it is used.',
  tests: 'The questions that tests across packages answer.',
};

/** Pages that documents are of in a way of their own. */
const own = (): ReadonlyMap<string, string> =>
  new Map([
    ...protocols.map(
      (entry) => [`${folderOf(entry)}/README.md`, protocolPage(entry.name)] as const,
    ),
    ['docs/protocols/README.md', 'protocols/index.html'],
    [guide, 'threat-models.html'],
  ]);

/**
 * The site of the work tree at `root`. Throws a SiteError if a link leads nowhere, if a protocol
 * lacks what its page is made of, or if the guide claims what its run does not show.
 */
export async function buildSite(root: string, { plays }: SiteOptions): Promise<Site> {
  const tree = workTreeOf(root);
  const places = placesOf(tree, own());
  const claimed = claimedMutants(tree.text(guide));
  const all: RunProtocol[] = protocols.map((entry) => ({ entry, runs: brokenRuns(entry) }));
  const pages: Page[] = [];
  for (const { entry, runs } of all)
    pages.push(
      await pageOfProtocol(entry, {
        ...{ places, runs },
        played: (protocol, mutant) => plays || claimed.has(`${protocol} ${mutant}`),
      }),
    );
  pages.unshift(protocolsPage(all, places));
  pages.push(
    documentPage(places, guide, 'for-whom', guideWithRuns(tree.text(guide))),
    lessonsPage(),
  );
  pages.push(...documentPages(places));
  const parts = ways
    .filter(({ area }) => pages.some((page) => page.area === area))
    .map(({ title, area }) => [title, pages.filter((page) => page.area === area)] as const);
  pages.unshift(frontPage(all, places, doors), allPages(parts));
  pages.push(searchPage(pages));
  return written(pages, places);
}

const doors = [
  [
    'One liar, two protocols',
    playground,
    'The experiment, already run and paused where one log becomes two.',
  ],
  [
    'Protocols',
    'protocols/index.html',
    'Each with its paper, its code on one page, a run, and what breaks it.',
  ],
  [
    'Which for whom',
    'threat-models.html',
    'Three racks of one team, seven companies, five continents: every claim leads to a run.',
  ],
  [
    'Lessons',
    'lessons.html',
    'Fourteen, from one value to who can be proven guilty; each asks before it tells.',
  ],
] as const;

/** A page for each document, in the order of their names; an index comes first. */
function documentPages(places: Places): readonly Page[] {
  return areas.flatMap(({ name, page }) => {
    const all = [...places.tree.files]
      .filter((path) => page(path) !== undefined && places.pages.get(path) === page(path))
      .map((path) => documentPage(places, path, name))
      .sort(
        (one, two) =>
          Number(two.address.endsWith('/index.html')) - Number(one.address.endsWith('/index.html')),
      );
    const lead = leads[name];
    const title = ways.find(({ area }) => area === name)?.title ?? name;
    return lead === undefined ? all : [areaPage(name, title, lead, all), ...all];
  });
}

function documentPage(places: Places, source: string, area: string, text?: string): Page {
  const address = places.pages.get(source) as string;
  const told = documentOf(text ?? places.tree.text(source), waysOf(places, source, address));
  return {
    ...{ address, source, title: told.title || source },
    ...(told.title.includes('/') ? { short: told.title.replace(/^.*\//, '') } : {}),
    area: address === 'guides/glossary.html' ? 'glossary' : area,
    lead: descriptionIn(places, source) ?? told.lead,
    headings: told.sections.flatMap(({ headings }: Section) => headings),
    body: html`${told.sections.map(({ body }) => body)}`,
  };
}

/** What the manifest beside a document says of its package, as a sentence. */
function descriptionIn({ tree }: Places, document: string): string | undefined {
  const path = `${dirname(document)}/package.json`;
  if (!tree.files.has(path)) return undefined;
  const { description } = JSON.parse(tree.text(path)) as { readonly description?: string };
  return description === undefined ? undefined : `${description}.`;
}

/** The files, once every link of them was followed. */
async function written(pages: readonly Page[], places: Places): Promise<Site> {
  const { tree, forge, assets } = places;
  const around = {
    ...{ places, ways },
    siblings: (area: string) =>
      area === 'start' ? [] : pages.filter((page) => page.area === area),
  };
  const texts = new Map(
    pages.map((page) => [page.address, { text: pageText(page, around), source: page.source }]),
  );
  const others = new Set(['style.css', playground, ...assets.keys()]);
  const faults = deadLinks({ pages: texts, others, tree, forge });
  if (faults.length > 0) throw new SiteError(faults.join('\n'));
  return new Map<string, string | Uint8Array>([
    ...[...texts].map(([address, { text }]) => [address, text] as const),
    ['style.css', styles()],
    [playground, await buildPage()],
    ...[...assets].map(
      ([address, path]) => [address, readFileSync(join(tree.root, path))] as const,
    ),
  ]);
}

/** The styles of the views, and those of the pages. */
function styles(): string {
  const { resolve } = createRequire(import.meta.url);
  const views = readFileSync(resolve('@quorumlab/trace-view/style.css'), 'utf8');
  return `${views}\n${readFileSync(new URL('style.css', import.meta.url), 'utf8')}`;
}

/** Throws a SiteError if there is anything in a folder but a site. */
export function requireRoom(folder: string): void {
  const before = existsSync(folder) ? readdirSync(folder) : [];
  if (before.length > 0 && !existsSync(join(folder, 'pages.html')))
    throw new SiteError(
      `${folder} has files in it that are no site of these documents: name an empty folder, or ` +
        'one that is not there yet.',
    );
}

/** Writes a site into a folder, in place of the one there. Throws as {@link requireRoom} does. */
export function writeSite(site: Site, folder: string): void {
  requireRoom(folder);
  rmSync(folder, { recursive: true, force: true });
  for (const [address, content] of site) {
    const path = join(folder, address);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}
