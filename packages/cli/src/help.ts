/** What `--help` says behind the list of flags. */
import { protocols } from '@quorumlab/harness';
import type { Command } from 'commander';

/** Adds commands that can be typed as they stand. */
export const withExamples = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText(
    'after',
    ['', lines.length === 1 ? 'Example:' : 'Examples:', ...lines.map((each) => `  ${each}`)].join(
      '\n',
    ),
  );

/** Adds the options of all protocols with their values unless told: for `--option`. */
export const withProtocolOptions = (command: Command): Command =>
  command.addHelpText('after', () => {
    const width = Math.max(...protocols.map(({ name }) => name.length));
    const lines = protocols.map(({ name, options, notes }) => {
      const all = Object.keys(options).map((option) => {
        const usual = notes[option]?.usual;
        return usual === undefined ? option : `${option}=${usual}`;
      });
      return `  ${name.padEnd(width)}  ${all.join(' ')}`;
    });
    return [
      '',
      'Options of protocols, for --option, with what they are unless told:',
      ...lines,
      'What each of them does: quorumlab list options',
    ].join('\n');
  });
