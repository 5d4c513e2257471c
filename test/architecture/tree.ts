import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A work tree as the rules see it: path with forward slashes, from the root, to text. */
export type Tree = ReadonlyMap<string, string>;

/** What a rule found: one sentence per fault, beginning with the path it is about. */
export type Faults = readonly string[];

/** The parts of a package.json that the rules look at. */
export type Manifest = Readonly<{
  name?: string;
  description?: string;
  floor?: number;
  license?: string;
  private?: boolean;
  keywords?: readonly string[];
  files?: readonly string[];
  repository?: unknown;
  engines?: Readonly<Record<string, string>>;
  exports?: unknown;
  dependencies?: Readonly<Record<string, string>>;
  devDependencies?: Readonly<Record<string, string>>;
  peerDependencies?: Readonly<Record<string, string>>;
  optionalDependencies?: Readonly<Record<string, string>>;
}>;

/** One package below packages/: its folder and its manifest. */
export type Package = Readonly<{ folder: string; manifest: Manifest }>;

const skipped = new Set(['node_modules', 'dist', 'coverage', '.git', '.generated', '.quorumlab']);
const read = /(\.(ts|tsx|mjs|md)|package\.json|LICENSE-\w+)$/;

/** Reads every source, document and manifest below root, without what is installed or built. */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (skipped.has(entry.name)) continue;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (read.test(entry.name)) tree.set(path, readFileSync(join(root, path), 'utf8'));
    }
  };
  walk('');
  return tree;
}

/** The packages of the tree, in order of folder. */
export function packagesOf(tree: Tree): readonly Package[] {
  const found: Package[] = [];
  for (const [path, text] of tree) {
    const folder = /^(packages\/[^/]+)\/package\.json$/.exec(path)?.[1];
    if (folder !== undefined) found.push({ folder, manifest: JSON.parse(text) });
  }
  return found.sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

/** The TypeScript files of the tree, declaration files left out. */
export function sourcesOf(tree: Tree): readonly (readonly [path: string, text: string])[] {
  return [...tree].filter(([path]) => /\.tsx?$/.test(path) && !path.endsWith('.d.ts'));
}

/** True for a file that only tests read. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}

/** Line number, from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = 0; i < offset; i++) if (text.charCodeAt(i) === 10) line++;
  return line;
}
