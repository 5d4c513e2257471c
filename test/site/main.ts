/**
 * `npm run docs`: builds the site of the documents. `npm run docs -- --check` opens it in Chromium
 * too, from a folder and from this machine under another path, and walks through all of it.
 */
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSite, requireRoom, writeSite } from '../../docs/site/build.ts';
import { SiteError } from '../../docs/site/fault.ts';
import { openBelow, openFile, serveFolder } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { flagsOf } from '../support/flags.ts';
import { lookAtAll, lookAtKinds, readWithoutScripts, seeItRun } from './walk.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
let failed = 0;
const judge = (what: string, isRight: boolean, detail = ''): void => {
  if (!isRight) failed++;
  say(`${isRight ? 'ok    ' : 'FAILED'}  ${what}${isRight || detail === '' ? '' : `: ${detail}`}`);
};

/** All of it from a file, and once more as a server has it. */
async function check(folder: string, pages: readonly string[]): Promise<void> {
  const toFile = (address: string): string => pathToFileURL(join(folder, address)).href;
  await using read = await openFile(join(folder, 'index.html'), { width: 1440, height: 900 });
  await lookAtKinds(read.page, toFile, judge);
  await lookAtAll(read.page, pages, toFile, judge);
  await readWithoutScripts(folder, judge);
  await seeItRun(read.page, toFile('protocols/raft.html'), '✗ forked');
  judge('from a file: a run in its frame', true);
  judge(
    'from a file: no error, no request elsewhere',
    read.errors.length === 0,
    read.errors.join(),
  );
  await using served = await serveFolder(folder, '/some/base/v0/');
  await using opened = await openBelow(served.address, 'index.html');
  await seeItRun(opened.page, `${served.address}protocols/pbft.html`, '✓ ok');
  judge('from a server, under another path: a run in its frame', true);
  await lookAtAll(opened.page, pages, (address) => `${served.address}${address}`, judge);
  const { errors } = opened;
  judge('from a server: no error, no request elsewhere', errors.length === 0, errors.join());
}

const usage = `Usage: npm run docs [-- options]

Builds the site of the documents: a folder of pages that needs no server. Fails if a link in it
leads nowhere, or if a run does not show what a page claims of it.

  --to FOLDER     where it goes; what was in that folder goes (default: dist/docs)
  --check         walk through all of it in Chromium, and print how each page was`;
const { values } = flagsOf(usage, { to: { type: 'string' }, check: { type: 'boolean' } }, 0);

const folder = resolve(typeof values.to === 'string' ? values.to : join(root, 'dist/docs'));
try {
  requireRoom(folder);
  const site = await buildSite(root, { plays: true });
  writeSite(site, folder);
  const pages = [...site.keys()].filter((each) => each.endsWith('.html'));
  say(`docs: ${pages.length} pages in ${folder}`);
  say(`Open ${join(folder, 'index.html')} in a browser, or put the folder on any server.`);
  if (values.check === true && findChromium() === undefined) {
    say('no Chromium was found: set CHROMIUM_PATH or install one');
    process.exitCode = 2;
  } else if (values.check === true) {
    await check(folder, pages);
    say(failed === 0 ? 'docs: all is well' : `docs: ${failed} failed`);
    process.exitCode = failed === 0 ? 0 : 1;
  }
} catch (error) {
  if (!(error instanceof SiteError)) throw error;
  say(error.message);
  say('docs: nothing was written');
  process.exitCode = 1;
}
