import { layersOf, matching } from './lexer.ts';
import { type Faults, lineAt, sourcesOf, type Tree } from './tree.ts';

const fileLinesMax = 400;
const functionLinesMax = 70;
const columnsMax = 100;

/**
 * A file that fits in the head: 400 lines, tests too. No file is excepted: what is made by machine
 * (the gallery, the page of the playground) is no source, and long data stands in files of data.
 */
export const fileLengthFaults = (tree: Tree): Faults =>
  sourcesOf(tree).flatMap(([path, text]) => {
    const lines = text.trimEnd().split('\n').length;
    if (lines <= fileLinesMax) return [];
    return [`${path} has ${lines} lines; at most ${fileLinesMax}: split it by subject`];
  });

/**
 * No line is wider than 100 columns; one long word alone (an address, a key, test data) cannot
 * be broken.
 */
export function lineWidthFaults(tree: Tree): Faults {
  const faults: string[] = [];
  for (const [path, text] of tree) {
    if (!/\.(ts|tsx|mjs)$/.test(path)) continue;
    for (const [i, line] of text.split('\n').entries()) {
      if ([...line].length <= columnsMax || /^\W*\S{60,}\W*$/.test(line)) continue;
      faults.push(`${path}:${i + 1} has ${[...line].length} columns; at most ${columnsMax}`);
    }
  }
  return faults;
}

/**
 * A function that fits on a page: 70 lines of its own. A function inside another is judged by
 * itself: a factory that returns a table of small handlers is read handler by handler. Callbacks
 * of describe only group tests and do not count.
 */
export function functionLengthFaults(tree: Tree): Faults {
  return sourcesOf(tree).flatMap(([path, text]) =>
    functionsOf(layersOf(text).code)
      .filter(({ lines }) => lines > functionLinesMax)
      .map(
        ({ line, lines }) =>
          `${path}:${line} is a function of ${lines} lines of its own; at most 70`,
      ),
  );
}

/**
 * Where a function begins (line from 1) and how many lines it has with its head, without those
 * that hold nothing but functions inside it.
 */
export type FunctionSpan = Readonly<{ line: number; lines: number }>;

const headPattern =
  /\bfunction\b\s*\*?\s*[\w$]*\s*(?=[(<])|=>|(?<![.\w$])(?:async\s+|get\s+|set\s+|\*\s*)?#?([A-Za-z_$][\w$]*)\s*(?:<[^(){}]*>)?(?=\()/g;
const notMethods = new Set(['if', 'for', 'while', 'switch', 'catch', 'with', 'return', 'function']);

/** Offsets of the first and the last character of a function. */
type Extent = Readonly<{ start: number; end: number }>;

/** Functions, arrow functions with a block and methods in code without comments and strings. */
export function functionsOf(code: string): readonly FunctionSpan[] {
  const extents = extentsOf(code);
  return extents.map((extent, i) => ({
    line: lineAt(code, extent.start),
    lines: ownLines(code, extent, extents.slice(i + 1)),
  }));
}

/** Every function of the code, by where it begins: an outer one before those inside it. */
function extentsOf(code: string): readonly Extent[] {
  const found: Extent[] = [];
  for (const head of code.matchAll(headPattern)) {
    if (notMethods.has(head[1] ?? '')) continue;
    const isArrow = head[0] === '=>';
    const after = head.index + head[0].length;
    const open = isArrow
      ? blockAfterArrow(code, after)
      : bodyAfter(code, parametersEnd(code, after));
    if (open === undefined || (isArrow && groupsTests(code, head.index))) continue;
    found.push({ start: head.index, end: matching(code, open) });
  }
  return found;
}

/**
 * Lines of a function that are not only lines of functions inside it. A line that both share
 * counts for the outer one if the outer one has a word on it: many calls with a small callback
 * each are still long.
 */
function ownLines(code: string, { start, end }: Extent, later: readonly Extent[]): number {
  let own = '';
  let at = start;
  for (const inner of later) {
    if (inner.start > end) break;
    if (inner.start < at) continue;
    const lines = code.slice(inner.start, inner.end + 1).split('\n');
    own += code.slice(at, inner.start) + lines.map(() => insideMark).join('\n');
    at = inner.end + 1;
  }
  own += code.slice(at, end + 1);
  return own.split('\n').filter((line) => !line.includes(insideMark) || /[\w$]/.test(line)).length;
}

/** Stands for the text of an inner function; no source holds it. */
const insideMark = '\0';

function blockAfterArrow(code: string, from: number): number | undefined {
  const at = from + /^\s*/.exec(code.slice(from))![0].length;
  return code[at] === '{' ? at : undefined;
}

/** True if the arrow at `arrow` belongs to the callback of a describe call. */
function groupsTests(code: string, arrow: number): boolean {
  return /\bdescribe(?:\.\w+(?:\([^()]*\))?)*\s*\((?:[^()]*,)?\s*(?:async\s*)?\([^()]*\)\s*$/.test(
    code.slice(Math.max(0, arrow - 400), arrow),
  );
}

/**
 * The brace that opens the body behind a parameter list, past a return type; undefined for a
 * call or a type.
 */
function bodyAfter(code: string, from: number): number | undefined {
  let last = '';
  for (let at = from; at < code.length; at++) {
    const char = code[at]!;
    if (/\s/.test(char)) continue;
    if (last === '' && char !== ':' && char !== '{') return undefined;
    const arrow = last === '>' && /=>\s*$/.test(code.slice(Math.max(0, at - 40), at));
    if (char === '{' && !arrow && !/[:|&<,=(]/.test(last)) return at;
    if (/[;,)\]}]/.test(char)) return undefined;
    last = char;
    if (/[({[]/.test(char)) {
      at = matching(code, at);
      last = code[at]!;
    }
  }
  return undefined;
}

/** Offset behind the parameter list that begins at `from`, or behind type parameters before it. */
function parametersEnd(code: string, from: number): number {
  let at = from;
  for (let depth = 0; at < code.length && (depth > 0 || code[at] !== '('); at++) {
    if (code[at] === '<') depth++;
    if (code[at] === '>' && code[at - 1] !== '=') depth--;
  }
  return matching(code, at) + 1;
}

const unfinishedWords = /\b(?:TODO|FIXME|XXX|HACK)\b/g;

/** What is not finished is an issue, not a comment. */
export function unfinishedFaults(tree: Tree): Faults {
  return sourcesOf(tree).flatMap(([path, text]) => {
    const { comments } = layersOf(text);
    return [...comments.matchAll(unfinishedWords)].map(
      (word) =>
        `${path}:${lineAt(comments, word.index)} says ${word[0]}: finish it or open an issue`,
    );
  });
}

const left =
  /\b(?:it|test|describe|bench|suite)(?:\.\w+)*\.(?:only|skip|todo|fails)\b|\b(?:fit|xit|fdescribe|xdescribe)\s*\(/g;

/**
 * Every test runs: none is singled out or left out (skipIf and runIf state a condition and are
 * allowed).
 */
export function leftOutFaults(tree: Tree): Faults {
  return sourcesOf(tree).flatMap(([path, text]) => {
    const { code } = layersOf(text);
    return [...code.matchAll(left)].map(
      (use) => `${path}:${lineAt(code, use.index)} uses ${use[0]}: every test runs`,
    );
  });
}
