/** The scripts of the page: what the first screen needs, and behind it all the rest. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, type Plugin, type Rolldown } from 'vite';
import { firstProtocols } from './first.ts';
import { noNodeModules } from './no-node-modules.ts';

/** Two texts of scripts; the second does nothing until the first asks for what is in it. */
export interface Parts {
  readonly first: string;
  readonly rest: string;
}

const isRegistry = (id: string): boolean => /harness\/src\/registry\.ts$/.test(id);
const isWhole = (id: string): boolean => /playground\/src\/whole-registry\.ts$/.test(id);

/** The list of protocols in two: first those of the first screen, and later all of them. */
const shortRegistry = (registry: string): Plugin => ({
  name: 'short-registry',
  enforce: 'pre',
  load(id): string | undefined {
    if (isRegistry(id)) return firstEntries();
    if (id === `${registry}?whole`) return readFileSync(registry, 'utf8');
    if (!isWhole(id)) return undefined;
    return (
      `import { protocols } from '@quorumlab/harness';\n` +
      `import { entries } from ${JSON.stringify(`${registry}?whole`)};\n` +
      'export const completeRegistry = () =>\n' +
      '  void protocols.splice(0, protocols.length, ...entries);'
    );
  },
  // Written as a path of the file itself, so that its own imports are found beside it.
  resolveId: (id): string | undefined => (id === `${registry}?whole` ? id : undefined),
});

const firstEntries = (): string =>
  [
    ...firstProtocols.map((name) => `import { entry as ${name} } from '@quorumlab/${name}/entry';`),
    "import { protocolEntry } from './protocol-entry.ts';",
    `export const entries = [${firstProtocols.map((name) => `protocolEntry(${name})`).join()}];`,
  ].join('\n');

/**
 * The scripts of the page that begins with `entry`. Throws if its code needs a module of Node.
 */
export async function partsOf(root: string, entry: string): Promise<Parts> {
  const { resolve } = createRequire(import.meta.url);
  const harness = dirname(resolve('@quorumlab/harness/package.json'));
  const result = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['source', 'module', 'browser'] },
    plugins: [noNodeModules, shortRegistry(join(harness, 'src', 'registry.ts'))],
    build: {
      write: false,
      target: 'es2024',
      lib: { entry, formats: ['cjs'], fileName: 'page' },
    },
  });
  const chunks = (Array.isArray(result) ? result : [result])
    .flatMap((each) => ('output' in each ? each.output : []))
    .filter((each) => each.type === 'chunk');
  const begin = chunks.find(({ isEntry }) => isEntry);
  if (begin === undefined) throw new Error(`vite made no script of ${entry}`);
  const needed = neededBy(begin, chunks);
  const define = (of: readonly Rolldown.OutputChunk[]): string => of.map(defined).join('\n');
  return {
    first: `${loader}\n${define([...needed])}\nquorumlab.need(${JSON.stringify(begin.fileName)});`,
    rest: define(chunks.filter((each) => !needed.has(each))),
  };
}

/** A chunk with all that it cannot begin without. */
function neededBy(
  begin: Rolldown.OutputChunk,
  chunks: readonly Rolldown.OutputChunk[],
): ReadonlySet<Rolldown.OutputChunk> {
  const found = new Set([begin]);
  for (const { imports } of found)
    for (const each of chunks) if (imports.includes(each.fileName)) found.add(each);
  return found;
}

/** Modules by their names, each run when it is first needed. */
const loader = `globalThis.quorumlab = {
  parts: {}, made: {},
  need(path) {
    const name = path.replace('./', '');
    const { parts, made, need } = quorumlab;
    if (made[name] === undefined) parts[name](need, (made[name] = {}));
    return made[name];
  },
};`;

const defined = ({ fileName, code }: Rolldown.OutputChunk): string =>
  `quorumlab.parts[${JSON.stringify(fileName)}] = (require, exports) => {${code}};`;
