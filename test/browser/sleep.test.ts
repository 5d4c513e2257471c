/** A tab that slept, or whose threads are gone: it says so, and nothing is lost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demo, linkOf } from '@quorumlab/harness/link';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFile } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { writePage } from '../support/page.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab sleep '));
const path = join(folder, 'index.html');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes the threads of a page known to the test, which ends them behind its back. */
const threads = `globalThis.threads = [];
globalThis.Worker = class extends Worker {
  constructor(address) { super(address); threads.push(this); }
};`;
const gone = 'threads.at(-1).terminate()';

/** A search of 1000 seeds of it takes longer than all that is done to it meanwhile. */
const quick = { ...demo, crypto: 'ideal' as const, attack: 'none', count: 30 };

/** The page of free play, with a clock that the test moves and threads that it can end. */
async function openPlay(page: Page, before = threads): Promise<void> {
  await page.clock.install();
  await page.addInitScript(before);
  await page.evaluate(`location.hash = ${JSON.stringify(linkOf(quick))}`);
  await page.reload();
}

const seedsIn = async (page: Page): Promise<number> =>
  Number(/in (\d+) of/.exec((await page.getByText(/of 1000 seeds/).textContent()) ?? '')?.[1]);

describe.skipIf(findChromium() === undefined)('a tab that sleeps', () => {
  beforeAll(() => writePage(path));

  it('goes on with a search, from where its thread was ended, and says so', {
    timeout: 120_000,
  }, async () => {
    await using opened = await openFile(path, { width: 1440, height: 900 });
    const { page, errors } = opened;
    await openPlay(page);
    await page.locator('.verdict.ok').nth(1).waitFor();
    await page.locator('summary', { hasText: 'by hand' }).click();
    await page.getByRole('button', { name: 'Search 1000 seeds' }).click();
    await page.getByText(/So far no violation in \d+ of 1000 seeds, [\d.]+ a second/).waitFor();
    const before = await seedsIn(page);
    // A lid that is closed for a minute: timers come late, and the browser has ended the thread.
    await page.evaluate(gone);
    await page.clock.fastForward(60_000);
    await page.clock.runFor(1000);
    await page.getByText(/This tab slept for \d+ s.* It goes on/).waitFor();
    await page.clock.runFor(25_000);
    await page.getByText(/Nothing was heard of this for 20 s: .* begun again/).waitFor();
    await page.getByText(/So far no violation/).waitFor();
    expect(await seedsIn(page)).toBeGreaterThan(before);
    for (let i = 0; i < 2; i++) {
      await page.evaluate(gone);
      await page.clock.runFor(25_000);
    }
    await page.getByText(/ended this 3 times without a word: .* run it again/).waitFor();
    // The runs that were there are still there.
    expect(await page.locator('.verdict.ok').count()).toBe(2);
    expect(errors).toEqual([]);
  });

  it('begins a run again whose thread never answered', async () => {
    await using opened = await openFile(path, { width: 1440, height: 900 });
    const { page, errors } = opened;
    // The first two threads end before they have said anything.
    const mortal = 'if (threads.push(this) <= 2) this.terminate()';
    await openPlay(page, threads.replace('threads.push(this)', mortal));
    await page.locator('.verdict', { hasText: 'running …' }).nth(1).waitFor();
    await page.clock.runFor(25_000);
    await page.locator('.verdict.ok').nth(1).waitFor();
    expect(errors).toEqual([]);
  });

  it('has its branches when it had been put away, and says what to begin again', async () => {
    await using opened = await openFile(path, { width: 1440, height: 900 });
    const { page, errors } = opened;
    await page.evaluate(`location.hash = ${JSON.stringify(linkOf(quick, { at: 12 }))}`);
    await page.getByText(/^event 12 of/).waitFor();
    await page.locator('summary', { hasText: 'by hand' }).click();
    await page.getByRole('button', { name: /^make n\d a traitor/ }).click();
    const branch = page.getByRole('button', { name: /^● make n\d a traitor/ });
    await branch.waitFor();
    await page.getByText(/^event \d+ of/).waitFor();
    await page.addInitScript("Object.defineProperty(document, 'wasDiscarded', { value: true })");
    await page.reload();
    await page.getByText(/put this tab away .* your branches are kept; begin again/).waitFor();
    await page.locator('summary', { hasText: 'by hand' }).click();
    await branch.waitFor();
    await page.getByRole('button', { name: /^○ as chosen/ }).waitFor();
    expect(errors).toEqual([]);
  });
});
