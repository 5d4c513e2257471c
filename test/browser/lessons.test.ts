import { fileURLToPath } from 'node:url';
import { lessons } from '@quorumlab/lessons';
import { describe, expect, it } from 'vitest';
import { openInBrowser } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { taught } from './lessons-entry.ts';

const entry = fileURLToPath(new URL('./lessons-entry.ts', import.meta.url));

describe.skipIf(findChromium() === undefined)('the lessons in Node and in Chromium', () => {
  it('have the same digests, texts and keys', { timeout: 240_000 }, async () => {
    await using page = await openInBrowser(entry);
    for (const { number } of lessons)
      expect(await page.call('taught', number), `lesson ${number}`).toEqual(taught(number));
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
