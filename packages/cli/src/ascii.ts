/** Signs as ASCII text, for terminals and logs that have nothing else. */
const forms: Readonly<Record<string, string>> = {
  '✓': 'OK',
  '✗': 'FAIL',
  '◑': 'STALE',
  '⚠': '!',
  '…': '...',
  '→': '->',
  '←': '<-',
  '↔': '<->',
  '–': '-',
  '—': '-',
  '−': '-',
  '·': '|',
  '×': 'x',
  '±': '+-',
  '≥': '>=',
  '≤': '<=',
  '≠': '!=',
  '∩': '&',
  '∪': '|',
  '∅': '{}',
  '⌈': 'ceil(',
  '⌉': ')',
  '⌊': 'floor(',
  '⌋': ')',
  µ: 'u',
  '§': 'section ',
  '█': '#',
  '░': '.',
  '●': '*',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '\u00a0': ' ',
};

/** The text in ASCII alone: our own signs by name, what people have written as `\u{e9}`. */
export const asciiOf = (text: string): string =>
  text.replace(
    /[^\0-\x7f]/gu,
    (sign) => forms[sign] ?? `\\u{${(sign.codePointAt(0) as number).toString(16)}}`,
  );

/** JSON in ASCII alone: the same document, since only its strings can hold anything else. */
export const asciiJson = (document: string): string =>
  document.replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
