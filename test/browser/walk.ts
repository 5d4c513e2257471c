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
];

/**
 * What axe finds against WCAG 2.2 AA, each with its first element. It reads styles that stand in
 * files once more, unless it is told not to: pages may forbid that.
 */
export async function foundByAxe(
  page: Page,
  { preload = true }: { readonly preload?: boolean } = {},
): Promise<readonly unknown[]> {
  const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
  await page.evaluate(readFileSync(path, 'utf8'));
  const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  return page.evaluate(
    `axe.run({ runOnly: ${JSON.stringify(rules)}, preload: ${preload} }).then(({ violations }) =>` +
      ' violations.map(({ id, nodes }) => [id, nodes[0].html]))',
  ) as Promise<readonly unknown[]>;
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
