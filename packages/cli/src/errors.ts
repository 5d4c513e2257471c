import { ScenarioError } from '@quorumlab/harness';
import { CommanderError } from 'commander';

/** The command ends with this exit code; `sentence` has been said or is to be said on stderr. */
export class Exit extends Error {
  override readonly name: string = 'Exit';
  readonly code: number;
  readonly sentence: string;
  constructor(code: number, sentence = '') {
    super(sentence);
    this.code = code;
    this.sentence = sentence;
  }
}

/** What exit codes mean. */
export const exitCodes = {
  expected: 0,
  unexpected: 1,
  inconclusive: 2,
  replayDiffers: 3,
  usage: 254,
  internal: 255,
} as const;

/** What to say on stderr and how to leave, for anything that a command threw. */
export function explainError(error: unknown): { readonly code: number; readonly text: string } {
  if (error instanceof Exit) return { code: error.code, text: error.sentence };
  if (error instanceof ScenarioError)
    return { code: exitCodes.usage, text: `error ${error.code}: ${error.message}` };
  if (error instanceof CommanderError) {
    const helped = error.exitCode === 0;
    return { code: helped ? 0 : exitCodes.usage, text: '' };
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  if (isOurs(error)) return { code: exitCodes.usage, text: `error ${name}: ${message}` };
  return {
    code: exitCodes.internal,
    text:
      `internal error ${name}: ${message}\n${stack ?? ''}\n` +
      'This is a bug of quorumlab; please report it with the command line.',
  };
}

/** Packages whose named errors teach by themselves: bad input, not a bug of ours. */
const teaching = [
  'Cluster',
  'Config',
  'DamagedLog',
  'DiskFailed',
  'DiskFull',
  'FolderLocked',
  'Group',
  'Key',
  'Mesh',
  'Node',
  'Proof',
  'Quorum',
  'Schema',
  'Trace',
];

const isOurs = (error: unknown): boolean =>
  error instanceof Error &&
  error.name.endsWith('Error') &&
  // Every protocol names its own: RaftOptionsError.
  (error.name.endsWith('OptionsError') || teaching.some((name) => error.name.startsWith(name)));
