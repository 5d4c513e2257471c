/** Puts every mutant of some files into them, each behind a switch. */
import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import type { Ignorer } from '@stryker-mutator/api/ignore';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { hashOf } from './memory.ts';

/** One small change of one place. */
export interface Mutant {
  /** The same in every run, as long as its file is the same: `file@version#place in the file`. */
  readonly id: string;
  /** Of its switch in this run. */
  readonly key: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The line in which it begins, without the spaces around. */
  readonly within: string;
  /** What stands there, in one line. */
  readonly before: string;
  /** What the mutant puts in its place, in one line. */
  readonly after: string;
}

/**
 * Emptied texts are left out: they are tags, which the compiler would refuse, or sentences to
 * people.
 */
const excludedMutations = ['StringLiteral'];

/** What is looked at of a node of Babel's. */
interface CallNode {
  readonly type: string;
  /** Of a statement that is only this. */
  readonly expression?: CallNode;
  readonly id?: { readonly name?: string } | null;
  readonly callee?: { readonly name?: string; readonly property?: { readonly name?: string } };
}

/**
 * Calls that name the line of the paper which is executed: every protocol has a test that all of
 * them are named. And assertions: only our own bug makes one fail, so none is missed without it.
 */
const said: Ignorer = {
  shouldIgnore(path) {
    // Stryker's types leave Babel's out.
    const { node } = path as unknown as { readonly node: CallNode };
    if (node.id?.name === 'invariant') return 'only assertions';
    const { type, callee } = node.expression ?? node;
    if (type !== 'CallExpression') return undefined;
    if (callee?.name === 'assert') return 'an assertion';
    return callee?.property?.name === 'line' ? 'a line of the paper' : undefined;
  },
};

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const silent = () => undefined;
const logger = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => false,
  isErrorEnabled: () => false,
  isFatalEnabled: () => false,
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error: silent,
  fatal: silent,
};

/** Mutates `files` of `folder` where they are, and tells what was done. */
export async function instrument(folder: string, files: readonly string[]): Promise<Mutant[]> {
  const texts = new Map(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const { files: written, mutants } = await new Instrumenter(logger).instrument(
    // Types become spaces: all stays in its place, and what is printed anew needs no brackets
    // around them.
    [...texts].map(([name, text]) => {
      return { name, content: stripTypeScriptTypes(text), mutate: true };
    }),
    { plugins: null, excludedMutations, ignorers: [said] },
  );
  for (const { name, content } of written) writeFileSync(join(folder, name), content);
  const counted = mutants.filter(({ status }) => status !== 'Ignored');
  const places = new Map<string, number>();
  return counted.map(({ id, fileName, location: { start, end }, replacement }) => {
    const lines = (texts.get(fileName) ?? '').split('\n').slice(start.line, end.line + 1);
    lines.push((lines.pop() ?? '').slice(0, end.column));
    // In one line, what was cut off at its end is not there any more.
    lines.unshift((lines.shift() ?? '').slice(start.column));
    const place = places.get(fileName) ?? 0;
    places.set(fileName, place + 1);
    return {
      id: `${fileName}@${hashOf(texts.get(fileName) ?? '')}#${place}`,
      key: id,
      file: fileName,
      line: start.line + 1,
      within: oneLine((texts.get(fileName) ?? '').split('\n')[start.line] ?? ''),
      before: oneLine(lines.join(' ')),
      after: oneLine(replacement),
    };
  });
}
