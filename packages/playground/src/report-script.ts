/** Builds the script that makes a report live: viewer, simulator and every protocol, as one. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { noNodeModules } from './no-node-modules.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const entry = fileURLToPath(new URL('./report-main.ts', import.meta.url));
const styles = new URL('../player.css', import.meta.url);

/** The text of the script. Throws if its code needs a module of Node. */
export async function buildReportScript(): Promise<string> {
  const result = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['source', 'module', 'browser'] },
    plugins: [noNodeModules],
    build: {
      write: false,
      target: 'es2024',
      lib: { entry, formats: ['iife'], name: 'quorumlabReport', fileName: 'report' },
    },
  });
  const chunks = (Array.isArray(result) ? result : [result])
    .flatMap((each) => ('output' in each ? each.output : []))
    .filter((each) => each.type === 'chunk');
  const [only] = chunks;
  if (only === undefined || chunks.length > 1)
    throw new Error(`vite made ${chunks.length} scripts of ${entry}, and a report takes one`);
  const css = readFileSync(styles, 'utf8');
  return `globalThis.quorumlabStyle = ${JSON.stringify(css)};\n${only.code}`;
}
