/** What people see, as pictures in docs. UPDATE_PICTURES=1 takes them anew. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { words } from '@quorumlab/lessons';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFile } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { writePage } from '../support/page.ts';
import { goTo } from './walk.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorumlab pictures '));
const path = join(folder, 'index.html');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const docs = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));

const isTaken = Boolean(process.env.UPDATE_PICTURES);

/** What is on each, and how to get there. */
const pictures: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  'first-screen': async (page) => {
    await page.getByText('✗ forked').first().waitFor();
  },
  'side-by-side': async (page) => {
    await goTo(page, '#/play?p=raft,pbft&sign=ideal', '✗ forked');
    await page.keyboard.press('v');
  },
  lesson: async (page) => {
    await goTo(page, '#/learn/1', words.paused);
  },
  'threat-matrix': async (page) => {
    await goTo(page, '#/compare', 'Run them');
    await page.getByRole('button', { name: 'Run them' }).click();
    // All of it takes a minute, which only a picture is worth.
    const whole = { timeout: 200_000 };
    if (isTaken) await page.getByRole('button', { name: 'Run them' }).waitFor(whole);
    else await page.getByText(/[1-9]\d* of \d+ cells are done/).waitFor();
  },
};

describe.skipIf(findChromium() === undefined)('pictures of the playground', () => {
  beforeAll(() => writePage(path));

  it.each(Object.keys(pictures))(
    '%s: is reached without an error, and is in docs',
    async (name) => {
      await using opened = await openFile(path, { width: 1440, height: 1000 });
      const { page, errors } = opened;
      await page.emulateMedia({ colorScheme: 'light' });
      await pictures[name]?.(page);
      const picture = join(docs, `${name}.png`);
      if (isTaken) {
        mkdirSync(docs, { recursive: true });
        await page.screenshot({ path: picture });
      }
      expect(existsSync(picture)).toBe(true);
      expect(errors).toEqual([]);
    },
  );
});
