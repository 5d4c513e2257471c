/** The command line in the process of a test: as fast as a call, with all that it writes. */
import { unloadModules } from '@quorumlab/harness/modules';
import { main } from '../src/program.ts';

/** What a command wrote, and how it left. */
export interface Said {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** The words of a command line; those in quotes are one, which may be empty. */
export const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );

/**
 * Runs one command line here, in `folder` if one is named. Only one at a time: it takes the
 * streams, the environment, the folder and the exit code of this process for as long as it runs.
 */
export async function said(
  line: string | readonly string[],
  env: Readonly<Record<string, string>> = {},
  folder?: string,
): Promise<Said> {
  const { stdout, stderr } = process;
  const before = { out: stdout.write, err: stderr.write, env: process.env, code: process.exitCode };
  const parts = { out: '', err: '' };
  const home = process.cwd();
  const into =
    (name: 'out' | 'err') =>
    (text: string | Uint8Array): boolean => {
      parts[name] += String(text);
      return true;
    };
  try {
    stdout.write = into('out');
    stderr.write = into('err');
    process.env = { ...before.env, NO_COLOR: '1', COLUMNS: '', ...env };
    process.exitCode = 0;
    if (folder !== undefined) process.chdir(folder);
    await main(['node', 'quorumlab', ...(typeof line === 'string' ? wordsOf(line) : line)]);
    return { ...parts, code: Number(process.exitCode) };
  } finally {
    stdout.write = before.out;
    stderr.write = before.err;
    process.env = before.env;
    process.exitCode = before.code;
    process.chdir(home);
    unloadModules(); // Another process would not know them either.
  }
}
