/** Walks through the site as it was written, in Chromium, and says of each page how it was. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { foundByAxe } from '../browser/walk.ts';
import { openFile } from '../support/browser.ts';

/** What was looked at, and what was wrong with it: nothing, if all is well. */
export type Judge = (what: string, isRight: boolean, detail?: string) => void;

/** One page of each kind, by its address. */
const kinds: readonly string[] = [
  'index.html',
  'pages.html',
  'search.html',
  'protocols/index.html',
  'protocols/raft.html',
  'protocols/pbft.html',
  'threat-models.html',
  'lessons.html',
  'guides/index.html',
  'guides/contributing.html',
  'guides/gallery.html',
  'guides/glossary.html',
  'packages/sim.html',
  'decisions/index.html',
  'decisions/152-the-page-is-one-file.html',
  'tests/browser.html',
];

/** Whether the page is wider than the screen, so that one has to scroll sideways to read. */
export const isTooWide = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth > innerWidth') as Promise<boolean>;

/** What axe finds on the page that is open, with all in it unfolded. */
export async function foundOn(page: Page): Promise<readonly unknown[]> {
  await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
  return foundByAxe(page, { preload: false });
}

/** Each kind of page in light and dark, wide and narrow. `to`: where an address is. */
export async function lookAtKinds(
  page: Page,
  to: (address: string) => string,
  judge: Judge,
): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      for (const address of kinds) {
        await page.goto(to(address));
        const found = await foundOn(page);
        const wide = await isTooWide(page);
        const detail = `${JSON.stringify(found.slice(0, 2))}${wide ? ', too wide' : ''}`;
        judge(`${address}, ${width} px, ${colorScheme}`, found.length === 0 && !wide, detail);
      }
    }
}

/** Every page on the narrowest screen. */
export async function lookAtAll(
  page: Page,
  addresses: readonly string[],
  to: (address: string) => string,
  judge: Judge,
): Promise<void> {
  await page.setViewportSize({ width: 320, height: 640 });
  const wide: string[] = [];
  for (const address of addresses) {
    await page.goto(to(address));
    if (await isTooWide(page)) wide.push(address);
  }
  judge(
    `${addresses.length} pages at 320 px without scrolling sideways`,
    wide.length === 0,
    wide.join(),
  );
}

/** With scripts off a protocol's page has its run as a picture and as sentences. */
export async function readWithoutScripts(folder: string, judge: Judge): Promise<void> {
  const size = { width: 1440, height: 900 };
  await using opened = await openFile(join(folder, 'protocols/raft.html'), size, {
    scripts: false,
  });
  const { page } = opened;
  judge(
    'without scripts: the run as a picture',
    (await page.locator('main svg.lanes').count()) > 0,
  );
  await page.locator('summary', { hasText: 'sentences' }).click();
  const bad = await page.locator('.sentences .bad').first().isVisible();
  judge('without scripts: the run as sentences, with what went wrong', bad);
}

/** In its frame on the page of a protocol, the run comes to its verdict. */
export async function seeItRun(page: Page, address: string, verdict: string): Promise<void> {
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.goto(address);
  await page.locator('iframe').scrollIntoViewIfNeeded();
  await page.frameLocator('iframe').getByText(verdict).first().waitFor();
}
