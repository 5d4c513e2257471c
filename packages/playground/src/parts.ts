/** The scripts of the page: what the first screen needs, and behind it all the rest. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build, normalizePath, type Plugin, type Rolldown } from 'vite';
import { firstProtocols, laterModules } from './first.ts';
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
  /** Modules whose functions are there once the second part is. */
  readonly later: readonly string[];
}

const shortAtFirst = ({ registry, mutants, later }: Short): Plugin => ({
  name: 'short-at-first',
  enforce: 'pre',
  load(id): string | undefined {
    if (id === registry) return firstEntries();
    if (mutants.includes(id)) return noMutants;
    if (later.includes(id)) return noFunctions(id);
    if (isWhole(id)) return completion(registry, [...mutants, ...later]);
    if (id.endsWith(filling)) {
      const path = id.slice(0, -filling.length);
      return later.includes(path) ? provided(path) : filled(path);
    }
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

/** What a module exports, as variables that are set later: whoever imports them sees that. */
function noFunctions(path: string): string {
  const exported = /^export (?:const|function\*?) (\w+)/gm;
  const names = [...readFileSync(path, 'utf8').matchAll(exported)].map(([, name]) => name);
  return [
    ...names.map((name) => `export let ${name};`),
    'export const provide = (whole) => {',
    ...names.map((name) => `  ${name} = whole.${name};`),
    '};',
  ].join('\n');
}

const provided = (path: string): string =>
  [
    `import { provide } from ${JSON.stringify(path)};`,
    `import * as whole from ${JSON.stringify(path + wholly)};`,
    'provide(whole);',
  ].join('\n');

/** The mutants are whole before the list is made: it has their names. */
const completion = (registry: string, short: readonly string[]): string =>
  [
    ...short.map((path) => `import ${JSON.stringify(path + filling)};`),
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
  const ofPackage = (name: string, file: string): string =>
    source(resolve(`@quorumlab/${name}/package.json`), file);
  const short: Short = {
    registry: source(harness, 'registry.ts'),
    mutants: firstProtocols.map((name) => ofPackage(name, 'mutants.ts')),
    later: Object.entries(laterModules).flatMap(([name, files]) =>
      files.map((file) => ofPackage(name, `${file}.ts`)),
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
