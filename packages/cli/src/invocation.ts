/** How this program was started, so that the commands it offers work where the reader is. */
import { accessSync, constants, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { quoted } from '@quorumlab/harness';

/** What the start of this process is judged by. */
export interface Started {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The program that was started: `process.argv[1]`. */
  readonly program: string;
}

/** The command that `quorumlab` is in documents, results and errors. */
const name = 'quorumlab';

/**
 * What to type in place of `quorumlab`: told by QUORUMLAB_COMMAND, the npm script of the
 * repository, npx, the name itself where the shell finds it, or else node with this file.
 */
export function invocationOf({ env, cwd, program }: Started): string {
  const told = env.QUORUMLAB_COMMAND?.trim();
  if (told) return told;
  const real = realPath(program);
  const isInstalled = /[\\/]node_modules[\\/]/.test(program) || /[\\/]node_modules[\\/]/.test(real);
  if (!isInstalled && hasScript(cwd)) return `npm run -s ${name} --`;
  const fromScript = env.npm_lifecycle_event !== undefined;
  // What a script finds on its path is not what the shell of its reader finds.
  if (!fromScript && onPath(env.PATH ?? '', real)) return name;
  if (isInstalled || env.npm_command === 'exec') return `npx ${name}`;
  const source = real.endsWith('.ts') ? '--conditions=source ' : '';
  const near = relative(cwd, real);
  return `node ${source}${quoted(near.startsWith('..') ? real : near)}`;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Whether `npm run quorumlab` works here: npm asks the nearest folder that has a manifest. */
function hasScript(cwd: string): boolean {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const scripts = (manifest as { readonly scripts?: Readonly<Record<string, unknown>> })
        .scripts;
      return scripts?.[name] !== undefined;
    } catch {
      // None here, or none that can be read: npm looks further up as well.
    }
    if (folder === dirname(folder)) return false;
  }
}

/** Whether a shell that is told the name starts this very program. */
function onPath(path: string, program: string): boolean {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return realpathSync(file) === program;
    } catch {
      // Not here: shells look into the next folder.
    }
  }
  return false;
}

let found: string | undefined;

/** What to type in place of `quorumlab` where this process was started. */
export const commandStart = (): string =>
  (found ??= invocationOf({
    env: process.env,
    cwd: process.cwd(),
    program: process.argv[1] ?? name,
  }));

/** Names that follow `quorumlab` in a command; anything else is about quorumlab and no command. */
const commands =
  'demo|run|attack|compare|play|report|trace|quorums|shards|shrink|replay|explain|check|lesson|' +
  'quiz|lab|list|keys|node|cluster|completion|help|--\\w';
const mention = new RegExp(`(?<![\\w/@.-])${name}(?= (?:${commands}))`, 'g');

/** A text with `words` behind the name in each command in it. */
export const telling = (text: string, words: string): string =>
  words === '' ? text : text.replace(mention, (each) => `${each}${words}`);

/**
 * A text for people: each command in it as it works here. Packages below this one, and documents
 * with `--json`, say `quorumlab`, since they know no reader.
 */
export const localised = (text: string, here: string = commandStart()): string =>
  text.replace(mention, () => here);
