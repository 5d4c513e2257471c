/** A report as people open it: from a file, with scripts off and on. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { answer, tracesIn } from '@quorumlab/playground';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openFile } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';

const path = fileURLToPath(new URL('../../docs/reports/example.html', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, each with its first element. */
async function violationsIn(page: Page): Promise<unknown> {
  await page.evaluate(axe);
  return page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes[0].html]))`,
  );
}

describe.skipIf(findChromium() === undefined)('a report in Chromium, from a file', () => {
  it.each([
    [1440, 'light'],
    [1440, 'dark'],
    [390, 'dark'],
  ] as const)('%i pixels, %s: axe finds nothing, only tables scroll', async (width, scheme) => {
    await using opened = await openFile(path, { width, height: 900 });
    const { page, errors } = opened;
    await page.emulateMedia({ colorScheme: scheme });
    await page.evaluate(
      "for (const each of document.querySelectorAll('details')) each.open = true",
    );
    expect(await violationsIn(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(errors).toEqual([]);
  });

  it('is the same with scripts off: verdict, matrix, charts, pictures, replay', async () => {
    const size = { width: 1440, height: 900 };
    await using opened = await openFile(path, size, { scripts: false });
    await using other = await openFile(path, size);
    const { page } = opened;
    // What axe has looked at with scripts on is what there is without them.
    expect(await page.content()).toBe(await other.page.content());
    expect(await page.locator('h1').textContent()).toMatch(/^✓ Nothing unexpected/);
    expect(await page.locator('table.matrix th[scope=row]').count()).toBe(2);
    expect(await page.locator('svg.chart').count()).toBe(3);
    expect(await page.locator('article svg.lanes').count()).toBe(3);
    expect(await page.locator('article').first().textContent()).toContain('quorumlab replay');
    expect(await page.locator('button').count()).toBe(0);
  });

  it('holds its counterexamples, which the playground runs again to the same', async () => {
    const report = readFileSync(path, 'utf8');
    const traces = await tracesIn(report);
    expect(traces).toHaveLength(3);
    for (const { text } of traces) {
      const [told] = answer({ ask: 'again', trace: text });
      expect(told).toMatchObject({ says: 'again', differs: undefined });
      if (told?.says === 'again') expect(report).toContain(told.ran.digest);
    }
    expect(await tracesIn('<html>nothing</html>')).toEqual([]);
  });

  it('has its picture in docs, which UPDATE_REPORTS=1 takes anew', async () => {
    const picture = path.replace('.html', '.png');
    await using opened = await openFile(path, { width: 1100, height: 900 });
    await opened.page.emulateMedia({ colorScheme: 'light' });
    if (process.env.UPDATE_REPORTS) await opened.page.screenshot({ path: picture });
    expect(existsSync(picture)).toBe(true);
  });
});
