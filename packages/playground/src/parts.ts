/** The scripts of the page: what the first screen needs, and behind it all the rest. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, normalizePath, type Plugin, type Rolldown } from 'vite';
import { firstProtocols } from './first.ts';
import { noNodeModules } from './no-node-modules.ts';

/** Two texts of scripts; the second does nothing until the first asks for what is in it. */
export interface Parts {
  readonly first: string;
  readonly rest: string;
}

const isWhole = (id: string): boolean => /playground\/src\/whole-registry\.ts$/.test(id);

/** Paths of modules of which the first part has little or nothing. */
interface Short {
  /** The list of protocols: at first there are those of the first screen. */
  readonly registry: string;
  /** The wrong variants of these, with their flaws and schedules: at first there are none. */
  readonly mutants: readonly string[];
}

const shortAtFirst = ({ registry, mutants }: Short): Plugin => ({
  name: 'short-at-first',
  enforce: 'pre',
  load(id): string | undefined {
    if (id === registry) return firstEntries();
    if (mutants.includes(id)) return noMutants;
    if (isWhole(id)) return completion(registry, mutants);
    if (id.endsWith(filling)) return filled(id.slice(0, -filling.length));
    return id.endsWith(wholly) ? readFileSync(id.slice(0, -wholly.length), 'utf8') : undefined;
  },
  // Written as a path of the file itself, so that its own imports are found beside it.
  resolveId: (id): string | undefined =>
    [filling, wholly].some((each) => id.endsWith(each)) ? id : undefined,
});

/** Behind the path of a module that is short at first: the module as it is written. */
const wholly = '?whole';
/** Behind the path of mutants: what makes them whole when it is imported. */
const filling = '?filling';

const firstEntries = (): string =>
  [
    ...firstProtocols.map((name) => `import { entry as ${name} } from '@quorumlab/${name}/entry';`),
    "import { protocolEntry } from './protocol-entry.ts';",
    `export const entries = [${firstProtocols.map((name) => `protocolEntry(${name})`).join()}];`,
  ].join('\n');

const noMutants = 'export const mutants = {}, flaws = {}, exhibits = {};';

const filled = (path: string): string =>
  [
    `import { exhibits, flaws, mutants } from ${JSON.stringify(path)};`,
    `import * as whole from ${JSON.stringify(path + wholly)};`,
    'Object.assign(mutants, whole.mutants);',
    'Object.assign(flaws, whole.flaws);',
    'Object.assign(exhibits, whole.exhibits);',
  ].join('\n');

/** The mutants are whole before the list is made: it has their names. */
const completion = (registry: string, mutants: readonly string[]): string =>
  [
    ...mutants.map((path) => `import ${JSON.stringify(path + filling)};`),
    "import { protocols } from '@quorumlab/harness';",
    `import { entries } from ${JSON.stringify(registry + wholly)};`,
    'export const completeRegistry = () =>',
    '  void protocols.splice(0, protocols.length, ...entries);',
  ].join('\n');

/**
 * The scripts of the page that begins with `entry`. Throws if its code needs a module of Node.
 */
export async function partsOf(root: string, entry: string): Promise<Parts> {
  const harness = createRequire(import.meta.url).resolve('@quorumlab/harness/package.json');
  const { resolve } = createRequire(harness);
  const source = (packageFile: string, file: string): string =>
    normalizePath(join(dirname(packageFile), 'src', file));
  const short: Short = {
    registry: source(harness, 'registry.ts'),
    mutants: firstProtocols.map((name) =>
      source(resolve(`@quorumlab/${name}/package.json`), 'mutants.ts'),
    ),
  };
  const result = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    resolve: { conditions: ['source', 'module', 'browser'] },
    plugins: [noNodeModules, shortAtFirst(short)],
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
