/** Walks through the whole page by keyboard, and measures what people wait for. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { lessons, words } from '@quorumlab/lessons';
import type { CDPSession, Page } from 'playwright-core';

/** The pages that have an address of their own, and a text that stands there when it is ready. */
export const routes: readonly (readonly [hash: string, ready: string])[] = [
  ['#/', '✗ forked'],
  ['#/play?p=raft,pbft&sign=ideal', '✗ forked'],
  ['#/learn', lessons[13]?.text.title ?? ''],
  ['#/learn/quiz', words.quizInvitation],
  ['#/embed?p=raft,pbft&sign=ideal', 'Open this in the playground'],
  ['#/compare', 'Run them'],
  ['#/trace', 'Open a trace'],
  ['#/shards?count=2', 'Transactions over two groups'],
];

/** Timers do not run where scripts are off, promises do: axe needs no more than its turn. */
const withoutTimers = `if (matchMedia('(scripting: none)').matches)
  globalThis.setTimeout = (act, wait, ...more) => {
    Promise.resolve().then(() => act(...more));
    return 0;
  };`;

/**
 * What axe finds against WCAG 2.2 AA, or with `every` by all of its rules, each with its first
 * element; on pages with scripts off too. It reads styles that stand in files once more, unless it
 * is told not to: pages may forbid that.
 */
export async function foundByAxe(
  page: Page,
  { preload = true, every = false }: { readonly preload?: boolean; readonly every?: boolean } = {},
): Promise<readonly unknown[]> {
  const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(withoutTimers);
  await page.evaluate(readFileSync(path, 'utf8'));
  const levels = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const runOnly = every ? undefined : levels;
  return page.evaluate(
    `axe.run(${JSON.stringify({ runOnly, preload })}).then(({ violations }) =>` +
      ' violations.map(({ id, nodes }) => [id, nodes[0].html]))',
  ) as Promise<readonly unknown[]>;
}

/** Looks, with axe, at a page on a wide and a narrow screen, light and dark. */
export async function foundOnScreens(page: Page): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const wide = (await page.evaluate('document.documentElement.scrollWidth')) as number;
      const where = `${width} px, ${colorScheme}`;
      for (const each of await foundByAxe(page, { every: true, preload: false }))
        found.push([where, each]);
      if (wide > width) found.push([where, `it is ${wide} px wide`]);
    }
  return found;
}

/** Goes to a place of the page, and waits until it is there. */
export async function goTo(page: Page, hash: string, ready: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await page.getByText(ready).first().waitFor();
}

/** Plays a lesson with the keyboard alone: its question, and every answer until one is right. */
export async function playByKeys(page: Page, number: number): Promise<void> {
  await goTo(page, `#/learn/${number}`, words.paused);
  const press = async (n: number, of: number): Promise<void> => {
    await page.locator('.ask').nth(of).locator('button').nth(n).focus();
    await page.keyboard.press('Enter');
  };
  await press(0, 0);
  await page.getByText(words.explanation, { exact: true }).waitFor();
  const answers = await page.locator('.ask').nth(1).locator('button').count();
  for (let i = 0; i < answers; i++) {
    await press(i, 1);
    await page.locator('.words .verdict strong').last().waitFor();
    await page.getByText(words.running).waitFor({ state: 'detached' });
    if ((await page.getByText(`✓ ${words.rightAnswer}`).count()) > 0) return;
  }
  throw new Error(`no answer to the exercise of lesson ${number} was right`);
}

/** Milliseconds until the fork stands on the screen, of a machine that is `slower` times slower. */
export async function untilFork(page: Page, address: string, slower: number): Promise<number> {
  const session: CDPSession = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: slower });
  await page.goto('about:blank');
  const begun = performance.now();
  await page.goto(address, { waitUntil: 'commit' });
  await page.locator('.verdict.forked').first().waitFor();
  const taken = performance.now() - begun;
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  return taken;
}
