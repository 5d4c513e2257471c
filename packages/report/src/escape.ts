/** What comes from outside never becomes markup: names, operations, sentences, paths of files. */

/** Control characters that XML has no way to write, and halves of characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced.
const unwritable = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/** Text that every parser of XML and HTML reads: halves of characters become U+FFFD. */
const writable = (text: string): string => text.toWellFormed().replace(unwritable, '\ufffd');

/** Text as the content of an XML element, or as the value of an attribute in double quotes. */
export const xml = (text: string): string =>
  writable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    // Parsers turn these into spaces in attributes.
    .replaceAll('\t', '&#9;')
    .replaceAll('\n', '&#10;')
    .replaceAll('\r', '&#13;');

/** JSON for a script element: nothing in it can end the element or begin a comment. */
export const scriptJson = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');

/** Text within one line of Markdown, or one cell of its tables: no mark-up, no HTML, no mention. */
export const markdown = (text: string): string =>
  writable(text)
    .replace(/\s+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_[\]|~]/g, '\\$&')
    // Neither somebody's name nor an address becomes a link.
    .replaceAll('@', '@\u200b')
    .replaceAll('://', ':\u200b//')
    .replace(/\bwww\./gi, 'www\u200b.');

/** Text as code in a line of Markdown, outside of tables: between more backticks than in it. */
export function markdownCode(text: string): string {
  const line = writable(text).replace(/\s+/g, ' ');
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  const room = /^[` ]|[` ]$/.test(line) ? ' ' : '';
  return `${fence}${room}${line}${room}${fence}`;
}

/** The message of a workflow command of GitHub. */
export const githubData = (text: string): string =>
  text.toWellFormed().replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** A property of a workflow command of GitHub. */
export const githubProperty = (text: string): string =>
  githubData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
