/** The site of the documents: built once, looked at as text, and opened from a folder. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { protocolEntry, protocols } from '@quorumlab/harness';
import { raft } from '@quorumlab/raft';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { buildSite, type Site, writeSite } from '../../docs/site/build.ts';
import { guideWithRuns } from '../../docs/site/guide.ts';
import { deadLinks } from '../../docs/site/links.ts';
import { documentOf } from '../../docs/site/markdown.ts';
import { placesOf, waysOf } from '../../docs/site/places.ts';
import { pageOfProtocol } from '../../docs/site/protocol.ts';
import { type WorkTree, workTreeOf } from '../../docs/site/work-tree.ts';
import { runsOfLink } from '../../packages/cli/src/link.ts';
import { openFile } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { foundOn, isTooWide, readWithoutScripts, seeItRun } from './walk.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'quorumlab site '));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let site: Site;
// Every link of it has been followed when this comes back.
beforeAll(async () => {
  site = await buildSite(root, { plays: false });
  writeSite(site, join(folder, 'site'));
});
const text = (address: string): string => String(site.get(address));

/** A tree of one document, as the builder sees it. */
const treeOf = (files: Readonly<Record<string, string>>): WorkTree => ({
  root,
  files: new Set(Object.keys(files)),
  folders: new Set(),
  text: (path) => files[path] ?? '',
});
const manifest = { 'package.json': '{"repository":"https://f/o/r"}' };

describe.each(protocols.map(({ name }) => name))('the page of %s', (name) => {
  it('has its paper, its code on a page, a run, what breaks it, and its steps', () => {
    const page = text(`protocols/${name}.html`);
    for (const id of ['paper', 'faults', 'see-it-run', 'the-protocol-on-one-page', 'reading-order'])
      expect(page).toContain(`<h2 id="${id}">`);
    expect(page).toMatch(/<pre class="pseudo-code"[^>]*><code>(?:.|\n)*<a href="#step-/);
    expect(page).toMatch(/<iframe [^>]*src="\.\.\/play\/index\.html#\/embed\?/);
    expect(page).toContain('<svg class="lanes"');
    const { mutants } = protocols.find((each) => each.name === name)!;
    for (const mutant of mutants) {
      expect(page).toContain(`<article id="mutant-${mutant}">`);
      expect(page.replace(/<\/?span>/g, '')).toContain(`attack ${name} --mutant ${mutant}</code>`);
    }
  });

  it('has links of the playground that the command line takes, one for each attack', () => {
    const page = text(`protocols/${name}.html`);
    const rows = [...page.matchAll(/<td><a href="\.\.\/play\/index\.html(#\/play[^"]*)"/g)];
    expect(rows.length).toBeGreaterThan(8);
    for (const [, link = ''] of rows) {
      const [scenario] = runsOfLink(link.replaceAll('&amp;', '&')).scenarios;
      expect(scenario?.protocol).toBe(name);
    }
  });
});

test('a page of each document is there, and one can get to all of them', () => {
  const pages = [...site.keys()].filter((address) => address.endsWith('.html'));
  const reached = new Set<string>();
  for (const page of pages)
    for (const [, to = ''] of text(page).matchAll(/<a href="([^"#:]+)/g))
      reached.add(new URL(to, `http://x/${page}`).pathname.slice(1));
  expect(pages.filter((page) => !reached.has(page) && !page.startsWith('reports/'))).toEqual([]);
  expect(pages).toContain('guides/ordering.html');
  expect(pages).toContain('packages/sim.html');
  expect(pages).toContain('decisions/158-reports-are-functions-of-a-result.html');
});

test('every claim of the guide leads to a run, and a wrong one is refused', () => {
  const page = text('threat-models.html');
  const rows = page.match(/<tr><td>/g) ?? [];
  expect(page.match(/: see it<\/a><\/td><\/tr>/g)).toHaveLength(rows.length);
  const wrong =
    '| Nobody forks it | `quorumlab run raft -n 3 --attack equivocating-leader` | ✓ ok |';
  expect(() => guideWithRuns(wrong)).toThrow(/shows "✗ forked": mend the row/);
});

test('a protocol without a package cannot have a page, which is said', async () => {
  const entry = { ...protocolEntry({ title: 'Raft again.', right: raft }), name: 'mine' };
  const places = placesOf(workTreeOf(root), new Map());
  await expect(pageOfProtocol(entry, { places, runs: [], played: () => false })).rejects.toThrow(
    'packages/mine/README.md is missing: the page of mine is made of it.',
  );
});

test('what documents say in HTML stays text, and their links are not of any kind', () => {
  const places = placesOf(treeOf({ ...manifest, 'a.md': '' }), new Map());
  const ways = waysOf(places, 'a.md', 'guides/a.html');
  const told = (markdown: string): string =>
    documentOf(markdown, ways)
      .sections.map(({ body }) => body.html)
      .join('');
  const hostile = [
    '<script>alert(1)</script>',
    'a <img src=x onerror="alert(1)"> b',
    '| a |\n|---|\n| <b onclick=x>c</b><br>d |',
    '```html\n<script>\n```',
    '`<i>` [<u>](https://a.b/"onclick=x)',
    '![<x](y.png "<z>")',
  ];
  for (const each of hostile) expect(told(each)).not.toMatch(/<(script|img src=x|b |i>|u>|x|z)/);
  expect(told(hostile[2] ?? '')).toContain('<br>d');
  expect(told(hostile[4] ?? '')).not.toContain('"onclick');
  for (const scheme of ['javascript:alert(1)', 'data:text/html,x', '//a.b/c'])
    expect(() => told(`[x](${scheme})`)).toThrow(/a\.md links to .*write an https address/);
});

test('a link that leads nowhere is named with its page and what to do', () => {
  const page = (hrefs: readonly string[], ids = ''): { text: string; source: string } => ({
    text: `<p>${hrefs.map((href) => `<a href="${href}">x</a>`).join()}</p>${ids}`,
    source: 'docs/a.md',
  });
  const good = [
    'b.html#there',
    '../play/index.html#/learn/3',
    '../play/index.html',
    'https://x.y/z',
  ];
  const files = treeOf({ ...manifest, 'README.md': '' });
  const dead = (hrefs: readonly string[]): readonly string[] =>
    deadLinks({
      pages: new Map([
        ['guides/a.html', page(hrefs)],
        ['guides/b.html', page([], '<h2 id="there">y</h2>')],
      ]),
      ...{ others: new Set(), tree: files, forge: 'https://f/o/r/' },
    });
  expect(dead([...good, 'https://f/o/r/blob/main/README.md'])).toEqual([]);
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['c.html', /^guides\/a\.html links to "c\.html", and there is no page "guides\/c\.html": mend/],
    ['b.html#gone', /no heading of that page has the anchor "gone": mend the link in docs\/a\.md/],
    ['#here', /no heading of that page has the anchor "here"/],
    ['https://f/o/r/blob/main/gone.ts', /"gone\.ts" is not in the repository/],
    ['../play/index.html#/learn/15', /the playground says "There is no lesson "15"/],
    ['../play/index.html#/plya', /the playground says "There is no page "plya"/],
    ['../play/index.html#/play?p=raft,paxes', /the playground says ".*paxes/],
  ];
  for (const [href, sentence] of wrong) {
    const found = dead([href]);
    expect(found, href).toHaveLength(1);
    expect(found[0], href).toMatch(sentence);
  }
});

test('no folder is cleared that holds anything but a site', () => {
  writeFileSync(join(folder, 'mine.txt'), 'mine');
  expect(() => writeSite(site, folder)).toThrow(/no site of these documents: name an empty folder/);
  writeSite(new Map([['pages.html', 'x']]), join(folder, 'other'));
  expect(() => writeSite(new Map(), join(folder, 'other'))).not.toThrow();
});

describe.skipIf(findChromium() === undefined)('the site in Chromium, from a folder', () => {
  const at = (address: string): string => join(folder, 'site', address);

  it('is read in the dark and on a narrow screen, with a run in its frame', async () => {
    await using opened = await openFile(at('protocols/pbft.html'), { width: 390, height: 800 });
    const { page, errors } = opened;
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await foundOn(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(pathToFileURL(at('threat-models.html')).href);
    expect(await foundOn(page)).toEqual([]);
    await page.setViewportSize({ width: 320, height: 640 });
    for (const address of ['index.html', 'protocols/raft.html', 'guides/gallery.html']) {
      await page.goto(pathToFileURL(at(address)).href);
      expect(await isTooWide(page), address).toBe(false);
    }
    await seeItRun(page, pathToFileURL(at('protocols/raft.html')).href, '✗ forked');
    expect(errors).toEqual([]);
  });

  it('finds a heading from any page by keyboard, and lists all with scripts off', async () => {
    await using opened = await openFile(at('protocols/raft.html'), { width: 390, height: 800 });
    const { page, errors } = opened;
    await page.getByRole('searchbox').focus();
    await page.keyboard.type('said Durable');
    await page.keyboard.press('Enter');
    await page.getByText(/^\d+ headings? with these words/).waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('said Durable');
    const first = page.locator('#found a').first();
    expect(await first.textContent()).toBe('Durable before said');
    expect(await foundOn(page)).toEqual([]);
    expect(await isTooWide(page)).toBe(false);
    await page.getByRole('searchbox').press('Enter');
    await page.keyboard.press('Enter');
    await page.waitForURL(/guides\/architecture\.html#durable-before-said$/);
    expect(errors).toEqual([]);
    const size = { width: 1440, height: 900 };
    await using still = await openFile(at('search.html'), size, { scripts: false });
    expect(await foundOn(still.page)).toEqual([]);
    const all = text('search.html').match(/<li><a /g) ?? [];
    expect(await still.page.locator('#found a').count()).toBe(all.length);
  });

  it('shows its runs with scripts off too', async () => {
    await readWithoutScripts(join(folder, 'site'), (what, isRight) =>
      expect(isRight, what).toBe(true),
    );
  });
});
