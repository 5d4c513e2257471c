/** A report as people open it: from a file, with scripts off and on. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, tracesIn } from '@quorumlab/playground';
import { evidenceOf, htmlReport } from '@quorumlab/report';
import type { Result } from '@quorumlab/report/result';
import { afterAll, describe, expect, it } from 'vitest';
import { reportViewer } from '../../packages/cli/src/page.ts';
import { said } from '../../packages/cli/test-support/said.ts';
import { openFile } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { goThrough } from './report-walk.ts';
import { foundByAxe, foundOnScreens } from './walk.ts';

const path = fileURLToPath(new URL('../../docs/reports/example.html', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'quorumlab live report '));
const file = join(folder, 'report.html');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An attack that nobody survives, and that no report has the code of. */
const ownAttack = `export const attack = {
  name: 'lights-out', title: 'All nodes crash.', needs: 'crash',
  faults: ({ n }) => Array.from({ length: n }, (_, node) => ({ type: 'crash', at: 1000, node })),
};`;

/** The report of docs with a viewer in it; of traces that somebody has changed. */
async function liveReport(change = (trace: string): string => trace): Promise<string> {
  const report = readFileSync(path, 'utf8');
  const held = /id="result">(.*?)<\/script>/s.exec(report)?.[1] ?? '';
  const result = JSON.parse(held) as Result;
  const places = [...report.matchAll(/class="trace" id="t(\d+)"/g)].map(([, n]) => Number(n));
  const traces = await tracesIn(report);
  const evidence = new Map(
    places.map((place, i) => [place, evidenceOf(change(traces[i]?.text ?? ''))]),
  );
  return htmlReport({ result, evidence, viewer: await reportViewer() });
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
    expect(await foundByAxe(page, { every: true })).toEqual([]);
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

  it('says with scripts on what a run says, step by step, and runs it again to the same', {
    timeout: 120_000,
  }, async () => {
    const live = await liveReport();
    writeFileSync(file, live);
    await using opened = await openFile(file, { width: 1440, height: 900 });
    const { page, errors } = opened;
    const rest = await goThrough(page);
    expect(rest).toEqual({ shown: 3, same: 3 });
    await page.locator('.live .story, .live .lanes').first().waitFor();
    await page.locator('.live .picture').first().focus();
    await page.keyboard.press('Home');
    await page
      .locator('.live output', { hasText: /^event 0 of/ })
      .first()
      .waitFor();
    await page.keyboard.press('ArrowRight');
    await page
      .locator('.live output', { hasText: /^event 1 of/ })
      .first()
      .waitFor();
    expect(errors).toEqual([]);
  });

  it('is as good to read as the command line writes it, with scripts off and on', {
    timeout: 120_000,
  }, async () => {
    writeFileSync(join(folder, 'mine.mjs'), ownAttack);
    const compare = 'compare raft -f 1 --attack equivocating-leader,lights-out --seeds 1';
    const line = `--with ./mine.mjs -q ${compare} --jobs 1 --reporter html=own.html`;
    expect(await said(line, {}, folder)).toMatchObject({ code: 0, err: '' });
    const own = join(folder, 'own.html');
    const size = { width: 1440, height: 900 };
    const unfold = "for (const each of document.querySelectorAll('details')) each.open = true";
    await using still = await openFile(own, size, { scripts: false });
    await still.page.evaluate(unfold);
    expect(await still.page.evaluate("matchMedia('(scripting: none)').matches")).toBe(true);
    expect(await foundOnScreens(still.page)).toEqual([]);
    expect(await still.page.locator('article svg.lanes').count()).toBe(2);
    const why = /cannot be run again inside this file:\s+the attack lights-out comes from a module/;
    expect(await still.page.getByText(why).count()).toBe(1);
    expect(await still.page.getByText(why).textContent()).toContain(
      'quorumlab --with ./mine.mjs run raft ',
    );
    expect(await still.page.locator('button').count()).toBe(0);
    await using live = await openFile(own, size);
    await live.page.evaluate(unfold);
    expect(await goThrough(live.page)).toEqual({ shown: 2, same: 1 });
    expect(await foundOnScreens(live.page)).toEqual([]);
    expect([...still.errors, ...live.errors]).toEqual([]);
  });

  it('runs no script but its own, and hostile names in a run stay text', async () => {
    const evil =
      '<img src=x onerror="globalThis.evil=1"></script><script>globalThis.evil=2</script>';
    const named = JSON.stringify(evil).slice(1, -1);
    const page = await liveReport((trace) => trace.replaceAll(/Ann|append-entries/g, () => named));
    // What an error of ours would let in: it is there, and not run.
    writeFileSync(
      file,
      page.replace('<main>', () => `<main>${evil}`),
    );
    await using opened = await openFile(file, { width: 1440, height: 900 });
    await opened.page
      .getByRole('button', { name: /^Step through it here/ })
      .first()
      .click();
    await opened.page.locator('.live .inspector', { hasText: '<img src=x' }).first().waitFor();
    await opened.page.getByRole('button', { name: 'Story' }).first().click();
    await opened.page.locator('.live .story', { hasText: '<img src=x' }).first().waitFor();
    expect(await opened.page.locator('.live img, .live script').count()).toBe(0);
    expect(await opened.page.evaluate('globalThis.evil')).toBeUndefined();
    expect(opened.errors.filter((each) => !/Content Security Policy/.test(each))).toEqual([]);
  });

  it('has its picture in docs, which UPDATE_REPORTS=1 takes anew', async () => {
    const picture = path.replace('.html', '.png');
    await using opened = await openFile(path, { width: 1100, height: 900 });
    await opened.page.emulateMedia({ colorScheme: 'light' });
    if (process.env.UPDATE_REPORTS) await opened.page.screenshot({ path: picture });
    expect(existsSync(picture)).toBe(true);
  });
});
