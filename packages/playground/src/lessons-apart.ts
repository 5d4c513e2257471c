/** The lessons stand behind the first script of the page, which does not wait for them. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'vite';

/** Where the page and its workers find them. */
const name = 'quorumlabLessons';

const isAll = (id: string): boolean => /lessons\/(src|dist)\/all\.[jt]s$/.test(id);

/** An array that is looked for each time that something is read of it. */
const stand =
  'export const all = new Proxy([], {' +
  `get: (_, key) => globalThis.${name}.all[key], ` +
  `has: (_, key) => key in globalThis.${name}.all });`;

/** Leaves the lessons out of a bundle: its code finds them when {@link lessonsScript} has run. */
export const lessonsApart: Plugin = {
  name: 'lessons-apart',
  enforce: 'pre',
  load: (id): string | undefined => (isAll(id) ? stand : undefined),
};

/** The script of the lessons. Throws if they need more than themselves. */
export async function lessonsScript(root: string): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  const home = dirname(resolve('@quorumlab/lessons/package.json'));
  const result = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['source', 'module', 'browser'] },
    build: {
      write: false,
      target: 'es2024',
      lib: { entry: join(home, 'src', 'all.ts'), formats: ['iife'], name, fileName: 'lessons' },
    },
  });
  return codeIn(result, 'the lessons');
}

/** The code of a bundle of one script. Throws if there is none. */
export function codeIn(result: Awaited<ReturnType<typeof build>>, what: string): string {
  for (const output of Array.isArray(result) ? result : [result])
    if ('output' in output)
      for (const file of output.output) if (file.type === 'chunk' && file.isEntry) return file.code;
  throw new Error(`vite made no script of ${what}`);
}
