/** Lines that fit a terminal: prose is broken between words, a command so that it can be pasted. */
import { commandStart } from './invocation.ts';

/** Characters that take a place, without the escapes of colours. */
export const lengthOf = (text: string): number =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters.
  [...text.replace(/\u001b\[[\d;]*m/g, '')].length;

/** What stands before the text of a line: its indentation and, if it has one, its label. */
const leadOf = (line: string): string => /^\s*(?:\S+(?: \S+)*\s{2,})?/.exec(line)?.[0] ?? '';

/** A word with the space before it. */
const words = /\s*\S+/g;
/** The same in a command, where quoted words are one. */
const commandWords = /\s*(?:'[^']*'|"[^"]*"|\S)+/g;

/**
 * `text` in lines of at most `columns` characters; what has no space in it stays whole. Lines go on
 * under the text of the first, behind its label; a command goes on behind a backslash.
 */
export function wrapped(text: string, columns: number): readonly string[] {
  return text.split('\n').flatMap((line) => wrappedLine(line, columns));
}

function wrappedLine(line: string, columns: number): readonly string[] {
  if (lengthOf(line) <= columns) return [line];
  const lead = leadOf(line);
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const isCommand = line.slice(lead.length).startsWith(commandStart());
  const most = isCommand ? columns - 2 : columns;
  const hang = lengthOf(lead) <= columns / 2 ? lengthOf(lead) : indent.length + 2;
  const lines: string[] = [];
  let current = '';
  for (const word of line.match(isCommand ? commandWords : words) ?? []) {
    if (current.trim() !== '' && lengthOf(current + word) > most) {
      lines.push(current);
      current = ' '.repeat(hang) + word.trimStart();
    } else current += word;
  }
  lines.push(current);
  return isCommand ? lines.map((each, i) => (i < lines.length - 1 ? `${each} \\` : each)) : lines;
}
