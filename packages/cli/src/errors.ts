import { engine, ScenarioError, systemSentence } from '@quorumlab/harness';
import type { Failure } from '@quorumlab/report/result';
import { CommanderError } from 'commander';
import { codeOfName } from './error-codes.ts';

/** The command ends with this exit code, and says this sentence. */
export class Exit extends Error {
  override readonly name: string = 'Exit';
  readonly exit: number;
  /** See `error-codes.ts`. */
  readonly code: string;

  /** Lines of `sentence` behind the first are hints: `  use   -n 4`. */
  constructor(exit: number, code: string, sentence: string) {
    super(sentence);
    this.exit = exit;
    this.code = code;
  }
}

/** What exit codes mean. */
export const exitCodes = {
  expected: 0,
  unexpected: 1,
  inconclusive: 2,
  replayDiffers: 3,
  interrupted: 130,
  terminated: 143,
  usage: 254,
  internal: 255,
} as const;

/** An {@link Exit} for what was wrong with the command line or with a file that it names. */
export const usageError = (code: string, sentence: string): Exit =>
  new Exit(exitCodes.usage, code, sentence);

/** A {@link Failure}, and how it is said to people. */
export interface Explained extends Failure {
  readonly text: string;
}

/** Whether a command was asked for whose help was shown instead, since it takes another one. */
export const isHelp = (error: unknown): boolean =>
  error instanceof CommanderError && error.code === 'commander.help' && error.exitCode !== 0;

/** The document of a failure. */
export const errorDocument = ({ code, message, hint, exit }: Failure): object => ({
  schema: 'quorumlab.error/1',
  engine,
  code,
  message,
  hint,
  exit,
});

/**
 * What to say, and how to leave, for anything that a command threw; nothing if it only asked to
 * leave, as `--help` does. `command` is what was asked for, e.g. `quorumlab run`; a hint at a flag
 * that it does not know is left out.
 */
export function explainError(
  error: unknown,
  command = 'quorumlab',
  knows: (flag: string) => boolean = () => true,
): Explained | undefined {
  if (error instanceof Exit) return explained(error.exit, error.code, error.message, command);
  if (error instanceof ScenarioError)
    return explained(exitCodes.usage, error.code, possible(error.message, knows), command);
  if (isHelp(error)) return undefined;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return undefined;
    const sentence = sentenceOf(error.message);
    const letter = /^unknown option '-(-[a-z])'\.$/.exec(sentence)?.[1];
    const meant = letter !== undefined && knows(letter) ? ` Did you mean ${letter}?` : '';
    return explained(exitCodes.usage, 'QL100', `${sentence}${meant}`, command);
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = codeOfName(name);
  if (code !== undefined) return explained(exitCodes.usage, code, message, command);
  const system = systemSentence(error);
  if (system !== undefined) return explained(exitCodes.usage, 'QL108', system, command);
  const hint = 'This is a bug of quorumlab; please report it with the command line.';
  return {
    code: 'QL199',
    message: `internal error ${name}: ${message}`,
    hint,
    exit: exitCodes.internal,
    text: `internal error ${name}: ${message}\n${stack ?? ''}\n${hint}`,
  };
}

/** `error: unknown option '--x'` and what it may have meant, as our sentences are. */
function sentenceOf(text: string): string {
  const [first = '', ...rest] = text
    .replace(/^error: /, '')
    .trim()
    .split('\n');
  const more = rest.map((line) => line.trim().replace(/^\((.*)\)$/, '$1'));
  return [first.replace(/\.?$/, '.'), ...more].join(' ');
}

/** The sentence without hints at flags that the command lacks: scenarios are for others too. */
const possible = (sentence: string, knows: (flag: string) => boolean): string =>
  sentence
    .split('\n')
    .filter((line) => {
      const flag = /^ {2}(?:use|or) +(--?[a-z][\w-]*)/.exec(line)?.[1];
      return flag === undefined || knows(flag);
    })
    .join('\n');

/** A code, a sentence and its hints as they are said. */
function explained(exit: number, code: string, sentence: string, command: string): Explained {
  const [first = '', ...lines] = sentence.split('\n').filter((line) => line.trim() !== '');
  const isSignal = exit === exitCodes.interrupted || exit === exitCodes.terminated;
  const within = hintIn(first);
  if (lines.length === 0 && within === undefined && !isSignal)
    lines.push(`  see   ${command} --help`);
  const hints = lines.map((line) => line.trim().replace(/\s+/g, ' '));
  const hint = hints.length > 0 ? hints.join(', ') : (within ?? '');
  const head = isSignal ? first : `error ${code}: ${first}`;
  return { code, message: first, hint, exit, text: [head, ...lines].join('\n') };
}

/** What a sentence itself says to do: which name was meant, what to write, what follows a `;`. */
const hintIn = (sentence: string): string | undefined =>
  /Did you mean [^?]*\?/.exec(sentence)?.[0] ??
  /(?:; |: )((?:write|use|give|name|leave|choose) .*)$/.exec(sentence)?.[1] ??
  (sentence.includes('; ') ? sentence.slice(sentence.lastIndexOf('; ') + 2) : undefined);
