/** The options of the programs of this repository that are started with `npm run`. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Config<O extends NonNullable<ParseArgsConfig['options']>> = {
  readonly options: O;
  readonly allowPositionals: true;
};

/** Wrong words on a command line: usage, and nothing was done. */
const usageExit = 254;

/**
 * What stands on the command line, as {@link parseArgs} gives it. With `--help` it prints `usage`
 * and ends the program; with an option that there is not it says so, prints `usage`, and ends it
 * with 254. Words that are no options are refused unless there may be `words` of them.
 */
export function flagsOf<O extends NonNullable<ParseArgsConfig['options']>>(
  usage: string,
  options: O,
  words = 0,
): ReturnType<typeof parseArgs<Config<O>>> {
  const fail = (sentence: string): never => {
    console.error(`${sentence}\n\n${usage}`);
    process.exit(usageExit);
  };
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    const found = parseArgs<Config<O>>({ options, allowPositionals: true });
    const extra = found.positionals[words];
    return extra === undefined ? found : fail(`"${extra}" is not expected here.`);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node names the option and what is wrong with it.
    return fail(`${error.message.split('. ')[0]}.`);
  }
}

/**
 * The option `--name` as a whole number from 1, or `otherwise` where nothing is given; ends the
 * program with 254 at anything else.
 */
export function wholeOf(name: string, text: string | undefined, otherwise: number): number {
  const number = Number(text ?? otherwise);
  if (Number.isSafeInteger(number) && number > 0 && text?.trim() !== '') return number;
  console.error(`--${name} ${text} is not a whole number from 1.`);
  return process.exit(usageExit);
}

/** The option `--name` as one of `all`, if it is given; ends the program with 254 at others. */
export function oneOf(
  name: string,
  text: string | undefined,
  all: readonly string[],
): string | undefined {
  if (text === undefined || all.includes(text)) return text;
  console.error(`--${name} ${text} is none of ${all.join(', ')}.`);
  return process.exit(usageExit);
}
