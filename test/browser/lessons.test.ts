import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lessonOf, lessons, sheetOf, words } from '@quorumlab/lessons';
import { afterAll, describe, expect, it } from 'vitest';
import { openFile, openInBrowser } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { writePage } from '../support/page.ts';
import { taught } from './lessons-entry.ts';
import { foundByAxe } from './walk.ts';

const entry = fileURLToPath(new URL('./lessons-entry.ts', import.meta.url));

describe.skipIf(findChromium() === undefined)('the lessons in Node and in Chromium', () => {
  it('have the same digests, texts and keys', { timeout: 240_000 }, async () => {
    await using page = await openInBrowser(entry);
    for (const { number } of lessons)
      expect(await page.call('taught', number), `lesson ${number}`).toEqual(taught(number));
  });
});

const folder = mkdtempSync(join(tmpdir(), 'quorumlab-lessons-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(findChromium() === undefined)('lessons on a page and on paper', () => {
  it.each([
    [1440, 'light'],
    [390, 'dark'],
  ] as const)('%i pixels, %s: axe finds nothing', async (width, colorScheme) => {
    const path = join(folder, 'index.html');
    await writePage(path);
    await using opened = await openFile(path, { width, height: 900 });
    const { page, errors } = opened;
    await page.emulateMedia({ colorScheme });
    await page.evaluate("location.hash = '#/learn'");
    await page.getByText(lessonOf(14).text.title).waitFor();
    expect(await foundByAxe(page)).toEqual([]);
    await page.evaluate("location.hash = '#/learn/9'");
    await page.getByText(words.paused).waitFor();
    expect(await foundByAxe(page)).toEqual([]);
    await page.getByRole('button', { name: 'yes: each half' }).click();
    await page.getByText(words.foretold).waitFor();
    expect(await foundByAxe(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('a sheet has nothing for axe either', async () => {
    const path = join(folder, 'sheet.html');
    writeFileSync(path, sheetOf([lessonOf(9)]));
    await using opened = await openFile(path, { width: 800, height: 900 });
    expect(await foundByAxe(opened.page)).toEqual([]);
    expect(opened.errors).toEqual([]);
  });
});

describe('the entry of the lessons', () => {
  it('tells what a lesson came to', () => {
    const { asExpected, digests, key } = taught(1);
    expect(asExpected).toBe(true);
    expect(Object.keys(digests)).toEqual(['main', 'broken', 'mended']);
    expect(key.filter(([, right]) => right)).toHaveLength(1);
    for (const digest of Object.values(digests)) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });
});
