import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A TypeScript example in a document. `line` (from 1) is where its fence opens. */
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

/** File name of an example, from which a reader of an error finds the document and the line. */
export function fileNameOf({ path, line }: Example): string {
  return `${path.replace(/\.md$/, '').replace(/[^\w]+/g, '-')}-line-${line}.ts`;
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
