/** What `npm run play -- --check` looks at beside the pages: speed, digests, sleep, the report. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demo, linkOf } from '@quorumlab/harness/link';
import { openAddress, openFile, openInBrowser } from '../support/browser.ts';
import { compareLinks, everyLink, writtenLinks } from './every-link.ts';
import { long, measureRun, samples } from './measure.ts';
import { goThrough } from './report-walk.ts';
import { foundOnScreens } from './walk.ts';

/** Says whether something is as it should be. */
export type Judge = (what: string, isRight: boolean, detail?: string) => void;

const entry = fileURLToPath(new URL('./scenario-entry.ts', import.meta.url));
const program = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

/** Every attack against every protocol, by link: the same runs in Node and in Chromium. */
export async function checkDigests(judge: Judge): Promise<void> {
  await using page = await openInBrowser(entry);
  const links = [...everyLink, ...writtenLinks];
  const { runs, different } = await compareLinks(page, links);
  const what = `${links.length} links, ${runs} runs: the same digests in Node and in Chromium`;
  judge(what, different.length === 0, different.slice(0, 3).join('; '));
}

/** How long a move takes where much is to be seen, and what a long run takes of memory. */
export async function checkSpeed(path: string, judge: Judge): Promise<void> {
  await using opened = await openFile(path, { width: 1440, height: 900 });
  for (const { most, ...sample } of samples) {
    const { events, inAll, inSight, median, ninth, work } = await measureRun(opened.page, sample);
    const frames = `frames of ${median.toFixed(1)} ms, nine of ten below ${ninth.toFixed(1)}`;
    const detail = `${work.toFixed(1)} ms of computing for a move, ${most} at most; ${frames}`;
    const seen = `${events} events, ${inAll} arrows, ${inSight} of them in sight at once`;
    judge(`scrubbing, ${sample.name} (${seen})`, work <= most, detail);
  }
  const { events, heap } = await measureRun(opened.page, long);
  judge(`memory of ${events} events`, heap <= 150, `${heap.toFixed(1)} MB of 150`);
}

/** A tab that a browser really freezes, while a search is under way. */
export async function checkSleep(address: string, judge: Judge): Promise<void> {
  await using opened = await openAddress(address);
  const { page, errors } = opened;
  const link = linkOf({ ...demo, crypto: 'ideal', attack: 'none' });
  await page.evaluate(`location.hash = ${JSON.stringify(link)}`);
  await page.locator('.verdict.ok').nth(1).waitFor();
  await page.locator('summary', { hasText: 'by hand' }).click();
  await page.getByRole('button', { name: 'Search 1000 seeds' }).click();
  await page.getByText(/So far no violation/).waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await page.getByText(/[Nn]o violation in \d+ of 1000 seeds/).waitFor();
  await page.getByText(/[Nn]o violation in 1000 of 1000/).waitFor({ timeout: 300_000 });
  judge('frozen for 10 s, a search goes on to its end', errors.length === 0, errors.join('; '));
}

/** The report that the README offers, made here and opened from a file, scripts off and on. */
export async function checkReport(folder: string, judge: Judge): Promise<void> {
  const file = join(folder, 'report.html');
  const protocols = 'raft zab epaxos pbft hotstuff tendermint';
  const line = `compare ${protocols} -f 1 --seeds 100 --reporter html=report.html`;
  const begun = performance.now();
  const { status } = spawnSync(
    process.execPath,
    ['--conditions=source', program, ...line.split(' ')],
    { cwd: folder, stdio: 'ignore' },
  );
  const taken = ((performance.now() - begun) / 1000).toFixed(0);
  const bytes = statSync(file).size;
  judge(`quorumlab ${line}`, status === 0, `exit ${status}, ${taken} s`);
  const cells = readFileSync(file, 'utf8').match(/<td class="[a-z-]+ (?:ex|unex|op)/g)?.length;
  judge(`its report of ${cells} cells`, bytes <= 1_000_000, `${bytes / 1000} kB of 1000`);
  const size = { width: 1440, height: 900 };
  const unfold = "for (const each of document.querySelectorAll('details')) each.open = true";
  await using live = await openFile(file, size);
  await live.page.evaluate(unfold);
  const { shown, same } = await goThrough(live.page);
  judge(
    'report with scripts',
    shown > 0 && same === shown,
    `${same} of ${shown} runs are the same`,
  );
  await using still = await openFile(file, size, { scripts: false });
  await still.page.evaluate(unfold);
  for (const [how, { page, errors }] of [
    ['with', live],
    ['without', still],
  ] as const) {
    const found = [...(await foundOnScreens(page)), ...errors];
    const what = `report ${how} scripts: axe, 1440 and 390 px, light and dark`;
    judge(what, found.length === 0, JSON.stringify(found.slice(0, 3)));
  }
  const text = (await still.page.locator('main').textContent()) ?? '';
  const offers = await still.page.locator('button').count();
  judge('report without scripts', text.includes('Who survives what') && offers === 0);
}
