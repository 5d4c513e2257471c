/** The page at the top of a protocol's table: pseudo-code, ids in its margin, and transitions. */

/** See {@link pageIn}. */
export interface Page {
  /** Lines of pseudo-code. */
  readonly lines: readonly string[];
  /** The ids of the paper's steps in the margin. */
  readonly margin: readonly string[];
  /** The ids that are said to stand elsewhere. */
  readonly beyond: readonly string[];
  readonly transitions: readonly Transition[];
}

/** A row of a table of transitions. */
export interface Transition {
  /** Empty: a replica starts. */
  readonly from: string;
  readonly to: string;
  /** Few runs show it. */
  readonly isRare: boolean;
}

/** The page in the first doc comment of a source file. Throws if there is none. */
export function pageIn(path: string, source: string): Page {
  const comment = /^\/\*\*\n((?: \*.*\n)*?) \*\//m.exec(source)?.[1] ?? '';
  const text = comment.replace(/^ \*(?: |$)/gm, '');
  const code = /^```text\n([\s\S]*?)^```$/m.exec(text)?.[1];
  if (code === undefined)
    throw new Error(`${path} has no page: begin it with a comment that holds a \`\`\`text block`);
  const lines = code.trimEnd().split('\n');
  const beyond = /\nBeyond this page: ([\s\S]*?)(?:\n\n|$)/.exec(text)?.[1] ?? '';
  return {
    lines,
    margin: lines.flatMap((line) => /^(\S+(?:, \S+)*) {2,}/.exec(line)?.[1]?.split(', ') ?? []),
    // Files are named there too.
    beyond: [...beyond.matchAll(/`([^`\s]+)`/g)].flatMap(([, id = '']) =>
      id.endsWith('.ts') ? [] : [id],
    ),
    transitions: [...text.matchAll(/^\| (?!from |-)([^|]*?) *\| ([^|]+?) *\| ([^|]+?) *\|$/gm)].map(
      ([, from = '', to = '', when = '']) => ({ from, to, isRare: when.includes('(rare)') }),
    ),
  };
}

/** Most lines of pseudo-code: what fits on a page. */
const mostLines = 60;

/** What is wrong with the pseudo-code of a page, given the ids of its paper's steps. */
export function pageFaults(path: string, page: Page, ids: readonly string[]): readonly string[] {
  const { lines, margin, beyond } = page;
  const faults: string[] = [];
  if (lines.length > mostLines)
    faults.push(`${path}: the page has ${lines.length} lines; at most ${mostLines}`);
  for (const id of [...margin, ...beyond])
    if (!ids.includes(id)) faults.push(`${path}: "${id}" on the page is no id of paper.ts`);
  for (const id of ids) {
    const times = [...margin, ...beyond].filter((each) => each === id).length;
    if (times === 0)
      faults.push(
        `${path}: "${id}" of paper.ts is not on the page; put it into the margin of its step, ` +
          'or into "Beyond this page"',
      );
    if (times > 1) faults.push(`${path}: "${id}" stands on the page ${times} times`);
  }
  return faults;
}
