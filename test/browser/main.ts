/**
 * `npm run play`: serves the playground. `npm run play -- --check` builds it, opens it in Chromium
 * from this machine and from a folder, walks through all of it, makes the report of six protocols,
 * and prints what it has measured.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { runScenario } from '@quorumlab/harness';
import { demo, scenarioOf } from '@quorumlab/harness/link';
import { lessons } from '@quorumlab/lessons';
import { buildPage } from '@quorumlab/playground';
import { openAddress, openFile, servePage } from '../support/browser.ts';
import { findChromium } from '../support/chromium.ts';
import { flagsOf } from '../support/flags.ts';
import { checkDigests, checkReport, checkSleep, checkSpeed, type Judge } from './checks.ts';
import { foundByAxe, goTo, playByKeys, routes, untilFork } from './walk.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
let failed = 0;
const judge: Judge = (what, isRight, detail = '') => {
  if (!isRight) failed++;
  say(`${isRight ? 'ok    ' : 'FAILED'}  ${what}${detail === '' ? '' : `: ${detail}`}`);
};

async function check(): Promise<void> {
  if (findChromium() === undefined) {
    say('no Chromium was found: set CHROMIUM_PATH or install one');
    process.exitCode = 2;
    return;
  }
  const page = await buildPage();
  const scripts = [...page.matchAll(/<script[^>]*>(.*?)<\/script>/gs)].map(
    ([, text]) => text ?? '',
  );
  const [first = 0, rest = 0] = scripts.map((text) => gzipSync(text).length / 1000);
  judge('script of the first screen', first <= 150, `${first.toFixed(1)} kB of gzip, 150 at most`);
  say(`        all behind it: ${rest.toFixed(1)} kB; the file: ${page.length / 1000} kB`);
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab a folder '));
  try {
    const path = join(folder, 'some', 'other base', 'index.html');
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, page);
    await using served = await servePage(page, '/lab/v0/');
    await measure(served.address);
    await look('from this machine', () => openAddress(served.address));
    await look('from a folder', () => openFile(path, { width: 1440, height: 900 }));
    await checkDigests(judge);
    await checkSpeed(path, judge);
    await checkSleep(served.address, judge);
    await checkReport(folder, judge);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  say(failed === 0 ? 'play: all is well' : `play: ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** How long people wait for the fork. */
async function measure(address: string): Promise<void> {
  await using opened = await openAddress(address);
  const times = [];
  for (let i = 0; i < 3; i++) times.push(await untilFork(opened.page, address, 4));
  const [best = 0] = times.sort((one, two) => one - two);
  say(`        until the fork, four times slowed: ${times.map((each) => each.toFixed(0))} ms`);
  judge('the fork on a laptop four times slower', best <= 1500, `${best.toFixed(0)} ms of 1500`);
}

/** All routes in light and dark, wide and narrow; all lessons; digests; errors and requests. */
async function look(from: string, open: () => ReturnType<typeof openAddress>): Promise<void> {
  await using opened = await open();
  const { page, errors } = opened;
  await page.getByText('✗ forked').first().waitFor();
  for (const side of [0, 1] as const) {
    const { digest } = runScenario(scenarioOf(demo, side));
    judge(`${from}: digest ${digest.slice(0, 16)}`, (await page.getByText(digest).count()) === 1);
  }
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [1440, 390]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      for (const [hash, ready] of routes) {
        await goTo(page, hash, ready);
        const found = await foundByAxe(page);
        const wide = (await page.evaluate('document.documentElement.scrollWidth')) as number;
        const where = `${from}: ${hash}, ${width} px, ${colorScheme}`;
        judge(where, found.length === 0 && wide <= width, JSON.stringify(found.slice(0, 2)));
      }
    }
  await page.setViewportSize({ width: 1440, height: 900 });
  for (const { number } of lessons) {
    await playByKeys(page, number);
    judge(`${from}: lesson ${number} by keyboard`, true);
  }
  judge(`${from}: no error, no request elsewhere`, errors.length === 0, errors.join('; '));
}

const usage = `Usage: npm run play [-- options] [link]

Serves the playground on this machine, at one of its links if you name it.

  --check         build it, walk through all of it in Chromium, and print what was measured
  --port PORT     where it listens, on 127.0.0.1 alone; any free port unless told
  --open          open it in the browser of this desktop
  --trace FILE    show this trace, a file or - for stdin`;
const text = { type: 'string' } as const;
const yes = { type: 'boolean' } as const;
const { values } = flagsOf(usage, { check: yes, port: text, open: yes, trace: text }, 1);

if (values.check === true) await check();
else {
  const program = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
  const line = ['--conditions=source', program, 'play', ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, line, { stdio: 'inherit' }).status ?? 1;
}
