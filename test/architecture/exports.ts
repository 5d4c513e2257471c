import { packageNameOf, resolveRelative } from './imports.ts';
import { layersOf } from './lexer.ts';
import { type Faults, lineAt, packagesOf, type Tree } from './tree.ts';

/** A name a module offers; `from` is the module it comes from if it is declared elsewhere. */
type Offered = Readonly<{ name: string; local: string; from: string | undefined; line: number }>;

const declaration =
  /^[^\S\n]*(?:export\s+)?(?:declare\s+)?(?:async\s+)?(?:abstract\s+)?(?:const|let|function\s*\*?|class|interface|type|enum)\s+([\w$]+)/gm;
const clause = /\b(import|export)\s+(?:type\s+)?\{([^}]*)\}(?:\s*from\s*['"])?/g;
const star = /\bexport\s+(?:type\s+)?\*\s*(?:as\s+([\w$]+)\s*)?from\s*['"]/g;

/** Every name of every index.ts has a doc comment where it is declared. */
export function docCommentFaults(tree: Tree): Faults {
  const faults: string[] = [];
  for (const { folder } of packagesOf(tree)) {
    const index = `${folder}/src/index.ts`;
    for (const offered of offeredBy(tree, index)) {
      const place = `${index}:${offered.line} exports ${offered.name}`;
      const found = documented(tree, index, offered, new Set());
      if (found === 'bare') faults.push(`${place}, which has no doc comment where it is declared`);
      if (found === 'lost') faults.push(`${place}, whose declaration was not found`);
    }
  }
  return faults;
}

/** The names that the file at `path` exports, its own and those that it passes on. */
export const namesOf = (tree: Tree, path: string): ReadonlySet<string> =>
  new Set(offeredBy(tree, path).map(({ name }) => name));

/** Names a module offers: own declarations, lists, and all names behind `export *`. */
function offeredBy(tree: Tree, path: string, seen: Set<string> = new Set()): readonly Offered[] {
  const source = tree.get(path);
  if (source === undefined || seen.has(path)) return [];
  seen.add(path);
  const { code } = layersOf(source);
  const found: Offered[] = [];
  for (const match of code.matchAll(declaration)) {
    if (!/^[ \t]*export\b/.test(match[0])) continue;
    const name = match[1]!;
    found.push({ name, local: name, from: undefined, line: lineAt(code, match.index) });
  }
  for (const [match, names] of clausesOf(code, 'export')) {
    const from = moduleAt(source, match);
    const line = lineAt(code, match.index);
    for (const { local, name } of names) found.push({ name, local, from, line });
  }
  for (const match of code.matchAll(star)) {
    const line = lineAt(code, match.index);
    const from = moduleAt(source, match);
    // `export * as name`: the names inside are checked in the module that offers them.
    if (match[1] !== undefined) continue;
    const target = from === undefined ? undefined : fileOf(tree, path, from);
    if (target === undefined) continue;
    for (const { name } of offeredBy(tree, target, seen)) {
      found.push({ name, local: name, from, line });
    }
  }
  return found;
}

type Renamed = Readonly<{ local: string; name: string }>;

function clausesOf(
  code: string,
  keyword: 'import' | 'export',
): readonly (readonly [RegExpExecArray, readonly Renamed[]])[] {
  return [...code.matchAll(clause)]
    .filter((match) => match[1] === keyword)
    .map((match) => {
      const items = match[2]!.split(',').map((item) => item.trim().replace(/^type\s+/, ''));
      const names = items.filter(Boolean).map((item) => {
        const [local, name] = item.split(/\s+as\s+/);
        return { local: local!, name: name ?? local! };
      });
      return [match, names] as const;
    });
}

/** The quoted module at the end of a match that ends with its opening quote. */
function moduleAt(source: string, match: RegExpExecArray): string | undefined {
  const start = match.index + match[0].length;
  const quote = source[start - 1]!;
  return /['"]/.test(quote) ? source.slice(start, source.indexOf(quote, start)) : undefined;
}

function fileOf(tree: Tree, path: string, specifier: string): string | undefined {
  const relative = resolveRelative(path, specifier);
  if (relative !== undefined) return relative;
  const owner = packagesOf(tree).find(({ manifest }) => manifest.name === packageNameOf(specifier));
  return owner === undefined ? undefined : `${owner.folder}/src/index.ts`;
}

/** Follows a name to its declaration: documented, bare, outside this work tree, or lost. */
function documented(
  tree: Tree,
  path: string,
  { local, from }: Pick<Offered, 'local' | 'from'>,
  seen: Set<string>,
): 'yes' | 'bare' | 'outside' | 'lost' {
  const key = `${path} ${local} ${from}`;
  if (seen.has(key)) return 'lost';
  seen.add(key);
  if (from !== undefined) {
    const target = fileOf(tree, path, from);
    if (target === undefined) return 'outside';
    const offered = offeredBy(tree, target).find(({ name }) => name === local);
    return offered === undefined ? 'lost' : documented(tree, target, offered, seen);
  }
  const source = tree.get(path) ?? '';
  const { code, comments } = layersOf(source);
  const places = [...code.matchAll(declaration)].filter((match) => match[1] === local);
  if (places.some((match) => hasDocComment(code, comments, match.index))) return 'yes';
  if (places.length > 0) return 'bare';
  for (const [match, names] of clausesOf(code, 'import')) {
    const imported = names.find(({ name }) => name === local);
    if (imported === undefined) continue;
    return documented(tree, path, { local: imported.local, from: moduleAt(source, match) }, seen);
  }
  return 'lost';
}

/** True if the comment that ends right before `at` begins with two stars and says something. */
function hasDocComment(code: string, comments: string, at: number): boolean {
  const codeBefore = code.slice(0, at).trimEnd().length;
  const between = comments.slice(codeBefore, at).trim();
  const last = between.lastIndexOf('/**');
  return last >= 0 && /^\/\*\*[\s*]*[^\s*/][\s\S]*\*\/(?:\s*\/\/.*)*$/.test(between.slice(last));
}
