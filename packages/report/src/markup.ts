/** HTML from templates: what is put into one is text unless it was made by one. */
import { xml } from './escape.ts';

/** A piece of markup that was made here. */
export interface Html {
  readonly html: string;
}

/** What a template takes; lists are joined, and what is absent leaves nothing behind. */
export type Part = Html | string | number | false | undefined | readonly Part[];

/**
 * `` html`<b>${name}</b>` ``: markup in which every value is text, within elements and in
 * attributes in double quotes; only what another template has made stays markup.
 */
export const html = (pieces: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: pieces.map((piece, i) => `${piece}${written(parts[i])}`).join(''),
});

function written(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return xml(part).replaceAll('&#10;', '\n');
  if (typeof part === 'number') return String(part);
  if ('html' in part) return part.html;
  return part.map(written).join('\n');
}

/** Markup that somebody else has made, and made safe: a style sheet, a picture, a script. */
export const raw = (markup: string): Html => ({ html: markup });
