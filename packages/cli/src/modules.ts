/** Modules of one's own that a command line names, and commands in which they are named again. */

import { quoted } from '@quorumlab/harness';
import { loadConfigured, loadModule } from '@quorumlab/harness/modules';
import type { Command } from 'commander';
import { usageError } from './errors.ts';

/** Files that a command line has named, as it named them. */
let named: readonly string[] = [];

/** Whether a word where a protocol stands is the path of a module. */
const isPath = (word: string): boolean => /[\\/]|\.m?[jt]s$/.test(word);

/** These run no scenario: nothing is run that somebody has only lying about. */
const without = ['completion', '__complete', 'keys'];

/**
 * Loads what is configured in the working directory, what `--with` names, and the modules that
 * stand where a protocol does: the command gets the names of their protocols instead.
 */
export async function loadNamed(command: Command): Promise<void> {
  named = [];
  if (without.some((each) => each === command.name() || each === command.parent?.name())) return;
  await loadConfigured(process.cwd());
  const { with: files = [] } = command.optsWithGlobals<{ readonly with?: readonly string[] }>();
  for (const file of files) await load(file);
  for (const [i, argument] of command.registeredArguments.entries())
    if (/^protocols?$/.test(argument.name()))
      command.processedArgs[i] = await namesOf(command.processedArgs[i]);
  const told: unknown = command.getOptionValue('protocol');
  if (told !== undefined) command.setOptionValue('protocol', await namesOf(told));
}

async function load(file: string): ReturnType<typeof loadModule> {
  const brought = await loadModule(file);
  if (!named.includes(file)) named = [...named, file];
  return brought;
}

/** A word, or several of them, with names of protocols in place of paths. */
async function namesOf(words: unknown): Promise<unknown> {
  if (Array.isArray(words)) {
    const names: unknown[] = [];
    for (const word of words) names.push(await namesOf(word));
    return names;
  }
  return typeof words === 'string' && isPath(words) ? protocolIn(words) : words;
}

async function protocolIn(file: string): Promise<string> {
  const { protocol } = await load(file);
  if (protocol !== undefined) return protocol;
  throw usageError(
    'QL130',
    `${file} exports no entry, so it is no protocol.\n` +
      `  use   --with ${quoted(file)}   for the attacks and workloads in it`,
  );
}

/**
 * What stands behind `quorumlab` in a command so that it has what this process has: a trace names
 * no file whose code is to be run, so the command does.
 */
export const withNamed = (): string => named.map((file) => ` --with ${quoted(file)}`).join('');
