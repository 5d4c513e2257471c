import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bundleForBrowser, openInBrowser } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';

const entry = fileURLToPath(new URL('./entry.ts', import.meta.url));

describe.skipIf(findChromium() === undefined)('a page in Chromium', () => {
  it('calls what the entry module exports', { timeout: 240_000 }, async () => {
    await using page = await openInBrowser(entry);
    expect(await page.call('add', 2, 3)).toBe(5);
    expect(await page.call('secure')).toBe(true);
    await expect(page.call('fail')).rejects.toThrow('thrown in the page');
  });
});

describe('the bundle for a page', () => {
  it('is refused if it needs a Node module', async () => {
    const path = fileURLToPath(new URL('../support/chromium.ts', import.meta.url));
    await expect(bundleForBrowser(path)).rejects.toThrow('imports node:fs');
  });
});

describe('findChromium', () => {
  it('takes CHROMIUM_PATH and nothing else if it is set', () => {
    expect(findChromium({ CHROMIUM_PATH: process.execPath })).toBe(process.execPath);
    expect(findChromium({ CHROMIUM_PATH: '/does/not/exist' })).toBeUndefined();
  });
});
