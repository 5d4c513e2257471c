/** The page of the playground, which several files of tests open. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { buildPage } from '@quorumlab/playground';
import { built } from './built.ts';

/**
 * Writes the page of these very sources to `path`. It is built once for all who ask: that it is
 * built right is judged in `packages/playground/src/runs.test.ts`.
 */
export async function writePage(path: string): Promise<void> {
  const page = await built('page.html', async (to) => writeFileSync(to, await buildPage()));
  copyFileSync(page, path);
}
