import { layersOf } from './lexer.ts';
import {
  type Faults,
  isTest,
  lineAt,
  type Package,
  packagesOf,
  sourcesOf,
  type Tree,
} from './tree.ts';

/** One import or re-export; `line` counts from 1. */
export type Import = Readonly<{ specifier: string; line: number }>;

const importPattern =
  /\b(?:import|export)\s+(?:type\s+)?(?:[\w$*{][^'"`;()]*?\bfrom\s*)?(['"])|\bimport\s*\(\s*(['"])/g;

/** Every module a source names: import, import type, export from, import(). */
export function importsOf(source: string): readonly Import[] {
  const { code } = layersOf(source);
  const found: Import[] = [];
  for (const match of code.matchAll(importPattern)) {
    const start = match.index + match[0].length;
    const end = code.indexOf((match[1] ?? match[2])!, start);
    if (end > start) {
      found.push({ specifier: source.slice(start, end), line: lineAt(source, start) });
    }
  }
  return found;
}

/**
 * The package a bare specifier belongs to: `@a/b/c` is of `@a/b`; undefined for a relative
 * path.
 */
export function packageNameOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/')) return undefined;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}

function ownerOf(path: string, packages: readonly Package[]): Package | undefined {
  return packages.find(({ folder }) => path.startsWith(`${folder}/`));
}

function eachImport(
  tree: Tree,
  visit: (path: string, owner: Package, imported: Import, faults: string[]) => void,
): Faults {
  const packages = packagesOf(tree);
  const faults: string[] = [];
  for (const [path, text] of sourcesOf(tree)) {
    const owner = ownerOf(path, packages);
    if (owner === undefined) continue;
    for (const imported of importsOf(text)) visit(path, owner, imported, faults);
  }
  return faults;
}

/**
 * An import may only point to a lower floor: protocols share floor 2 and so never know each
 * other.
 */
export function floorFaults(tree: Tree): Faults {
  const packages = packagesOf(tree);
  const byName = new Map(packages.map((each) => [each.manifest.name ?? '', each]));
  return eachImport(tree, (path, owner, { specifier, line }, faults) => {
    const target = byName.get(packageNameOf(specifier) ?? '');
    if (target === undefined || target === owner) return;
    const [from, to] = [owner.manifest.floor ?? -1, target.manifest.floor ?? Infinity];
    if (to < from) return;
    const kind = from === 2 && to === 2 ? 'a protocol never imports another' : 'not a lower floor';
    faults.push(`${path}:${line} on floor ${from} imports ${specifier} on floor ${to}: ${kind}`);
  });
}

/**
 * A relative import stays inside its package: going around the index would also go around the
 * floors.
 */
export function escapeFaults(tree: Tree): Faults {
  return eachImport(tree, (path, owner, { specifier, line }, faults) => {
    const target = resolveRelative(path, specifier);
    if (target === undefined || target.startsWith(`${owner.folder}/`)) return;
    faults.push(`${path}:${line} leaves its package by ${specifier}: import the package's name`);
  });
}

/**
 * What a package imports stands in its package.json; tests may also use the development tools
 * of the root.
 */
export function dependencyFaults(tree: Tree): Faults {
  const root = JSON.parse(tree.get('package.json') ?? '{}') as Package['manifest'];
  return eachImport(tree, (path, owner, { specifier, line }, faults) => {
    const name = packageNameOf(specifier);
    const { manifest } = owner;
    if (name === undefined || name === manifest.name || specifier.startsWith('node:')) return;
    const isForTests = isTest(path) || path.startsWith(`${owner.folder}/test/`);
    const tools = isForTests ? { ...manifest.devDependencies, ...root.devDependencies } : {};
    const declared = { ...manifest.dependencies, ...manifest.optionalDependencies };
    if (name in { ...declared, ...manifest.peerDependencies, ...tools }) return;
    faults.push(`${path}:${line} imports ${specifier}, which ${owner.folder} does not declare`);
  });
}

/** Packages about single protocols by their nature: exercises are. */
const aboutProtocols = ['packages/lessons'];

/**
 * What runs protocols knows none by name: only the registry imports them, and what is special about
 * one stands in its entry. So a new one is a folder, and none is told apart where all are treated.
 */
export function nameFaults(tree: Tree): Faults {
  const packages = packagesOf(tree);
  const hasEntry = ({ folder, manifest }: Package): boolean =>
    (manifest.floor ?? 0) > 1 && tree.has(`${folder}/src/entry.ts`);
  const protocols = new Set(packages.filter(hasEntry).map(({ manifest }) => manifest.name));
  return eachImport(tree, (path, owner, { specifier, line }, faults) => {
    if (!protocols.has(packageNameOf(specifier)) || isTest(path)) return;
    if (hasEntry(owner) || aboutProtocols.includes(owner.folder)) return;
    if (path === 'packages/harness/src/registry.ts' || !path.startsWith(`${owner.folder}/src/`))
      return;
    faults.push(`${path}:${line} imports ${specifier} by name: let its entry say what is special`);
  });
}

/** Path that a relative specifier names, or undefined for a package. */
export function resolveRelative(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/**
 * No file reaches itself through its imports, nor through those of types alone: of two files that
 * need each other neither can be read first.
 */
export function cycleFaults(tree: Tree): Faults {
  const entry = new Map(
    packagesOf(tree).map((p) => [p.manifest.name ?? '', `${p.folder}/src/index.ts`]),
  );
  const edges = new Map<string, readonly string[]>();
  for (const [path, text] of sourcesOf(tree)) {
    if (!path.startsWith('packages/')) continue;
    const targets = importsOf(text).map(
      ({ specifier }) =>
        resolveRelative(path, specifier) ?? entry.get(packageNameOf(specifier) ?? ''),
    );
    edges.set(
      path,
      targets.filter((target) => target !== undefined).filter((target) => tree.has(target)),
    );
  }
  return findCycles(edges);
}

/** One sentence per cycle, each told once, from its first file. */
function findCycles(edges: ReadonlyMap<string, readonly string[]>): Faults {
  const faults: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      faults.push(`${path} imports itself: ${[...trail.slice(start), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const target of edges.get(path) ?? []) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const path of edges.keys()) visit(path);
  return faults;
}
