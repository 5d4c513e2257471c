import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A TypeScript example in a document or in a doc comment. `line` (from 1) is where its fence opens.
 */
export type Example = Readonly<{ path: string; line: number; code: string; runs: boolean }>;

/** What a program left: its exit code (null if a signal ended it) and all it printed. */
export type Outcome = Readonly<{ code: number | null; output: string }>;

const fence = /^( {0,3})(`{3,})ts(?:[ \t]+(.*))?\n([\s\S]*?)^ {0,3}\2`*[ \t]*$/gm;

/** The blocks of a Markdown text fenced as `ts`; those fenced as `ts no-run` are not to be run. */
export function examplesIn(path: string, markdown: string): readonly Example[] {
  return [...markdown.matchAll(fence)].map((match) => ({
    path,
    line: markdown.slice(0, match.index).split('\n').length,
    code: match[4]!,
    runs: !(match[3] ?? '').split(/\s+/).includes('no-run'),
  }));
}

/** Doc comments, each with the name of what is declared right after it, if that is exported. */
const comment = /^\/\*\*\n((?: \*.*\n)*?) \*\/\n(?:export (?:async )?(?:function|const) (\w+))?/gm;

/** What the doc comments of a source file tell by example. */
export interface Told {
  readonly examples: readonly Example[];
  /** The exports whose doc comments have an `@example`. */
  readonly names: readonly string[];
}

/** The `@example` blocks of a source file. Throws at one without code in it. */
export function examplesInSource(path: string, source: string): Told {
  const examples: Example[] = [];
  const names: string[] = [];
  for (const match of source.matchAll(comment)) {
    const [, text = '', name] = match;
    const from = text.indexOf('\n * @example\n');
    if (from < 0) continue;
    // The stars go, the lines stay: so an example keeps its place.
    const before = source.slice(0, match.index).split('\n').length;
    const found = examplesIn(path, text.replace(/^ \*(?: |$)/gm, ''));
    if (found.length === 0)
      throw new Error(`${path}:${before}: an @example has no code; fence it as \`ts\``);
    examples.push(...found.map((each) => ({ ...each, line: each.line + before })));
    if (name !== undefined) names.push(name);
  }
  return { examples, names };
}

/** File name of an example, from which a reader of an error finds the document and the line. */
export function fileNameOf({ path, line }: Example): string {
  return `${path.replace(/\.(?:md|ts)$/, '').replace(/[^\w]+/g, '-')}-line-${line}.ts`;
}

/**
 * Writes the examples into a new folder below test/, where every package of the work tree can be
 * imported by its name, with a tsconfig.json that checks them all at once. Returns the folder.
 */
export function writeExamples(root: string, examples: readonly Example[]): string {
  const parent = join(root, 'test/.generated');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'documents-'));
  const config = {
    extends: '../../../tsconfig.test.json',
    compilerOptions: { noUnusedLocals: false, moduleDetection: 'force' },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  for (const example of examples) {
    // The same line number in the file as in the document: errors point to the right place.
    const lead = '\n'.repeat(example.line);
    writeFileSync(join(folder, fileNameOf(example)), `${lead}${example.code}\nexport {};\n`);
  }
  return folder;
}

/** Runs a program without input and waits until it ends, or ends it after `limitMs`. */
export function run(
  program: string,
  args: readonly string[],
  options: Readonly<{ cwd: string; limitMs: number }>,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { cwd: options.cwd, timeout: options.limitMs, killSignal: 'SIGKILL', encoding: 'utf8' },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    );
    child.stdin?.end();
  });
}
