import { posix } from 'node:path';
import { slugOf } from '../../docs/site/anchors.ts';

/** A link in a document that leads nowhere. `line` counts from 1. */
export type DeadLink = Readonly<{ path: string; line: number; target: string }>;

const fenced = /^( {0,3})(`{3,})[^\n]*\n[\s\S]*?^ {0,3}\2`*[ \t]*$/gm;
const named = /`((?:docs|packages|scripts|test)\/[\w./-]+)`/g;
const link = /\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g;

/**
 * What Markdown documents name and what does not exist: links to files and to headings of the tree,
 * and paths in code spans (`packages/…`), from the root or from the document's folder. `files` maps
 * paths to texts; `exists` says whether there is a file or a folder at a path. An address that
 * begins with `forge` leads to the root of the tree; others (https:, mailto:) are not looked at.
 */
export function deadLinks(
  files: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
  forge?: string,
): readonly DeadLink[] {
  const dead: DeadLink[] = [];
  for (const [path, text] of files) {
    if (!path.endsWith('.md')) continue;
    const lineOf = (at: number): number => text.slice(0, at).split('\n').length;
    // Code is blanked and not removed, so that everything keeps its place.
    const unfenced = text.replace(fenced, blank);
    for (const { 1: target = '', index } of unfenced.matchAll(named)) {
      const places = [target, posix.join(posix.dirname(path), target)];
      if (!places.some((place) => exists(place.replace(/\/$/, ''))))
        dead.push({ path, line: lineOf(index), target });
    }
    const prose = unfenced.replace(/`[^`\n]*`/g, blank);
    for (const match of prose.matchAll(link)) {
      const target = match[1] as string;
      const inside = forge !== undefined && target.startsWith(forge);
      if (!inside && /^[a-z]+:/.test(target)) continue;
      const [from, to] = inside ? ['README.md', target.slice(forge.length)] : [path, target];
      if (leadsSomewhere(files, exists, from, to)) continue;
      dead.push({ path, line: lineOf(match.index), target });
    }
  }
  return dead;
}

const blank = (code: string): string => code.replace(/[^\n]/g, ' ');

function leadsSomewhere(
  files: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
  from: string,
  target: string,
): boolean {
  const [file = '', heading] = target.split('#');
  const to = file === '' ? from : posix.join(posix.dirname(from), file).replace(/\/$/, '');
  if (to.startsWith('..') || !exists(to)) return false;
  return heading === undefined || anchorsOf(files.get(to) ?? '').has(heading);
}

/** The anchors that headings of a Markdown text get on common forges. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = markdown.replace(fenced, blank).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm);
  return new Set([...headings].map(([, text = '']) => slugOf(text)));
}
