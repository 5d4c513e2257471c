/** Builds the page: one file with everything in it, from any place and without a net. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve as resolvePath } from 'node:path';
import { fileURLToPath } from 'node:url';
import { partsOf } from './parts.ts';
import { buildReportScript } from './report-script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const entry = fileURLToPath(new URL('./main.ts', import.meta.url));
const target = fileURLToPath(new URL('../dist/site/index.html', import.meta.url));

/** What the page may do: run what is in it. Nothing is loaded, and nothing is sent. */
const policy =
  "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src blob:; " +
  "style-src 'unsafe-inline'; img-src data:";

/** The text of the page. Throws if its code needs a module of Node, or a style is missing. */
export async function buildPage(): Promise<string> {
  const styles = ['trace-view/style.css', 'playground/player.css', 'playground/style.css'];
  const { resolve } = createRequire(import.meta.url);
  const css = styles.map((each) => readFileSync(resolve(`@quorumlab/${each}`), 'utf8')).join('\n');
  const { first, rest } = await partsOf(root, entry);
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<link rel="icon" href="data:,">',
    '<title>quorumlab: one lie, two protocols</title>',
    `<style>${css}</style>`,
    '<div id="app"><noscript>It all runs in your browser, which takes JavaScript.</noscript></div>',
    `<script>${inElement(first)}</script>`,
    `<script id="rest">${inElement(rest)}</script>`,
    '</html>',
    '',
  ].join('\n');
}

/** The end of a script inside a string would end the element. */
const inElement = (script: string): string => script.replaceAll('</script', '<\\/script');

if (import.meta.main) {
  const at = process.argv.indexOf('--to');
  const to = at < 0 ? target : resolvePath(process.argv[at + 1] ?? target);
  const page = await buildPage();
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, page);
  console.log(`playground: ${to} (${Math.round(page.length / 1024)} KiB)`);
  console.log('Open this file in a browser, or put it on any server: it is all there is.');
  // Whoever publishes the page publishes the script of reports beside it.
  if (at >= 0) writeFileSync(join(dirname(to), 'report.js'), await buildReportScript());
}
