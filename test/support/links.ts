import { posix } from 'node:path';

/** A link in a document that leads nowhere. `line` counts from 1. */
export type DeadLink = Readonly<{ path: string; line: number; target: string }>;

const fenced = /^( {0,3})(`{3,})[^\n]*\n[\s\S]*?^ {0,3}\2`*[ \t]*$/gm;
const link = /\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g;

/**
 * Links of Markdown documents to files of the tree, and to headings in its documents, that do not
 * exist. `files` maps paths to texts; `exists` says whether there is a file or a folder at a path.
 * Addresses elsewhere (https:, mailto:) are not looked at.
 */
export function deadLinks(
  files: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): readonly DeadLink[] {
  const dead: DeadLink[] = [];
  for (const [path, text] of files) {
    if (!path.endsWith('.md')) continue;
    // Code is blanked and not removed, so that lines keep their numbers.
    const prose = text
      .replace(fenced, blank)
      .replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length));
    for (const match of prose.matchAll(link)) {
      const target = match[1] as string;
      if (/^[a-z]+:/.test(target) || leadsSomewhere(files, exists, path, target)) continue;
      dead.push({ path, line: prose.slice(0, match.index).split('\n').length, target });
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
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  );
}
