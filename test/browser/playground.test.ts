import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runScenario } from '@quorumlab/harness';
import { demo, linkOf, scenarioOf } from '@quorumlab/harness/link';
import { words } from '@quorumlab/lessons';
import { ranOf } from '@quorumlab/playground';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFile } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { writePage } from '../support/page.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab page of one file '));
const path = join(folder, 'index.html');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const wide = { width: 1440, height: 1000 };
const narrow = { width: 390, height: 800 };
const digests = ([0, 1] as const).map((side) => runScenario(scenarioOf(demo, side)).digest);

describe.skipIf(findChromium() === undefined)('the playground in Chromium, from a file', () => {
  beforeAll(() => writePage(path));

  it('has run the experiment, with the digests of Node, and asks nobody for anything', async () => {
    await using opened = await openFile(path, wide);
    const { page, errors } = opened;
    await page.getByText('✗ forked').first().waitFor();
    await page.getByText('✓ ok').first().waitFor();
    for (const digest of digests) expect(await page.getByText(digest).count()).toBe(1);
    await page.getByRole('button', { name: 'Make the traitor honest' }).click();
    await page.getByText('Nobody lies.').waitFor();
    await page.locator('.verdict.ok').nth(1).waitFor();
    expect(errors).toEqual([]);
  });

  it('is stepped by keys and buttons, and its address leads to where it stands', async () => {
    await using opened = await openFile(path, wide);
    const { page, errors } = opened;
    await page.evaluate(`location.hash = ${JSON.stringify(linkOf(demo, { at: 10, digests }))}`);
    await page.getByText(/^event 10 of/).waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('button', { name: 'one event on' }).click();
    await page.getByText(/^event 12 of/).waitFor();
    await expect.poll(() => page.evaluate('location.hash')).toContain('&at=12&');
    expect(await page.getByText('another run').count()).toBe(0);
    await page.keyboard.press('v');
    await page.keyboard.press('s');
    await page.locator('.story').nth(1).waitFor();
    await page.locator('.story button').last().click();
    await page.locator('.story li.chosen').first().waitFor();
    expect(errors).toEqual([]);
  });

  it('opens a trace, runs it again and compares', async () => {
    await using opened = await openFile(path, wide);
    const { page, errors } = opened;
    await page.evaluate("location.hash = '#/trace'");
    const { trace } = ranOf(scenarioOf(demo, 0));
    const files = { name: 'a.trace.ndjson', mimeType: 'text/plain', buffer: Buffer.from(trace) };
    await page.locator('input[type=file]').setInputFiles(files);
    await page.getByText(`every line is the same, digest ${digests[0]}`).waitFor();
    expect(errors).toEqual([]);
  });

  it('runs the matrix cell by cell, and stops when it is told to', async () => {
    await using opened = await openFile(path, wide);
    const { page, errors } = opened;
    await page.evaluate("location.hash = '#/compare'");
    await page.getByRole('button', { name: 'Run them' }).click();
    await page.locator('.matrix td a').first().waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Run them' }).waitFor();
    expect(errors).toEqual([]);
  });

  it('plays a lesson by keyboard alone', async () => {
    await using opened = await openFile(path, wide);
    const { page, errors } = opened;
    await page.evaluate("location.hash = '#/learn/9'");
    await page.getByText(words.paused).waitFor();
    expect(await page.getByText('forked').count()).toBe(0);
    await page.getByRole('button', { name: 'yes: each half' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(words.foretold).waitFor();
    await page.getByRole('button', { name: 'no number of servers' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText(`✓ ${words.rightAnswer}`).waitFor();
    expect(errors).toEqual([]);
  });

  it('makes branches by keys, searches, and saves what people ask for', async () => {
    await using opened = await openFile(path, wide);
    const { page, errors } = opened;
    const quick = linkOf({ ...demo, crypto: 'ideal', attack: 'none' }, { at: 12 });
    await page.evaluate(`location.hash = ${JSON.stringify(quick)}`);
    await page.getByText(/^event 12 of/).waitFor();
    await page.locator('summary', { hasText: 'by hand' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^make n\d a traitor/ }).press('Enter');
    await page.getByRole('button', { name: /^● make n\d a traitor/ }).waitFor();
    await expect.poll(() => page.evaluate('location.hash')).toContain('&by=');
    await page.getByRole('button', { name: /Search 1000 seeds/ }).click();
    await page.getByText(/violates something, after|of 1000 seeds/).waitFor();
    await page.getByRole('button', { name: /^○ as chosen/ }).click();
    await page.getByRole('button', { name: 'Search 1000 seeds' }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped.').waitFor();
    for (const [name, ending] of [
      ['SVG', '.svg'],
      ['PNG', '.png'],
      ['Mermaid', '.mmd'],
      ['ShiViz', '.log'],
    ] as const) {
      const saving = page.waitForEvent('download');
      await page.getByRole('button', { name, exact: true }).first().click();
      expect((await saving).suggestedFilename()).toContain(ending);
    }
    expect(errors).toEqual([]);
  });

  it('says what is wrong with a script of one’s own: unreadable, throwing, endless', {
    timeout: 60_000,
  }, async () => {
    await using opened = await openFile(path, wide);
    const { page } = opened;
    await page.evaluate(`location.hash = ${JSON.stringify(linkOf({ ...demo, crypto: 'ideal' }))}`);
    await page.getByText('✗ forked').first().waitFor();
    await page.locator('summary', { hasText: 'by hand' }).click();
    await page.locator('summary', { hasText: 'A lie of your own' }).click();
    for (const [script, sentence] of [
      ['(to, message) => {', /cannot be read: .*SyntaxError/],
      ["() => { throw new Error('a mistake'); }", /Your script threw Error: a mistake/],
      ['() => { for (;;) ; }', /did not come to an end within 10 seconds/],
      ['(to) => (to === 2 ? false : undefined)', /It lied \d+ times/],
    ] as const) {
      await page.locator('textarea').fill(script);
      await page.getByRole('button', { name: 'Run it' }).click();
      await page.getByText(sentence).waitFor({ timeout: 20_000 });
    }
  });

  it('fits a telephone: only pictures and tables scroll sideways', async () => {
    await using opened = await openFile(path, narrow);
    const { page, errors } = opened;
    await page.getByText('✗ forked').first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    expect(errors).toEqual([]);
  });
});
