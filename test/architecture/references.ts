import { dirname, normalize } from 'node:path/posix';
import { layersOf } from './lexer.ts';
import { type Faults, lineAt, sourcesOf, type Tree } from './tree.ts';

const named = /`([\w./-]+\.(?:ts|mjs|md))`|(?<![\w/`.-])([\w-]+(?:\/[\w.-]+)*\.md)\b/g;
const decision = /\bdecisions?\s+(?:\*\s+)?(\d{3})\b/gi;
const rule = /\brules?\s+(\d+)(?:\s+(?:to|and)\s+(\d+))?/gi;

/** What a comment refers to is there: files, decision records, and rules by their numbers. */
export function referenceFaults(tree: Tree): Faults {
  const records = new Set(
    [...tree.keys()].map((path) => /^docs\/decisions\/(\d{3})-/.exec(path)?.[1]),
  );
  return sourcesOf(tree).flatMap(([path, text]) => {
    const { comments } = layersOf(text);
    const at = (match: RegExpExecArray): string => `${path}:${lineAt(comments, match.index)}`;
    const files = [...comments.matchAll(named)]
      .filter((match) => !resolves(tree, path, (match[1] ?? match[2])!))
      .map((match) => `${at(match)} names ${match[1] ?? match[2]}, and there is no such file`);
    const decisions = [...comments.matchAll(decision)]
      .filter((match) => !records.has(match[1]))
      .map((match) => `${at(match)} names decision ${match[1]}, which is not in docs/decisions`);
    const rules = [...comments.matchAll(rule)].flatMap((match) =>
      [match[1], match[2]]
        .filter((number) => number !== undefined)
        .filter((number) => !isListed(tree, path, comments, number))
        .map(
          (number) =>
            `${at(match)} names rule ${number}: number it in the comment, or under "Rules" in ` +
            "the package's README",
        ),
    );
    return [...files, ...decisions, ...rules];
  });
}

const packageOf = (path: string): string => path.split('/').slice(0, 2).join('/');

/** A file is named from where the comment stands, from its package, or from the root. */
function resolves(tree: Tree, path: string, name: string): boolean {
  const folders = [dirname(path), packageOf(path), `${packageOf(path)}/src`, 'packages', '.'];
  return folders.some((folder) => tree.has(normalize(`${folder}/${name}`)));
}

/** A numbered rule is one of a list in the same file's comments, or of its package's README. */
function isListed(tree: Tree, path: string, comments: string, number: string): boolean {
  const item = new RegExp(`^[\\s*]*${number}\\. `, 'm');
  const readme = tree.get(`${packageOf(path)}/README.md`) ?? '';
  const rules = /^##+ Rules\b[^\n]*\n([\s\S]*?)(?=^##? |(?![\s\S]))/m.exec(readme)?.[1] ?? '';
  return item.test(comments) || item.test(rules);
}

const inGallery = /\b[AB]-\d\d[a-z]?\b/g;

/** docs/gallery.md is what `npm run fix` would write, and has every number that anything names. */
export function galleryFaults(tree: Tree, galleryOf: (files: Tree) => string): Faults {
  const written = galleryOf(tree);
  const known = new Set([...written.matchAll(/^\| ([AB]-\w+) \|/gm)].map((match) => match[1]));
  const old =
    tree.get('docs/gallery.md') === written
      ? []
      : ['docs/gallery.md is not what the mutants and tests say: run `npm run fix`'];
  const lost = [...tree]
    .filter(([path]) => !/^(test\/architecture|\.changeset)\//.test(path))
    .flatMap(([path, text]) =>
      [...text.matchAll(inGallery)]
        .filter(([number]) => !known.has(number))
        .map(
          (match) =>
            `${path}:${lineAt(text, match.index)} names ${match[0]}, which no mutant has, and no ` +
            'title of a test',
        ),
    );
  return [...old, ...lost];
}
