/**
 * A text of TypeScript split by what its characters are. Each layer has the length and the line
 * breaks of the source, so that offsets agree; what belongs to another kind is a space. In `code`
 * the quotes of strings stay.
 */
export type Layers = Readonly<{ code: string; comments: string }>;

type Span = Readonly<{ end: number; kind: 'code' | 'comment' | 'quoted' }>;

/** What was split before: a dozen rules ask for the same files. */
const known = new Map<string, Layers>();

/**
 * TypeScript 7 has no API for programs, so the rules tell code from comments and strings
 * themselves.
 */
export function layersOf(source: string): Layers {
  const layers = known.get(source) ?? split(source);
  known.set(source, layers);
  return layers;
}

function split(source: string): Layers {
  const code: string[] = [];
  const comments: string[] = [];
  const substitutions: number[] = []; // brace depth at which each open `${` of a template ends
  let depth = 0;
  let before = ''; // the last code that is no space: tells a division from a regular expression
  let at = 0;
  while (at < source.length) {
    let span = spanAt(source, at, before);
    const char = source[at]!;
    if (span.kind === 'code' && char === '{') depth++;
    if (span.kind === 'code' && char === '}') {
      if (substitutions.at(-1) === depth) {
        substitutions.pop();
        span = { end: templateEnd(source, at + 1), kind: 'quoted' };
      } else depth--;
    }
    const text = source.slice(at, span.end);
    if (span.kind === 'quoted' && text.endsWith('${')) substitutions.push(depth);
    code.push(span.kind === 'code' ? text : span.kind === 'quoted' ? hollow(text) : blank(text));
    comments.push(span.kind === 'comment' ? text : blank(text));
    if (span.kind !== 'comment' && text.trim() !== '') before = (before + text.trim()).slice(-16);
    else if (/\s/.test(text) && /\w$/.test(before)) before = `${before} `.slice(-16);
    at = span.end;
  }
  return { code: code.join(''), comments: comments.join('') };
}

function spanAt(source: string, at: number, before: string): Span {
  const char = source[at]!;
  const next = source[at + 1];
  if (char === '/' && next === '/') return { end: endOf(source, '\n', at, 0), kind: 'comment' };
  if (char === '/' && next === '*') return { end: endOf(source, '*/', at + 2, 2), kind: 'comment' };
  if (char === '"' || char === "'") return { end: stringEnd(source, at), kind: 'quoted' };
  if (char === '`') return { end: templateEnd(source, at + 1), kind: 'quoted' };
  if (char === '/' && regexCanFollow(before)) {
    return { end: regexEnd(source, at), kind: 'quoted' };
  }
  return { end: at + 1, kind: 'code' };
}

function endOf(source: string, mark: string, from: number, keep: number): number {
  const found = source.indexOf(mark, from);
  return found < 0 ? source.length : found + keep;
}

function stringEnd(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === source[start] || source[at] === '\n') return at + 1;
  }
  return source.length;
}

/** End of a piece of a template: behind the closing back-tick or behind the next `${`. */
function templateEnd(source: string, start: number): number {
  for (let at = start; at < source.length; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '`') return at + 1;
    else if (source[at] === '$' && source[at + 1] === '{') return at + 2;
  }
  return source.length;
}

function regexCanFollow(before: string): boolean {
  const text = before.trimEnd();
  return text === '' || /[([{,;=:?!&|+\-*%<>~^]$|\b(return|typeof|case|of|in|=>)$/.test(text);
}

function regexEnd(source: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < source.length && source[at] !== '\n'; at++) {
    if (source[at] === '\\') at++;
    else if (source[at] === '[') inClass = true;
    else if (source[at] === ']') inClass = false;
    else if (source[at] === '/' && !inClass) return at + 1;
  }
  return start + 1;
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/**
 * A quoted span keeps its first and last character if they are quotes, so that code around it
 * still reads as code.
 */
function hollow(text: string): string {
  const keep = (char: string): string => (/["'`]/.test(char) ? char : ' ');
  if (text.length < 2) return keep(text);
  return keep(text[0]!) + blank(text.slice(1, -1)) + keep(text.at(-1)!);
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Offset of the bracket that closes the one at `open`, in code without comments and strings. */
export function matching(code: string, open: number): number {
  const stack: string[] = [];
  for (let at = open; at < code.length; at++) {
    const close = closing[code[at]!];
    if (close !== undefined) stack.push(close);
    else if (code[at] === stack.at(-1)) {
      stack.pop();
      if (stack.length === 0) return at;
    }
  }
  return code.length - 1;
}
