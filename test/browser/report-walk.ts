/** Goes through a report that has a viewer: every run in it is shown, and run again. */
import type { Page } from 'playwright-core';

/** How many runs were shown, and how many of them were the same when they were run again. */
export interface WentThrough {
  readonly shown: number;
  readonly same: number;
}

/** Clicks what is offered beside each run of a report, from the top. */
export async function goThrough(page: Page): Promise<WentThrough> {
  const articles = page.locator('article:has(> .offer)');
  const shown = await articles.count();
  let same = 0;
  for (let i = 0; i < shown; i++) {
    const article = articles.nth(i);
    const step = article.getByRole('button', { name: /^Step through it here/ });
    if ((await step.count()) > 0) {
      await step.click();
      await article.getByText(/^As it was recorded: digest [0-9a-f]{64}/).waitFor();
    }
    const again = article.getByRole('button', { name: /^Run it again here/ });
    // Code of somebody's own is not in the report.
    if ((await again.count()) === 0) continue;
    await again.click();
    const told = article.getByText(/^. Run again in this page: /);
    await told.waitFor({ timeout: 120_000 });
    if ((await told.textContent())?.startsWith('✓')) same++;
  }
  return { shown, same };
}
